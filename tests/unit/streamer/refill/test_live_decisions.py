"""Live decisions around a window: each case is a user's records and changes after compaction."""

from typing import Any

from schemas.outputs.segment_change import Cause, Change, UserErasedChange
from streamer.batch.decided_records import Decision
from streamer.refill.live_decisions import Live, Window
from streamer.user.user_state import Decided, decided_by
from tests.support.inputs.made_change import AT, a_change

WINDOW = Window({"signups": 10, "orders": 10}, {"signups": 20, "orders": 20}, 0, "segue-rekeyed")


def by(offset: int, topic: str = "signups") -> Cause:
    """A change's cause; the lane's other input stood at 15."""
    positions = {"signups": 15, "orders": 15, topic: offset + 1}
    return Cause("signup", topic, 0, offset, positions=positions)


def change(segment: int, cause: Cause, sequence: int, previous: int | None = None, **fields: Any) -> Change:
    event_id = f"{sequence}"
    return a_change(
        segment=segment,
        cause=cause,
        sequence=sequence,
        previous_segment=previous,
        event_id=event_id,
        **fields,
    )


def erased(cause: Cause, sequence: int) -> UserErasedChange:
    return UserErasedChange(
        event_id=f"{sequence}", user_id="7", sequence=sequence, occurred_at=AT, emitted_at=AT, cause=cause
    )


def recorded(told: Change) -> Decision:
    """The change's record on `user-segments`."""
    if isinstance(told, UserErasedChange):
        return Decision("7", told.event_id, None, Cause("signup", positions=told.cause.positions), AT)
    return Decision("7", told.event_id, decided_by(told, ""), told.cause, None)


def live(records: list[Change], changes: list[Change]) -> Live:
    found = Live(WINDOW, map(recorded, records))
    for one in changes:
        found.add(one)
    return found


def segment(decided: Decided | None) -> int | None:
    return None if decided is None else decided.segment


BOOTSTRAP = Cause("bootstrap", positions={"signups": 12, "orders": 12})


def test_before_within_and_after() -> None:
    told = [change(1, by(9), 1), change(2, by(10), 2, 1), change(3, by(19), 3, 2), change(4, by(20), 4, 3)]

    found = live(told[-1:], told)

    assert (segment(found.before["7"]), segment(found.last["7"])) == (1, 3)
    assert found.within == {"7": told[1:3]}
    assert found.marks == [by(10), by(19)]


def test_what_a_bootstrap_decided_is_before_wherever_the_log_goes_on() -> None:
    bootstrapped, then = change(1, BOOTSTRAP, 1), change(2, by(10), 2, 1)

    found = live([bootstrapped, then], [then])

    assert (segment(found.before["7"]), segment(found.last["7"])) == (1, 2)


def test_what_another_group_decided_before_a_bootstrap_is_not_in_the_window() -> None:
    former, bootstrapped, later = change(1, by(15), 1), change(2, BOOTSTRAP, 2, 1), change(3, by(11), 3, 2)
    for records in ([former, bootstrapped, later], [bootstrapped, later], [bootstrapped]):
        changes = [former, later] if later in records else [former]
        found = live(records, changes)

        assert segment(found.before["7"]) == 2
        assert found.within.get("7", []) == changes[1:]


def test_of_another_groups_users_whom_the_bootstrap_left_alone_the_record_tells_as_much() -> None:
    """Its own record stands before those of the bootstrap, which are of other users."""
    former = change(1, by(15), 1)
    other = recorded(change(2, BOOTSTRAP, 1))
    found = Live(WINDOW, [recorded(former), Decision("8", "8", other.decided, other.cause, None)])

    found.add(former)

    assert (segment(found.before["7"]), segment(found.last["7"]), found.within) == (1, 1, {})


def test_the_first_change_in_the_window_tells_the_segment_before_it_where_nothing_else_does() -> None:
    bootstrapped_was_compacted = change(3, by(12), 5, 2, provisional=True)

    found = live([bootstrapped_was_compacted], [bootstrapped_was_compacted])

    before = found.before["7"]
    assert before is not None
    assert (before.segment, before.sequence, before.provisional) == (2, 4, True)
    for kind, provisional in (("confirmed", False), ("unconfirmed", True)):
        before = live([], [change(3, by(12), 5, 3, kind=kind, provisional=provisional)]).before["7"]
        assert before is not None
        assert before.provisional is not provisional


def test_an_older_change_than_the_records_left_tells_nothing() -> None:
    """The log of changes lacks the decision of a bootstrap in between, and the newest record is later."""
    older, newer = change(1, by(3), 1), change(3, by(8), 3, 2)

    found = live([newer], [older])

    assert segment(found.before["7"]) == segment(found.last["7"]) == 3


def test_a_first_change_in_a_life_tells_of_none_before() -> None:
    found = live([], [erased(by(9), 2), change(3, by(12), 1)])

    assert found.before == {"7": None}
    assert segment(found.last["7"]) == 3


def test_a_null_tells_that_a_user_is_gone_whose_changes_the_log_has_lost() -> None:
    gone = erased(Cause("signup", "signups", 0, 7, positions={"signups": 8, "orders": 9}), 2)

    found = live([gone], [])

    assert (found.before, found.last) == ({"7": None}, {"7": None})


def test_the_newest_decision_counts_where_the_window_begins_at_a_place_where_the_lane_never_stood() -> None:
    """By times, say: a signup in the window was decided before an order of before it."""
    first, then = change(1, by(12), 1), change(2, by(9, "orders"), 2, 1)

    found = live([then], [first, then])

    assert found.within == {"7": [first]}
    assert segment(found.last["7"]) == 2
