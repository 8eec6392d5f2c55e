"""The part of each lane's log that a replay decides: between two times, or between two places."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.topics import Topics
from segue.config.command_line import BadUsage, bad_option
from segue.refill.lane_past import LaneLog
from streamer.refill.live_decisions import Offsets, Window

_PLACE = re.compile(r"([0-9]+):([0-9]+):([0-9]+)(?::([0-9]+))?")
Places = Mapping[int, tuple[int, ...]]
"""By lane, the next offset of each input: signups, orders, and with `rekey` the re-keyed events."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The window that the user asks for, by times or by places; None or an empty mapping sets no limit.

    Attributes:
        since: the window begins at the first record that is not older.
        until: the window ends before the first record that is not older.
        begin: the first offsets, by lane.
        end: the offsets after the last event, by lane.
    """

    since: datetime | None = None
    until: datetime | None = None
    begin: Places | None = None
    end: Places | None = None

    @property
    def lanes(self) -> frozenset[int] | None:
        """Return the lanes that the places name; None if there are no places."""
        named = {**(self.begin or {}), **(self.end or {})}
        return frozenset(named) if named else None


def places_option(name: str, texts: Sequence[str] | None) -> Places | None:
    """Parse places: `LANE:SIGNUPS:ORDERS`, or with `rekey` `LANE:SIGNUPS:ORDERS:REKEYED`; each lane once.

    >>> places_option("--from-offsets", ["2:120:40"])
    {2: (120, 40)}

    Raises:
        BadUsage: a text does not have this form, or a lane is named twice.
    """
    found: dict[int, tuple[int, ...]] = {}
    for text in texts or ():
        match = _PLACE.fullmatch(text)
        if match is None:
            raise bad_option(
                name,
                text,
                "give LANE:SIGNUPS:ORDERS, the lane and the next offset in each, such as 2:120:40; with"
                " rekey a fourth, LANE:SIGNUPS:ORDERS:REKEYED",
            )
        lane, *offsets = (int(number) for number in match.groups() if number is not None)
        if lane in found:
            raise bad_option(name, text, f"lane {lane} is named twice")
        found[lane] = tuple(offsets)
    return found or None


def check_wanted(wanted: Wanted) -> None:
    """Check that the window is not empty, and that it is given by times or by places, not by both.

    Raises:
        BadUsage: the window is empty, or times and places are mixed.
    """
    if (wanted.since or wanted.until) and (wanted.begin or wanted.end):
        raise BadUsage("give times (--from, --to) or places (--from-offsets, --to-offsets), not both")
    if wanted.since and wanted.until and wanted.since >= wanted.until:
        raise BadUsage("--from is not before --to: the window is empty")


def window_of(
    topics: Topics,
    log: LaneLog,
    past: Offsets,
    wanted: Wanted,
    offset_at: Callable[[str, int, datetime], int],
) -> Window:
    """Return a lane's window, within the lane's past and the committed offsets.

    Args:
        topics: the names of the topics.
        log: the lane's log.
        past: by input, the offset at which the lane's past begins.
        wanted: the window that the user asks for.
        offset_at: returns the first offset in a topic's partition that is not older than a time.

    Raises:
        BadUsage: a place lies outside the log.
    """
    lane, inputs = log.lane, topics.inputs
    first = {topic: max(log.bounds[topic].begin, past[topic]) for topic in inputs}
    reached = {topic: max(first[topic], _decided_until(log, topic)) for topic in inputs}

    def at(time: datetime, end: Offsets) -> dict[str, int]:
        return {t: min(max(first[t], offset_at(t, lane, time)), end[t]) for t in inputs}

    reached = reached if wanted.until is None else at(wanted.until, reached)
    begin = first if wanted.since is None else at(wanted.since, reached)
    end = reached
    if wanted.begin and lane in wanted.begin:
        begin = _by_input(inputs, wanted.begin[lane])
    if wanted.end and lane in wanted.end:
        end = _by_input(inputs, wanted.end[lane])
    for topic in inputs:
        if not first[topic] <= begin[topic] <= end[topic] <= reached[topic]:
            raise BadUsage(
                f"lane {lane} has {topic} from offset {first[topic]} to {reached[topic]}, but the offsets"
                f" {begin[topic]} to {end[topic]} were given: give offsets inside"
            )
    return Window(begin, end, lane, topics.rekeyed)


def _by_input(inputs: Sequence[str], offsets: Sequence[int]) -> dict[str, int]:
    if len(offsets) != len(inputs):
        raise BadUsage(
            f"a place has {len(offsets)} offsets, but the lanes read {', '.join(inputs)}: after the lane,"
            " give the next offset in each of these topics"
        )
    return dict(zip(inputs, offsets, strict=True))


def _decided_until(log: LaneLog, topic: str) -> int:
    """Return the offset before which the workers have decided; the log's end if no worker has read it."""
    bounds, committed = log.bounds[topic], log.committed.get(topic)
    if committed is None or committed.topic_id not in (None, bounds.topic_id):
        return bounds.end
    return max(bounds.begin, min(bounds.end, committed.offset))
