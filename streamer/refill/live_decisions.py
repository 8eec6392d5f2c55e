"""What was decided live, around a window of a lane's log. Pure."""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from schemas.outputs.segment_change import Cause, Change, SegmentChange
from streamer.batch.decided_records import Decision
from streamer.user.user_state import Decided, decided_by

Offsets = Mapping[str, int]
When = Literal["before", "within", "after"]


class Window(Struct, frozen=True):
    """What is replayed of a lane: by input the first offset, and the offset after the last.

    ``rekeyed`` is the topic by which the lane is handed events that came on another partition.
    """

    begin: Offsets
    end: Offsets
    lane: int
    rekeyed: str

    def when(self, cause: Cause) -> When:
        """Whether a change was caused before the window, in it, or after.

        A change that no input caused stands where the lane stood.
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
    """What was decided live of each user, up to the window's end.

    ``before`` holds the decision before the window, ``within`` the changes in it, and ``last`` the newest decision of
    both: a window may begin where the lane never stood, so that some change in it came before one of before it.
    ``marks`` are the causes of the changes in the window, in the order in which they were decided.

    Args:
        decisions: what ``user-segments`` says, by offset. It alone tells what a bootstrap decided. What stands before a
            bootstrap's records there was decided before the log goes on, wherever its cause lies: another group may
            have read further.
    """

    def __init__(self, window: Window, decisions: Iterable[Decision]) -> None:
        self._window = window
        self.before: dict[str, Decided | None] = {}
        self.within: dict[str, list[Change]] = {}
        self.last: dict[str, Decided | None] = {}
        self.marks: list[Cause] = []
        told = list(decisions)
        past = max((n for n, one in enumerate(told, 1) if one.cause.type == "bootstrap"), default=0)
        self._event_ids = {one.event_id for one in told}
        self._past_event_ids = {one.event_id for one in told[:past]}
        self._past_users = {one.user_id for one in told[:past]}
        for number, one in enumerate(told):
            if number < past or window.when(one.cause) == "before":
                self.before[one.user_id] = self.last[one.user_id] = one.decided
        self._recorded = frozenset(self.before)

    def add(self, change: Change) -> None:
        """Take a change of ``segment-changes``, in the order of offsets."""
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
            # Of a user's records compaction leaves the newest: a change that has none is older than those left.
            return
        else:
            self.before[user_id] = decided
        self.last[user_id] = decided

    def _is_past(self, change: Change) -> bool:
        """Whether it was decided before the bootstrap that the log continues, whose records tell enough."""
        if change.event_id in self._event_ids:
            return change.event_id in self._past_event_ids
        return change.user_id in self._past_users

    def _infer_before(self, first: Change) -> None:
        """A user's first change in the window tells the segment before it, where nothing else is left that does."""
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
