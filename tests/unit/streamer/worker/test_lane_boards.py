"""What a lane writes on its board."""

import time
from datetime import date

import pytest
from structlog.testing import capture_logs

from schemas.input_events import UserErased
from schemas.outputs.headers import dead_letter
from schemas.outputs.segment_change import Cause
from schemas.times import EPOCH
from streamer.batch.read_batch import Batch, Incoming
from streamer.interfaces.lane_interfaces import OutRecord, Record
from streamer.status.worker_metrics import Metrics
from streamer.worker.lane_boards import LaneBoard


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    return clock


def waiting_since(board: LaneBoard) -> float | None:
    return board.status.waiting_since


def test_events_wait_from_when_they_are_there_until_some_are_applied(now: list[float]) -> None:
    board = LaneBoard(3, Metrics())
    board.reached({"orders": 5}, {"orders": 0})
    assert waiting_since(board) is None
    now[0] = 110.0
    board.reached({"orders": 5}, {"orders": 2, "signups": 0})
    now[0] = 120.0
    board.reached({"orders": 5}, {"orders": 4, "signups": 0})
    assert (waiting_since(board), board.status.heard) == (110.0, 120.0)
    board.batch(Batch([], [], {}), (), {})
    assert waiting_since(board) is None
    board.reached({"orders": 8}, {"orders": 1, "signups": 0})
    assert waiting_since(board) == 120.0
    now[0] = 130.0
    board.reached({"orders": 9}, {"orders": 0, "signups": 0})
    assert waiting_since(board) is None


def test_a_sweep_is_no_progress_of_events(now: list[float]) -> None:
    board = LaneBoard(3, Metrics())
    board.reached({"orders": 5}, {"orders": 2})
    now[0] = 110.0
    board.swept(7, 20, (), 30)
    assert (board.status.waiting_since, board.status.activation, board.status.sweep_left) == (100.0, 7, 30)


def test_the_day_and_who_is_still_due_are_shown() -> None:
    board = LaneBoard(3, Metrics())
    board.came_due(date(2024, 3, 1), 20, (), 30)
    assert (board.status.day, board.status.due_left) == (date(2024, 3, 1), 30)


def test_a_takeover_that_does_not_help_is_no_progress_either(now: list[float]) -> None:
    board = LaneBoard(3, Metrics())
    board.reached({"orders": 5}, {"orders": 2})
    now[0] = 110.0
    board.phase("waiting", "Redis does not answer")
    board.phase("live", None)
    assert (board.status.waiting_since, board.status.heard) == (100.0, 110.0)


def test_records_that_are_no_event_are_counted_and_logged_once_a_topic() -> None:
    metrics = Metrics()
    board = LaneBoard(3, metrics)
    with capture_logs() as logs:
        board.batch(Batch([], [], {}, passed_over={"orders": 2}), (), {})
        board.batch(Batch([], [], {}, passed_over={"orders": 1, "signups": 4}), (), {})
    assert [line["topic"] for line in logs if line["event"] == "lane.passed_over"] == ["orders", "signups"]
    assert b'segue_passed_over_total{topic="orders"} 3.0' in metrics.exposition()


def test_erasures_of_users_whom_nobody_knows_are_counted_and_the_first_is_logged() -> None:
    metrics = Metrics()
    board = LaneBoard(3, metrics)
    event = UserErased("7", EPOCH)
    told = tuple(
        Incoming(
            event,
            Cause("signup", "signups", 3, at),
            0,
            "signups",
            at,
            Record("signups", 3, at, b"7", None, 0),
        )
        for at in (11, 12)
    )
    with capture_logs() as logs:
        board.batch(Batch([], [], {}), (), {})
        board.batch(Batch([], [], {}, unknown=told), (), {})
        board.batch(Batch([], [], {}, unknown=told[:1]), (), {})
    (line,) = logs
    assert (line["event"], line["lane"], line["offset"]) == ("lane.unknown_erasure", 3, 11)
    assert b"segue_unknown_erasures_total 3.0" in metrics.exposition()


def test_a_lane_that_waits_or_stops_with_a_reason_is_a_warning() -> None:
    board = LaneBoard(3, Metrics())
    with capture_logs() as lines:
        board.phase("waiting", "Redis at r:1 does not answer")
        board.phase("live", None)
        board.phase("stopped", "topic orders does not exist")
    assert [(line["phase"], line["log_level"]) for line in lines] == [
        ("waiting", "warning"),
        ("live", "info"),
        ("stopped", "warning"),
    ]


def letter(offset: int) -> OutRecord:
    key, value, headers = dead_letter(
        key=b"Ann",
        value=b"{}",
        headers=(),
        topic="orders",
        partition=3,
        offset=offset,
        reason="age: 'Ann' is not a number",
        timestamp_ms=0,
    )
    return OutRecord("segment-dead-letters", key, value, headers)


def test_dead_letters_are_logged_once_a_minute_without_what_events_say(now: list[float]) -> None:
    board = LaneBoard(3, Metrics())
    with capture_logs() as logs:
        board.batch(Batch([], [], {}), (), {})
        for second, offset in ((0, 11), (10, 20), (59, 30), (60, 40)):
            now[0] = 100.0 + second
            board.batch(Batch([], [letter(offset), letter(offset + 1)], {}), (), {})
    assert [(line["event"], line["log_level"]) for line in logs] == [("lane.dead_letters", "warning")] * 2
    told = [(line["lane"], line["count"], line["topic"], line["partition"], line["offset"]) for line in logs]
    assert told == [(3, 2, "orders", 3, 11), (3, 6, "orders", 3, 40)]
    assert "Ann" not in repr(logs)
