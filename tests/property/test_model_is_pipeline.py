"""The model served is the model fitted: a worker's scorer and scikit-learn's pipeline agree, for every user.

(The article refits its encoders on the one new row, and so agrees with its own fit for few.)
"""

from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.features import FEATURE_NAMES
from schemas.wire import decode_release, encode_release
from streamer.scoring import Scorer
from trainer.fit import Fit, fit
from trainer.model import release_of
from trainer.rows import select
from trainer.settings import CategoryEncoding, FitSettings
from trainer.warehouse import open_warehouse

ENCODINGS: tuple[CategoryEncoding, ...] = ("label", "frequency", "one-hot")
TOLERANCE = 1e-9


@cache
def everybody() -> Any:
    with open_warehouse(str(files("segue") / "data" / "thelook")) as warehouse:
        return warehouse.features()


@cache
def fitted(encoding: CategoryEncoding) -> tuple[Fit, Scorer]:
    """A fit, and the scorer of its release after the way over the wire."""
    fit_settings = FitSettings(encoding=encoding)
    made = fit(select(everybody(), fit_settings), fit_settings)
    release = release_of(made, ["a", "b", "c", "d", "e"], None)
    return made, Scorer(decode_release(encode_release(release)))


def check(encoding: CategoryEncoding, rows: list[dict[str, Any]]) -> None:
    made, scorer = fitted(encoding)
    frame = pd.DataFrame(rows, columns=list(FEATURE_NAMES)).astype(object)
    components = made.pipeline[:-1].transform(frame)
    segments = made.pipeline[-1].predict(components)
    scores = [scorer.score(row) for row in rows]
    assert np.abs(np.array([score.components for score in scores]) - components).max() < TOLERANCE
    assert [score.segment for score in scores] == segments.tolist()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_user_of_thelook_also_the_incomplete_ones(encoding: CategoryEncoding) -> None:
    rows = everybody().select(list(FEATURE_NAMES)).to_pylist()
    assert len(rows) == 20_000
    check(encoding, rows)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_training_user_gets_the_label_of_its_own_fit(encoding: CategoryEncoding) -> None:
    made, scorer = fitted(encoding)
    rows = made.selection.rows.select(list(FEATURE_NAMES)).to_pylist()
    assert len(rows) > 15_000
    assert [scorer.score(row).segment for row in rows] == made.labels.tolist()


generated = st.fixed_dictionaries(
    {
        "age": st.none() | st.floats(0, 150) | st.integers(0, 150),
        "gender": st.sampled_from([None, "F", "M", "X"]),
        "country": st.sampled_from([None, "Spain", "España", "Brasil", "Atlantis"]),
        "traffic_source": st.sampled_from([None, "Search", "Email", "Fax"]),
        "total_orders": st.none() | st.integers(1, 100_000),
        "most_frequent_brand": st.sampled_from([None, "Carhartt", "Levi's", "Nobody"]),
        "most_frequent_category": st.sampled_from([None, "Jeans", "Socks", "Spoons"]),
    }
)


@settings(max_examples=50, deadline=None)
@given(rows=st.lists(generated, min_size=1, max_size=20), encoding=st.sampled_from(ENCODINGS))
def test_generated_rows(rows: list[dict[str, Any]], encoding: CategoryEncoding) -> None:
    check(encoding, rows)
