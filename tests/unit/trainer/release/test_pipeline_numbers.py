from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from schemas.outputs.wire import decode_release, encode_release
from schemas.release.model_release import Training
from streamer.segment.scoring import Scorer
from tests.support.worlds.trained_shops import QUICK, a_shop, fitted_shop
from trainer.fit import Fit
from trainer.release.pipeline_numbers import release_of
from trainer.steps.fit_settings import CategoryEncoding
from trainer.steps.rows_digest import digest
from trainer.steps.training_window import Window

NAMES = ["a", "b", "c", "d", "e"]


def fitted(**settings: Any) -> Fit:
    return fitted_shop(replace(QUICK, **settings))


@pytest.mark.parametrize("encoding", ["label", "frequency", "one-hot"])
def test_a_worker_scores_as_the_pipeline_does(encoding: CategoryEncoding) -> None:
    ours = fitted(encoding=encoding)
    scorer = Scorer(decode_release(encode_release(release_of(ours, NAMES))))
    # Everybody, also those who were left out of the training, and one from nowhere.
    everybody = a_shop().to_pandas()
    everybody.loc[len(everybody)] = ["new", 99.0, "X", "Narnia", "Fax", 1, "Acme", "Anvils"]
    features = list(ours.settings.names)
    rows = a_shop().select(features).to_pylist()
    rows.append(dict(zip(features, everybody.iloc[-1].tolist()[1:], strict=True)))
    scores = [scorer.score(row) for row in rows]
    components = ours.pipeline[:-1].transform(everybody)
    np.testing.assert_allclose([score.components for score in scores], components, atol=1e-9)
    assert [score.segment for score in scores] == ours.pipeline.predict(everybody).tolist()
    assert scores[-1].missing == (
        "gender",
        "country",
        "traffic_source",
        "most_frequent_brand",
        "most_frequent_category",
    )


def test_segments_have_their_places_as_ids_and_their_sizes() -> None:
    ours = fitted()
    release = release_of(ours, NAMES)
    assert [(segment.id, segment.name) for segment in release.segments] == list(enumerate(NAMES))
    assert [segment.size for segment in release.segments] == np.bincount(ours.labels).tolist()
    assert sum(segment.size for segment in release.segments) == ours.selection.users_used


def test_what_it_was_trained_on() -> None:
    ours = fitted(exclude_statuses=("Cancelled",))
    release = release_of(ours, NAMES, Window(datetime(2024, 2, 29, 12, tzinfo=UTC)))
    assert release.training == Training(
        "2024-02-29T12:00:00Z", 300, ours.selection.users_used, digest(ours.selection.rows)
    )
    assert release.exclude_statuses == ("Cancelled",)


def test_every_metric_is_a_number() -> None:
    release = release_of(fitted(), NAMES)
    assert sorted(release.metrics) == [
        "calinski_harabasz",
        "davies_bouldin",
        "explained_variance",
        "silhouette",
        "sse",
        "stability",
    ]


def test_another_name_or_encoding_is_another_version_and_only_the_encoding_another_space() -> None:
    ours = fitted()
    release = release_of(ours, NAMES)
    renamed = release_of(ours, ["z", *NAMES[1:]])
    other = release_of(fitted(encoding="frequency"), NAMES)
    assert release.version != renamed.version
    assert release.space == renamed.space
    assert release.space != other.space
