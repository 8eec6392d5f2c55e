from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from msgspec.structs import replace

from schemas.features import Feature
from schemas.outputs.wire import decode_release, encode_release
from tests.support.worlds.trained_shops import a_shop, features_named
from trainer.fit import fit
from trainer.release.pipeline_numbers import release_of
from trainer.steps import batch_scorer
from trainer.steps.batch_scorer import can_score, score
from trainer.steps.fit_settings import CategoryEncoding, FitSettings, Scaling
from trainer.steps.training_rows import select


@pytest.mark.parametrize("encoding", ["label", "frequency", "one-hot"])
@pytest.mark.parametrize("scaling", ["standard", "none"])
def test_the_scores_are_the_pipelines(
    encoding: CategoryEncoding, scaling: Scaling, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Some users at a time, the last ones fewer.
    monkeypatch.setattr(batch_scorer, "_CELLS", 500)
    settings = FitSettings(encoding=encoding, scaling=scaling, k_min=5, k_max=5)
    made = fit(select(a_shop(), settings), settings)
    release = decode_release(encode_release(release_of(made, list("abcde"))))
    # Everybody, also those who lack a value, and one from nowhere.
    nobody = pa.Table.from_pylist([{"user_id": "new", "age": 99.0, "gender": "X"}], a_shop().schema)
    everybody = pa.concat_tables([a_shop(), nobody])
    found = score(release, everybody)
    rows = everybody.to_pandas()
    np.testing.assert_allclose(found.components, made.pipeline[:-1].transform(rows), atol=1e-9)
    assert found.segments.tolist() == made.pipeline.predict(rows).tolist()


def test_nobody_has_no_scores() -> None:
    settings = FitSettings(k_min=5, k_max=5)
    made = fit(select(a_shop(), settings), settings)
    found = score(release_of(made, list("abcde")), a_shop().slice(0, 0))
    assert (found.components.shape, found.segments.shape) == ((0, 2), (0,))


def test_features_that_are_not_there() -> None:
    settings = FitSettings(features=features_named("age", "country"), k=2, k_max=2)
    made = fit(select(a_shop(), settings), settings)
    release = release_of(made, ["a", "b"])
    assert can_score(release, a_shop(), ())
    assert not can_score(release, a_shop().drop(["country"]), ())
    spend = Feature("spend", "sum", "order_value")
    declares = replace(release, declared=(spend,))
    assert can_score(declares, a_shop(), (spend, Feature("visits", "count", "order_id")))
    assert not can_score(declares, a_shop(), (Feature("spend", "sum", "price"),))
