from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
from msgspec import UNSET
from msgspec.structs import replace

from schemas.features import Feature
from schemas.release.model_release import EncodedFeature, ModelRelease, Segment, Training
from trainer.release.current_release import Current
from trainer.release.impact import Impact, Metric, Moves, Pair, impact_of, metrics, moves
from trainer.release.same_facts_later import on_day

FIRST, LATER = date(2024, 3, 1), date(2024, 3, 8)


def by_recency(border: float, day: date) -> ModelRelease:
    """Segment 0 up to a border of days since the last order, segment 1 beyond it."""
    return ModelRelease(
        version=f"border {border}",
        space="",
        features=(EncodedFeature("recency", "number"),),
        mean=(0.0,),
        scale=(1.0,),
        projection_mean=(0.0,),
        projection=((1.0,),),
        segments=(Segment(0, "recent", (0.0,), 1), Segment(1, "old", (2 * border,), 1)),
        next_segment=2,
        training=Training(None, 4, 4, "0" * 64, day=day),
        declared=(Feature("recency", "days_since", "last_order"),),
    )


def rows(**recency: float) -> pa.Table:
    return pa.table({"user_id": list(recency), "recency": list(recency.values())})


TRAINED = rows(ann=2.0, bob=4.0, cy=9.0, dee=4.0).append_column("segment", pa.array([0, 0, 1, 0]))


def compared(current: ModelRelease, new: ModelRelease) -> Impact:
    """A week later: Ann has ordered yesterday, Dee is no training user any more."""
    users = rows(ann=1.0, bob=11.0, cy=16.0)
    before, after = np.array([0, 1, 1]), np.array([0, 0, 1])
    return impact_of(Current(current, 2, TRAINED), new, users, before, after, new.training.day_read)


def test_time_model_and_behaviour_apart() -> None:
    impact = compared(by_recency(5, FIRST), by_recency(15, LATER))
    # After a week without any fact: 9, 11, 16 and 11 days. All but Cy would cross the border of 5.
    assert impact.by_time == Moves(4, (Pair(0, 1, 3),))
    # From there only Ann's order moves a user. The new border moves Bob back.
    assert impact.by_behaviour == Moves(3, (Pair(1, 0, 1),))
    assert impact.by_model == Moves(3, (Pair(1, 0, 1),))


def test_without_a_day_time_counts_as_behaviour() -> None:
    current = by_recency(5, FIRST)
    unknown = replace(current, training=replace(current.training, day=UNSET))
    impact = compared(unknown, by_recency(15, LATER))
    # From the training to today: Ann stays recent, Bob gets old.
    assert (impact.by_time, impact.by_behaviour) == (None, Moves(3, (Pair(0, 1, 1),)))


def test_an_earlier_day_has_other_facts() -> None:
    assert on_day(by_recency(5, LATER), TRAINED, FIRST) is None


def test_without_features_of_time_there_is_no_time() -> None:
    current, new = (replace(by_recency(border, FIRST), declared=()) for border in (5, 15))
    assert compared(current, new).by_time is UNSET


def test_who_goes_where_by_pair_most_users_first() -> None:
    before = np.array([0, 0, 0, 1, 1, 2, 2, 2])
    after = np.array([0, 1, 1, 0, 1, 7, 2, 2])
    assert moves(before, after) == Moves(8, (Pair(0, 1, 2), Pair(1, 0, 1), Pair(2, 7, 1)))
    assert moves(before, after).moved == 4
    assert moves(before, after).share == 0.5


def test_nobody_moves_and_nobody_is_there() -> None:
    some = np.array([3, 4])
    assert moves(some, some) == Moves(2, ())
    nobody = np.array([], dtype=np.int64)
    assert moves(nobody, nobody) == Moves(0, ())
    assert moves(nobody, nobody).share == 0.0


def test_figures_that_only_one_has() -> None:
    assert list(metrics({"sse": 2.0, "old": 1.0}, {"sse": 3.0, "new": 4.0})) == [
        Metric("new", None, 4.0),
        Metric("old", 1.0, None),
        Metric("sse", 2.0, 3.0),
    ]
