from __future__ import annotations

from datetime import UTC, datetime, timedelta

from segue.console.moves.reach import Reach

BEGAN = datetime(2024, 12, 3, tzinfo=UTC)


def at(seconds: int) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def test_all_is_counted_until_the_last_look_whose_ends_the_group_has_reached() -> None:
    reach = Reach()
    reach.look(at(0), {0: 10, 1: 0}, {0: 4, 1: 0})
    assert reach.until is None
    # Offset 9 is the marker of the transaction of the record before it.
    reach.look(at(3), {0: 20, 1: 0}, {0: 9, 1: 0})
    assert reach.until == at(0)
    reach.look(at(6), {0: 20, 1: 5}, {0: 19, 1: 0})
    assert reach.until == at(3)
    reach.look(at(9), {0: 20, 1: 5}, {0: 19, 1: 4})
    assert reach.until == at(9)


def test_a_group_that_stopped_reaches_no_further() -> None:
    reach = Reach()
    reach.look(at(0), {0: 10}, {0: 9})
    for seconds in range(3, 30, 3):
        reach.look(at(seconds), {0: 10 + seconds}, {0: 9})
    assert reach.until == at(0)


def test_a_partition_without_changes_waits_for_nobody() -> None:
    reach = Reach()
    reach.look(at(0), {0: 0}, {})
    assert reach.until == at(0)
