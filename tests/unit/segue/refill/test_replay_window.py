"""What a replay is asked for, and what of a lane's log that is."""

from datetime import UTC, datetime

import pytest

from schemas.topics import Topics
from segue.cli.main import run
from segue.config.command_line import BadUsage
from segue.refill.lane_past import LaneLog
from segue.refill.replay_window import Wanted, window_of
from streamer.in_memory import MemoryKafka, MemoryLog
from streamer.interfaces.lane_interfaces import Bounds, Committed

AT = datetime(2024, 2, 1, tzinfo=UTC)
# Signups go from offset 10 to 90 and were read up to 80, orders to their end; a bootstrap's log goes on at
# 40.
LOG = LaneLog(
    2,
    MemoryLog(MemoryKafka(), 2, ()),
    {"signups": Committed(80, "s"), "orders": Committed(60, None)},
    {"signups": Bounds(10, 90, "s"), "orders": Bounds(0, 60, "o")},
)
PAST = {"signups": 40, "orders": 40}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--from", "yesterday"], "option --from is 'yesterday'"),
        (["--from", "2024-02-01", "--to", "2024-02-01"], "the window is empty"),
        (["--from", "2024-02-01", "--to-offsets", "0:1:1"], "give times (--from, --to) or places"),
        (["--from-offsets", "0:1"], "option --from-offsets is '0:1': give LANE:SIGNUPS:ORDERS"),
        (["--from-offsets", "0:1:1:1:1"], "is '0:1:1:1:1': give LANE:SIGNUPS:ORDERS"),
        (["--to-offsets", "0:1:1", "--to-offsets", "0:2:2"], "lane 0 is named twice"),
    ],
)
def test_what_cannot_be_used_is_said(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", *arguments]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wanted", "at", "begin", "end"),
    [
        (Wanted(), 0, (40, 40), (80, 60)),
        (Wanted(since=AT), 50, (50, 50), (80, 60)),
        (Wanted(since=AT), 20, (40, 40), (80, 60)),
        (Wanted(since=AT), 70, (70, 60), (80, 60)),
        (Wanted(until=AT), 50, (40, 40), (50, 50)),
        (Wanted(until=AT), 20, (40, 40), (40, 40)),
        (Wanted(until=AT), 85, (40, 40), (80, 60)),
        (Wanted(begin={2: (41, 42)}, end={2: (43, 44)}), 0, (41, 42), (43, 44)),
        (Wanted(begin={1: (41, 42)}), 0, (40, 40), (80, 60)),
    ],
)
def test_a_window_lies_between_where_the_past_begins_and_where_the_lane_has_come_to(
    wanted: Wanted, at: int, begin: tuple[int, int], end: tuple[int, int]
) -> None:
    window = window_of(Topics(), LOG, PAST, wanted, lambda topic, partition, time: at)

    assert (tuple(window.begin.values()), tuple(window.end.values())) == (begin, end)
    assert window.lane == 2


def test_places_before_a_bootstrap_or_beyond_the_lane_are_refused() -> None:
    for wanted, told in (
        (
            Wanted(begin={2: (39, 40)}),
            "lane 2 has signups from offset 40 to 80, but the offsets 39 to 80 were",
        ),
        (
            Wanted(end={2: (80, 61)}),
            "lane 2 has orders from offset 40 to 60, but the offsets 40 to 61 were",
        ),
        (
            Wanted(begin={2: (70, 40)}, end={2: (60, 60)}),
            "but the offsets 70 to 60 were given: give offsets inside",
        ),
        (
            Wanted(end={2: (80, 60, 1)}),
            "a place has 3 offsets, but the lanes read signups, orders: after the lane, give the",
        ),
    ):
        with pytest.raises(BadUsage, match=told):
            window_of(Topics(), LOG, PAST, wanted, lambda topic, partition, time: 0)
