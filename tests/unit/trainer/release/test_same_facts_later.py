"""Time told apart where a window is among the features: a window loses orders, and nothing happened."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from msgspec import UNSET
from msgspec.structs import replace

from schemas.features import COUNTED, Feature
from schemas.release.model_release import EncodedFeature, ModelRelease, Segment, Training
from tests.support.inputs.shops import Shop, write_csv
from trainer.release.current_release import Current
from trainer.release.impact import Impact, Moves, Pair, impact_of
from trainer.release.same_facts_later import SameFacts, on_day, same_facts
from trainer.steps.fit_settings import FitSettings
from trainer.warehouse import open_warehouse

FIRST, LATER = date(2024, 3, 1), date(2024, 3, 8)
RECENT = Feature("recent", "count", COUNTED, window=30)
SETTINGS = FitSettings(exclude_statuses=("Returned",))
FEW, MANY = 0, 1


def a_release(as_of: str | None = "2024-03-01T00:00:00Z") -> ModelRelease:
    """Segment FEW up to two orders in 30 days, segment MANY from three on."""
    return ModelRelease(
        version="now",
        space="",
        features=(EncodedFeature("recent", "number"),),
        mean=(0.0,),
        scale=(1.0,),
        projection_mean=(0.0,),
        projection=((1.0,),),
        segments=(Segment(FEW, "few", (1.0,), 1), Segment(MANY, "many", (3.0,), 1)),
        next_segment=2,
        training=Training(as_of, 5, 5, "0" * 64, day=FIRST),
        exclude_statuses=("Returned",),
        time_zone="UTC",
        declared=(RECENT,),
    )


# By hand: on 1 March the window begins on 1 February (2024 has a 29 February), on 8 March on 8 February.
ORDERS = {
    "ann": ("02-03", "02-04", "02-20"),  # 3, then 1
    "bob": ("02-03", "02-04", "02-20", "03-03", "03-04"),  # 3, then 1; two orders make it 3
    "cy": ("02-20", "02-21", "02-22"),  # 3, then 3
    "dee": ("02-10", "03-02", "03-03"),  # 1, then 1; two orders make it 3
    "eve": ("02-03", "02-20"),  # 2, then 1; at the training, a third order counted
}
TRAINED = pa.table(
    {"user_id": list(ORDERS), "recent": [3, 3, 3, 1, 3], "segment": [MANY, MANY, MANY, FEW, MANY]}
)
TODAY = pa.table({"user_id": list(ORDERS), "recent": [1, 3, 3, 3, 1]})
TODAYS_SEGMENTS = np.array([FEW, MANY, MANY, MANY, FEW])


def facts(tmp_path: Path, release: ModelRelease, settings: FitSettings = SETTINGS) -> SameFacts | None:
    shop = Shop()
    for user, days in ORDERS.items():
        shop.user(user)
        for day in days:
            shop.order(f"{user} {day}", user, created_at=f"2024-{day} 12:00:00")
    shop.order("returned since", "eve", created_at="2024-02-21 12:00:00", status="Returned")
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        return same_facts(warehouse, release, settings, LATER)


def impact(release: ModelRelease, found: SameFacts | None) -> Impact:
    current = Current(release, 2, TRAINED)
    return impact_of(current, release, TODAY, TODAYS_SEGMENTS, TODAYS_SEGMENTS, LATER, found)


@pytest.mark.parametrize("as_of", ["2024-03-01T00:00:00Z", None])
def test_who_leaves_a_window_is_moved_by_time_and_who_orders_by_behaviour(
    tmp_path: Path, as_of: str | None
) -> None:
    release = a_release(as_of)
    found = impact(release, facts(tmp_path, release))
    # Ann and Bob lose two orders. Eve's past was changed by the return, so her way counts as behaviour.
    assert found.by_time == Moves(5, (Pair(MANY, FEW, 2),))
    assert found.by_behaviour == Moves(5, (Pair(FEW, MANY, 2), Pair(MANY, FEW, 1)))


def test_an_empty_window_counts_as_missing_as_for_a_worker(tmp_path: Path) -> None:
    found = facts(tmp_path, a_release())
    assert found is not None
    gone = SameFacts(found.then, found.later.filter(pa.array([user != "cy" for user in ORDERS])))
    later = on_day(a_release(), TRAINED, LATER, gone)
    assert later is not None
    assert later["recent"].to_pylist() == [1, 1, None, 1, 3]


def test_time_is_unknown_where_other_orders_or_days_count(tmp_path: Path) -> None:
    release = a_release()
    assert facts(tmp_path / "a", release, FitSettings()) is None
    assert facts(tmp_path / "b", replace(release, time_zone="Europe/Berlin")) is None
    assert facts(tmp_path / "c", replace(release, training=replace(release.training, day=UNSET))) is None
    assert impact(release, None).by_time is None
    # Nothing was told apart, so behaviour has all moves.
    assert impact(release, None).by_behaviour == Moves(5, (Pair(MANY, FEW, 2), Pair(FEW, MANY, 1)))


def test_a_report_that_tells_time_apart_is_preferred(tmp_path: Path) -> None:
    release = a_release()
    unknown, known = impact(release, None), impact(release, facts(tmp_path, release))
    assert unknown.with_time_of(known) == known
    assert known.with_time_of(unknown) == known
