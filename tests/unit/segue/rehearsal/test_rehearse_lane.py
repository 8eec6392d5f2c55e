"""What triggers know of the users before a rehearsed window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from schemas.outputs.segment_change import Cause, Change, SegmentChange, UserErasedChange
from segue.rehearsal.count_webhooks import known_by
from segue.rehearsal.rehearse_lane import known_before
from segue.triggers.firm_segment import Segment
from streamer.batch.decided_records import Decision
from streamer.refill.live_decisions import Live, Window
from streamer.user.user_state import Facts, UserState, decided_by
from tests.support.inputs.made_change import AT, a_change

WINDOW = Window(begin={"orders": 100}, end={"orders": 200}, lane=2, rekeyed="rekeyed")


class LaneWindow:
    """A lane's window over these records of ``user-segments`` and ``segment-changes``."""

    def __init__(self, users: list[Change], changes: list[Change]) -> None:
        self._changes = changes
        self.live = Live(WINDOW, map(recorded, users))
        for change in changes:
            self.live.add(change)
        self.states = {
            user_id: UserState(user_id, Facts(), decided=decided and replace(decided, models_topic=""))
            for user_id, decided in self.live.before.items()
        }

    def changes_before(self) -> Iterator[Change]:
        return (change for change in self._changes if WINDOW.when(change.cause) == "before")


def an_erasure(number: int) -> UserErasedChange:
    cause = Cause(type="signup", topic="orders", partition=2, offset=10 * number)
    return UserErasedChange(
        event_id="e", user_id="7", sequence=number, occurred_at=AT, emitted_at=AT, cause=cause
    )


def recorded(change: Change) -> Decision:
    decided = decided_by(change, "models") if isinstance(change, SegmentChange) else None
    return Decision(change.user_id, change.event_id, decided, change.cause, None)


def a_move(number: int, segment: int, cause: Cause | None = None, **fields: Any) -> SegmentChange:
    """The user's change of this number, by the order at 10 times this offset."""
    cause = cause or Cause(type="order", topic="orders", partition=2, offset=10 * number)
    fields = {"previous_segment": None, "event_id": f"{segment}{number}", **fields}
    name = f"segment {segment}"
    return a_change(sequence=number, segment=segment, segment_name=name, cause=cause, **fields)


def test_the_states_of_a_bootstrap_win_over_the_changes_before_it() -> None:
    """The log may still have the changes of a time that the bootstrap replaced."""
    old, new = a_move(5, 1), a_move(1, 3, Cause(type="bootstrap"))
    known = known_before(LaneWindow([old, new], [old]))  # type: ignore[arg-type]
    assert known == {"7": known_by(new)}


def test_an_erasure_before_a_bootstrap_does_not_erase_its_user() -> None:
    new = a_move(1, 3, Cause(type="bootstrap"))
    known = known_before(LaneWindow([new], [a_move(1, 1), an_erasure(2)]))  # type: ignore[arg-type]
    assert known == {"7": known_by(new)}


def test_the_newest_change_says_where_a_provisional_user_was_before() -> None:
    first, second = a_move(1, 1), a_move(2, 2, previous_segment=1, provisional=True)
    known = known_before(LaneWindow([second], [first, second, a_move(11, 3)]))  # type: ignore[arg-type]
    assert known == {"7": known_by(second)}
    user = known["7"]
    assert user is not None
    assert user.where.firm == Segment(1, "")


def test_an_erased_user_is_unknown() -> None:
    window = LaneWindow([an_erasure(2)], [a_move(1, 1), an_erasure(2)])
    assert known_before(window) == {"7": None}  # type: ignore[arg-type]
