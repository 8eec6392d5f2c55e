"""The live decisions around a window of a lane's log. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from schemas.outputs.segment_change import Cause, Change, SegmentChange
from streamer.batch.decided_records import Decision
from streamer.segment.lane_day import latest
from streamer.user.user_state import Decided, decided_by

Offsets = Mapping[str, int]
When = Literal["before", "within", "after"]


class Window(Struct, frozen=True):
    """The part of a lane's log to replay.

    Attributes:
        begin: by input, the first offset.
        end: by input, the offset after the last.
        lane: the lane's partition number.
        rekeyed: the topic of re-keyed events, which other lanes forward to this lane.
    """

    begin: Offsets
    end: Offsets
    lane: int
    rekeyed: str

    def when(self, cause: Cause) -> When:
        """Whether a change was caused before the window, within it, or after it.

        For a change without an input record as its cause, the lane's positions decide.
        """
        if cause.type == "bootstrap":
            return "before"
        if cause.topic is not None and cause.topic in self.begin and cause.offset is not None:
            topic, offset = cause.topic, cause.offset
            if cause.partition != self.lane:
                topic, offset = self.rekeyed, cause.positions.get(self.rekeyed, 0) - 1
            if offset < self.begin.get(topic, 0):
                return "before"
            return "within" if offset < self.end.get(topic, 0) else "after"
        if _up_to(cause.positions, self.begin):
            return "before"
        return "within" if _up_to(cause.positions, self.end) else "after"


def _up_to(positions: Offsets, ends: Offsets) -> bool:
    return all(positions.get(topic, 0) <= end for topic, end in ends.items())


class Live:
    """The live decisions of each user, up to the window's end.

    A window may begin at offsets that the lane never had together. Then a change within the window may have
    come before a change from before the window, so ``last`` is kept apart.

    Args:
        window: the window.
        decisions: the decisions in ``user-segments``, by offset. Only they show what a bootstrap decided. A
            record before a bootstrap's records was decided before the log continues, wherever its cause lies:
            another group may have read further.

    Attributes:
        before: by user, the decision before the window.
        within: by user, the changes within the window.
        last: by user, the newest decision of both.
        marks: the causes of the changes within the window, in the order of the decisions.
        day: the latest day of a decision before the window; None if none names a day.
    """

    def __init__(self, window: Window, decisions: Iterable[Decision]) -> None:
        self._window = window
        self.before: dict[str, Decided | None] = {}
        self.within: dict[str, list[Change]] = {}
        self.last: dict[str, Decided | None] = {}
        self.marks: list[Cause] = []
        self.day: date | None = None
        recorded = list(decisions)
        past = max((n for n, one in enumerate(recorded, 1) if one.cause.type == "bootstrap"), default=0)
        self._event_ids = {one.event_id for one in recorded}
        self._past_event_ids = {one.event_id for one in recorded[:past]}
        self._past_users = {one.user_id for one in recorded[:past]}
        for number, one in enumerate(recorded):
            if number < past or window.when(one.cause) == "before":
                self.before[one.user_id] = self.last[one.user_id] = one.decided
                self.day = latest([self.day, one.cause.decided_on])
        self._recorded = frozenset(self.before)

    def add(self, change: Change) -> None:
        """Add a change of ``segment-changes``; call it in the order of the offsets."""
        if self._is_past(change):
            return
        user_id, decided = change.user_id, _decided(change)
        when = self._window.when(change.cause)
        if when == "within":
            if user_id not in self.within:
                self._infer_before(change)
            self.within.setdefault(user_id, []).append(change)
            self.marks.append(change.cause)
        elif when == "after" or (user_id in self._recorded and change.event_id not in self._event_ids):
            # Compaction leaves a user's newest record, so a change without a record is older than it.
            return
        else:
            self.before[user_id] = decided
            self.day = latest([self.day, change.cause.decided_on])
        self.last[user_id] = decided

    @property
    def moved_by_time(self) -> frozenset[str]:
        """The users with a change within the window that a new day caused."""
        return frozenset(
            user_id
            for user_id, changes in self.within.items()
            if any(change.cause.type == "time" for change in changes)
        )

    def _is_past(self, change: Change) -> bool:
        """Whether it was decided before the bootstrap that the log continues; its records are enough then."""
        if change.event_id in self._event_ids:
            return change.event_id in self._past_event_ids
        return change.user_id in self._past_users

    def _infer_before(self, first: Change) -> None:
        """Take the segment before the window from the user's first change within it, if it is unknown."""
        known = self.before.get(first.user_id)
        if not isinstance(first, SegmentChange) or first.previous_segment is None:
            return
        if known is None or known.sequence != first.sequence - 1:
            provisional = first.provisional if first.kind == "moved" else not first.provisional
            self.before[first.user_id] = replace(
                decided_by(first, ""),
                segment=first.previous_segment,
                segment_name="",
                provisional=provisional,
                sequence=first.sequence - 1,
            )


def _decided(change: Change) -> Decided | None:
    return decided_by(change, "") if isinstance(change, SegmentChange) else None
