"""Which part of each lane's log a replay takes: between two times, or between two places."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from segue.bootstrap_offsets import Asked
from segue.lane_past import LaneLog
from segue.settings import Settings
from segue.usage import BadUsage, bad_option
from streamer.replay import Window

_PLACE = re.compile(r"([0-9]+):([0-9]+):([0-9]+)(?::([0-9]+))?")
Places = Mapping[int, tuple[int, ...]]
"""By lane, the next offset of signups and of orders, and with `rekey` of what was re-keyed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for: times (of the records), or places; None and empty mean all there is."""

    since: datetime | None = None
    until: datetime | None = None
    begin: Places | None = None
    end: Places | None = None

    @property
    def lanes(self) -> frozenset[int] | None:
        """The lanes that places name; None where none is named."""
        named = {**(self.begin or {}), **(self.end or {})}
        return frozenset(named) if named else None


def places_option(name: str, texts: Sequence[str] | None) -> Places | None:
    """Read `LANE:SIGNUPS:ORDERS`, with `rekey` `LANE:SIGNUPS:ORDERS:REKEYED`, each lane once.

    >>> places_option("--from-offsets", ["2:120:40"])
    {2: (120, 40)}

    Raises:
        BadUsage: one is no such text, or a lane is named twice.
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
    """See that what was asked for is one thing.

    Raises:
        BadUsage: it is not.
    """
    if (wanted.since or wanted.until) and (wanted.begin or wanted.end):
        raise BadUsage("give times (--from, --to) or places (--from-offsets, --to-offsets), and not both")
    if wanted.since and wanted.until and wanted.since >= wanted.until:
        raise BadUsage("--from is not before --to: the window is empty")


def window_of(settings: Settings, log: LaneLog, wanted: Wanted) -> Window:
    """A lane's window. What the lane has not come to yet is not in it.

    Raises:
        BadUsage: a place lies outside the log.
        Unreachable: Kafka does not answer.
    """
    lane = log.lane
    inputs = {topic: log.bounds[topic] for topic in settings.topics.inputs}
    begin = {topic: bounds.begin for topic, bounds in inputs.items()}
    end = {topic: _decided_until(log, topic) for topic in inputs}
    ask = Asked(settings)
    if wanted.since is not None:
        begin = {topic: min(ask.offset_at(topic, lane, wanted.since), end[topic]) for topic in inputs}
    if wanted.until is not None:
        end = {topic: min(ask.offset_at(topic, lane, wanted.until), end[topic]) for topic in inputs}
    reached = end
    if wanted.begin and lane in wanted.begin:
        begin = _by_input(settings, wanted.begin[lane])
    if wanted.end and lane in wanted.end:
        end = _by_input(settings, wanted.end[lane])
    for topic, bounds in inputs.items():
        if not bounds.begin <= begin[topic] <= end[topic] <= reached[topic]:
            raise BadUsage(
                f"lane {lane} has {topic} from offset {bounds.begin} on and has come to {reached[topic]}, and"
                f" {begin[topic]} to {end[topic]} was asked for: give offsets within"
            )
    return Window(begin, end, lane, settings.topics.rekeyed)


def _by_input(settings: Settings, offsets: Sequence[int]) -> dict[str, int]:
    inputs = settings.topics.inputs
    if len(offsets) != len(inputs):
        raise BadUsage(
            f"a place has {len(offsets)} offsets, and the lanes read {', '.join(inputs)}: give the next offset in"
            " each, after the lane"
        )
    return dict(zip(inputs, offsets, strict=True))


def _decided_until(log: LaneLog, topic: str) -> int:
    """Up to where the workers have decided; a log that no worker has read is taken whole."""
    bounds, committed = log.bounds[topic], log.committed.get(topic)
    if committed is None or committed.topic_id not in (None, bounds.topic_id):
        return bounds.end
    return max(bounds.begin, min(bounds.end, committed.offset))
