"""Days of a part of thelook in memory: every user is right on every day, and a late due day is found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from importlib.resources import files
from typing import Any
from unittest.mock import patch

import duckdb
import pytest

from streamer.segment import lane_day
from streamer.segment.due_day import due_day
from tests.campaigns.days.shop_days import FEATURE_SETS, ShopDays
from tests.campaigns.days.walk import WrongDay, walk
from trainer.warehouse import Warehouse, open_warehouse

pytestmark = [pytest.mark.unit, pytest.mark.long]

FIRST, DAYS = date(2024, 10, 1), 10
_THELOOK = files("segue") / "data" / "thelook"
# One user in 40, with all that belongs to it.
_PARTS = {
    "users": "id % 40 = 0",
    "orders": "user_id % 40 = 0",
    "order_items": "user_id % 40 = 0",
    "inventory_items": "true",
}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    folder = tmp_path_factory.mktemp("part")
    with duckdb.connect() as connection:
        for table, part in _PARTS.items():
            query = f"select * from '{_THELOOK / table}.parquet' where {part}"
            connection.execute(f"copy ({query}) to '{folder / table}.parquet' (format parquet)")
    with open_warehouse(folder) as opened:
        yield opened


@pytest.fixture(scope="module", params=["windows", pytest.param("rfm", marks=pytest.mark.wide)])
def shop(request: pytest.FixtureRequest, warehouse: Warehouse) -> ShopDays:
    return ShopDays(warehouse, FEATURE_SETS[request.param], FIRST)


def test_every_user_is_right_on_every_day_and_few_are_decided_in_vain(shop: ShopDays) -> None:
    days = list(walk(shop, DAYS))
    changed = sum(day.changed for day in days)
    assert len(days) == DAYS
    assert 0 < changed <= sum(day.decided for day in days) <= 2 * changed


def test_a_due_day_that_is_late_is_found(shop: ShopDays) -> None:
    def late(*args: Any) -> date | None:
        due = due_day(*args)
        return None if due is None else due + timedelta(days=1)

    with patch.object(lane_day, "due_day", late), pytest.raises(WrongDay, match="differ"):
        list(walk(shop, DAYS))
