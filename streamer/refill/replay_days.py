"""The days of a replay: on which day each event is decided, and when those who are due are. Pure.

Each live change names the lane's day. So an event that led to a change is decided on the day of that change.
Any other event is decided on the date of its record, but not before an earlier change's day or after a later
one's. Those who are due are decided where a live change by time stands, and at the end.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from schemas import times
from schemas.outputs.segment_change import Cause
from streamer.batch.read_batch import Incoming
from streamer.refill.live_order import is_below, is_of
from streamer.segment.lane_day import date_of, latest
from streamer.user.order_rules import Rules

Step = tuple[date | None, Incoming | None]
"""A day, and an event to decide on it; without an event, all users who are due on this day."""


def by_day(
    events: Iterable[Incoming],
    marks: Sequence[Cause],
    rules: Rules,
    first: date | None,
    present: date | None,
    *,
    to_present: bool,
) -> Iterator[Step]:
    """Each event with its day, and between them the days on which those who are due are decided.

    Args:
        events: the events, in the live order.
        marks: the causes of the live changes, in the order of the decisions.
        rules: the settings of the features; they say whether a feature reads the day.
        first: the lane's day before the first event.
        present: the lane's present day; None if it is not known. No event was decided later.
        to_present: the events go on to where the lane is.
    """
    if not rules.of_time:
        yield from ((None, event) for event in events)
        return
    day, ahead = first, deque(marks)
    for event in events:
        while ahead and not is_below(event, ahead[0]):
            mark = ahead.popleft()
            day = latest([day, mark.decided_on])
            if mark.type == "time":
                yield day, None
        day = latest([day, _day_of(event, ahead[0] if ahead else None, rules, present)])
        yield day, event
    for mark in ahead:
        day = latest([day, mark.decided_on])
        if mark.type == "time":
            yield day, None
    yield latest([day, present if to_present else None]), None


def _day_of(event: Incoming, mark: Cause | None, rules: Rules, present: date | None) -> date | None:
    """The day of an event before this mark, or of the event that is the mark itself."""
    if mark is not None and is_of(event, mark):
        return mark.decided_on
    ends = [present, None if mark is None else mark.decided_on]
    recorded = date_of(rules, times.from_millis(event.written_ms))
    return min(day for day in (recorded, *ends) if day is not None)
