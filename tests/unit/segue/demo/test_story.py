"""The shop of the demo until yesterday: whole days are added to every time, and nothing else changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from segue.demo.story import AS_OF, WAREHOUSE, story_until


def test_the_shop_ends_yesterday_and_the_days_between_two_facts_stay(tmp_path: Path) -> None:
    story = story_until(date(2026, 3, 1), tmp_path / "shop")

    # From 30 December 2024, the day of the last order, to 28 February 2026.
    assert (story.moved_days, story.as_of) == (425, datetime(2026, 1, 30, tzinfo=UTC))
    assert story.as_of - AS_OF == timedelta(days=425)
    for name in ("orders", "users"):
        before, after = (pq.read_table(folder / f"{name}.parquet") for folder in (WAREHOUSE, story.warehouse))
        assert after.drop(["created_at"]) == before.drop(["created_at"])
        moved = [
            new - old
            for old, new in zip(*(t["created_at"].to_pylist() for t in (before, after)), strict=True)
        ]
        assert set(moved) == {timedelta(days=425)}
    assert max(pq.read_table(story.warehouse / "orders.parquet")["created_at"].to_pylist()).date() == date(
        2026, 2, 28
    )
