"""The model served is the model fitted: a worker's scorer and scikit-learn's pipeline agree, for every user.

(The article refits its encoders on the one new row, and so agrees with its own fit for few.)
"""

from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.features import FEATURES, Feature
from schemas.outputs.wire import decode_release, encode_release
from streamer.segment.scoring import Scorer
from tests.support.inputs.laws import examples
from trainer.fit import Fit, fit
from trainer.release.pipeline_numbers import release_of
from trainer.steps.fit_settings import FitSettings
from trainer.steps.presets import PRESETS
from trainer.steps.training_rows import select
from trainer.warehouse import open_warehouse

# Numbers that the model reads as something else; nobody of thelook paid less than 0, but a row may say so.
CHANGED = (
    FEATURES[0],
    FEATURES[5],
    Feature("orders", "count", "order_id", quantile=5),
    Feature("spend", "sum", "order_value", log=True),
    Feature("pace", "interval", "order_id", log=True),
    Feature("pace_group", "interval", "order_id", quantile=4),
)
# Of the recommended preset rare values share a column, and the scaler is ours.
WAYS = {
    "label": FitSettings(),
    "frequency": FitSettings(encoding="frequency"),
    "one-hot": FitSettings(encoding="one-hot"),
    "recommended": PRESETS["recommended"],
    "unscaled": FitSettings(scaling="none"),
    "changed numbers": FitSettings(features=CHANGED),
}
TOLERANCE = 1e-9


@cache
def everybody() -> Any:
    with open_warehouse(str(files("segue") / "data" / "thelook")) as warehouse:
        return warehouse.features(None, (), (*FEATURES, *CHANGED[2:]))


@cache
def fitted(way: str) -> tuple[Fit, Scorer]:
    """A fit, and the scorer of its release after the way over the wire."""
    # No search: what is asked is the way of a row.
    fit_settings = replace(WAYS[way], k=5, k_max=2)
    made = fit(select(everybody(), fit_settings), fit_settings)
    release = release_of(made, ["a", "b", "c", "d", "e"])
    return made, Scorer(decode_release(encode_release(release)))


def check(way: str, rows: list[dict[str, Any]]) -> None:
    made, scorer = fitted(way)
    frame = pd.DataFrame(rows, columns=list(WAYS[way].names)).astype(object)
    components = made.pipeline[:-1].transform(frame)
    segments = made.pipeline[-1].predict(components)
    scores = [scorer.score(row) for row in rows]
    assert np.abs(np.array([score.components for score in scores]) - components).max() < TOLERANCE
    assert [score.segment for score in scores] == segments.tolist()


# The recommended preset is one-hot, too, and only leaves rare values together.
@pytest.mark.parametrize(
    "way", [pytest.param(way, marks=pytest.mark.wide) if way == "one-hot" else way for way in WAYS]
)
def test_every_user_of_thelook_also_the_incomplete_ones(way: str) -> None:
    rows = everybody().select(list(WAYS[way].names)).to_pylist()
    assert len(rows) == 20_000
    check(way, rows)


@pytest.mark.parametrize("way", WAYS)
def test_every_training_user_gets_the_label_of_its_own_fit(way: str) -> None:
    # The scorer agrees with the pipeline about every user; see the test before.
    made, _ = fitted(way)
    rows = made.selection.rows.select(list(WAYS[way].names)).to_pandas().astype(object)
    assert len(rows) > (3_000 if way == "changed numbers" else 15_000)
    assert made.pipeline.predict(rows).tolist() == made.labels.tolist()


def test_a_rare_value_is_known_and_lies_with_the_other_rare_ones() -> None:
    _, scorer = fitted("recommended")
    nine_west = scorer.score({"most_frequent_brand": "Nine West"})
    assert "most_frequent_brand" not in nine_west.missing
    # Each has 17 of 15,898 users; Levi's has a column of its own.
    assert nine_west.components == scorer.score({"most_frequent_brand": "Glamorise"}).components
    assert nine_west.components != scorer.score({"most_frequent_brand": "Levi's"}).components
    assert nine_west.components != scorer.score({}).components


generated = st.fixed_dictionaries(
    {
        "age": st.none() | st.floats(0, 150) | st.integers(0, 150),
        "gender": st.sampled_from([None, "F", "M", "X"]),
        "country": st.sampled_from([None, "Spain", "España", "Brasil", "Colombia", "Atlantis"]),
        "traffic_source": st.sampled_from([None, "Search", "Email", "Fax"]),
        "total_orders": st.none() | st.integers(1, 100_000),
        "most_frequent_brand": st.sampled_from([None, "Carhartt", "Levi's", "Nine West", "Nobody"]),
        "most_frequent_category": st.sampled_from([None, "Jeans", "Socks", "Spoons"]),
        "spend": st.none() | st.floats(-1, 1e4),
        "orders": st.none() | st.integers(-1, 20),
        "pace_group": st.none() | st.sampled_from([10.0, 44.5]) | st.floats(-10, 1e3),
        "pace": st.none() | st.floats(0, 1e3) | st.integers(0, 1000),
    }
)


@examples(25)
@given(rows=st.lists(generated, min_size=1, max_size=20), way=st.sampled_from(sorted(WAYS)))
def test_generated_rows(rows: list[dict[str, Any]], way: str) -> None:
    check(way, rows)
