from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from aiokafka.structs import ConsumerRecord
from faust.types import TP

from segue.config.settings import Settings
from segue.flow.chained_consumer import BEFORE_SEEK, FROM, ChainedThread
from segue.flow.counting import Skipped
from segue.flow.flow_app import FlowApp, flow_app
from segue.flow.flow_topics import HOUR_S
from segue.flow.moved_row import Row, Way
from segue.flow.moves_table import MovesTable

WEEK_S = 7 * 24 * HOUR_S
NOW_S = 1_000_000 * HOUR_S + 60.0
# Faust's windows end a tenth of a second before the next one.
HOUR = (1_000_000 * HOUR_S * 1.0, 1_000_001 * HOUR_S - 0.1)
KEY = (("id", 3, None, 1), HOUR)


class Clock:
    now_s = NOW_S


@pytest.fixture
def app() -> FlowApp:
    async def made() -> FlowApp:
        return flow_app(Settings(), "id")

    return asyncio.run(made())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def table(app: FlowApp, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> MovesTable:
    """A table whose records go to its list ``sent``, as an agent would write them on partition 3."""
    table = MovesTable(app, "hours", HOUR_S, WEEK_S, lambda: clock.now_s)
    monkeypatch.setattr(table, "partition_for_key", lambda _key: 3)
    sent: list[Any] = []

    def send_changelog(partition: int, key: Any, value: Any) -> Any:
        sent.append((key, value))
        return SimpleNamespace(message=SimpleNamespace(partition=partition))

    monkeypatch.setattr(table, "send_changelog", send_changelog)
    monkeypatch.setattr(table, "sent", sent, raising=False)
    return table


def event(row: Row | None, key: Any = KEY) -> Any:
    """A record of the changelog, as Faust decodes it."""
    value = None if row is None else msgspec.to_builtins(row)
    decoded = msgspec.json.decode(msgspec.json.encode(key))
    return SimpleNamespace(key=decoded, value=value, message=SimpleNamespace(partition=3))


def test_a_change_is_one_record_of_its_row(table: MovesTable) -> None:
    for offset, event_id in ((5, "a"), (9, "b"), (9, "b")):
        table.count(Way("id", 3, None, 1), NOW_S, offset, event_id)
    first, second = ({"moves": 1, "next": 6, "ids": ("a",)}, {"moves": 2, "next": 10, "ids": ("a", "b")})
    assert table.sent == [(KEY, first), (KEY, second)]  # type: ignore[attr-defined]


def test_a_change_of_a_window_that_is_over_does_not_count(table: MovesTable) -> None:
    table.count(Way("id", 3, None, 1), NOW_S - WEEK_S - HOUR_S, 5, "a")
    assert table.sent == []  # type: ignore[attr-defined]


def test_a_recovered_row_is_counted_on(table: MovesTable) -> None:
    table.apply_changelog_batch([event(Row(7, 12, ("x",))), event(Row(6, 11, ()))])
    table.count(Way("id", 3, None, 1), NOW_S, 11, "y")  # counted before
    table.count(Way("id", 3, None, 1), NOW_S, 12, "y")
    assert table.sent == [(KEY, {"moves": 8, "next": 13, "ids": ("x", "y")})]  # type: ignore[attr-defined]


def test_windows_end_also_those_that_were_recovered(
    table: MovesTable, clock: Clock, monkeypatch: Any
) -> None:
    """Faust itself keeps a recovered row for ever, and a note for each change."""
    monkeypatch.setattr("faust.tables.base.time.time", lambda: clock.now_s)
    table.apply_changelog_batch([event(Row(7, 12, ())), event(None)])
    for offset in range(20, 40):
        table.count(Way("id", 3, 1, 0), NOW_S, offset, str(offset))
    assert (len(table.data), len(table._partition_timestamps[3])) == (2, 1)
    clock.now_s += WEEK_S
    asyncio.run(table._del_old_keys())
    assert len(table.data) == 2, "the window of just seven days ago is kept"
    clock.now_s += 2 * HOUR_S
    asyncio.run(table._del_old_keys())
    assert (len(table.data), len(table._partition_timestamps[3])) == (0, 0)
    table.apply_changelog_batch([event(Row(7, 12, ()))])
    assert len(table.data) == 0


def test_a_hole_in_the_changelog_ends_the_app(app: FlowApp) -> None:
    tp = TP("hours", 3)
    app.recovered = {tp: 10}
    app.recover(tp, 10, 12)
    app.recover(tp, 13, 13)
    assert not app.ended.is_set()
    app.recover(tp, 15, 15)
    assert app.ended.is_set()
    assert isinstance(app.failure, Skipped)


def test_a_fetched_record_says_from_where_on_nothing_was_skipped() -> None:
    tp = TP("changes", 3)
    thread = ChainedThread.__new__(ChainedThread)
    thread._from = {}

    def notes(*offsets: int) -> list[int]:
        records = [ConsumerRecord("", 3, at, 0, 0, b"", b"", None, 0, 0, (("a", b"1"),)) for at in offsets]
        found = thread._chained(tp, records)
        assert all(each.headers[0] == ("a", b"1") for each in found)
        return [int(dict(each.headers)[FROM]) for each in found]

    assert notes(7, 8) == [BEFORE_SEEK, BEFORE_SEEK]
    thread._from[tp] = 5  # a seek
    # The offsets between are aborted records and markers.
    assert notes(7, 8, 12) == [5, 8, 9]
    assert notes(14) == [13]


def test_all_who_wait_for_the_rows_wait_for_the_same_rows(app: FlowApp) -> None:
    """Else an offset could be committed before a row that another waits for is written."""

    async def wait() -> None:
        row: Any = asyncio.get_running_loop().create_future()
        app.sent(row)
        waiting = [asyncio.create_task(app.rows_are_written()) for _ in range(2)]
        done, _ = await asyncio.wait(waiting, timeout=0.05)
        assert not done
        row.set_result(None)
        assert await asyncio.gather(*waiting) == [True, True]

    asyncio.run(wait())


def test_a_row_that_kafka_refuses_ends_the_app(app: FlowApp) -> None:
    async def wait() -> bool:
        row: Any = asyncio.get_running_loop().create_future()
        app.sent(row)
        row.set_exception(OSError("away"))
        return await app.rows_are_written()

    assert asyncio.run(wait()) is False
    assert str(app.failure) == "Kafka did not take a row of the tables: OSError('away')"
