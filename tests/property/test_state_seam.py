"""States and changes, wherever they are cut and however reading and writing interleave, make one whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from segue.subscribe.state_seam import Seam, State

USERS = ("7", "21", "España")


class Written(Struct, frozen=True):
    """One change, as it stands in both topics; an erasure has no value in the users' topic."""

    user_id: str
    event_id: str
    erased: bool


@st.composite
def logs(draw: st.DrawFn) -> list[Written]:
    """The changes of one partition, in order; nobody is erased before having come."""
    log: list[Written] = []
    here = dict.fromkeys(USERS, False)
    for number, user_id in enumerate(draw(st.lists(st.sampled_from(USERS), max_size=20))):
        erased = here[user_id] and draw(st.booleans())
        here[user_id] = not erased
        log.append(Written(user_id, f"{number}", erased))
    return log


@given(logs(), st.data())
def test_each_users_changes_are_whole_from_its_state_on(log: list[Written], data: st.DataObject) -> None:
    # In the order of the reading: each end is taken at its own moment, and the log grows meanwhile.
    begin = data.draw(st.integers(0, len(log)), "where the changes begin")
    read = data.draw(st.integers(begin, len(log)), "the states' end")
    window = data.draw(st.integers(read, len(log)), "the changes' end after the states")
    states = states_of(log[:read])

    seam = Seam(states, {change.event_id for change in log[begin:window]})
    handed = {user_id: [state.event_id] for user_id, state in states.items() if state.value is not None}
    for change in log[begin:]:
        if seam.is_new(change.user_id, change.event_id, is_erasure=change.erased):
            handed.setdefault(change.user_id, []).append(change.event_id)

    assert seam.is_passed
    for user_id in USERS:
        assert handed.get(user_id, []) == expected(log, user_id, begin, read)


def expected(log: list[Written], user_id: str, begin: int, read: int) -> list[str]:
    """The user's state, and then its changes: from the first erasure among them on, or else after the state.

    A reader that begins again after a crash may know the user from before the erasure.
    """
    mine = [index for index, change in enumerate(log) if change.user_id == user_id]
    newest = max((index for index in mine if index < read), default=-1)
    state = [log[newest].event_id] if newest >= 0 and not log[newest].erased else []
    first = min((index for index in mine if begin <= index < read and log[index].erased), default=newest + 1)
    return state + [log[index].event_id for index in mine if index >= first]


@given(logs(), st.data())
def test_a_reader_that_begins_again_keeps_nothing_from_before_an_erasure(
    log: list[Written], data: st.DataObject
) -> None:
    """The program keeps what it is handed of each user, and drops it at the user's erasure."""
    begin = data.draw(st.integers(0, len(log)), "where the changes begin, of both passes")
    crash = data.draw(st.integers(begin, len(log)), "the states' end of the pass that crashes")
    again = data.draw(st.integers(crash, len(log)), "the states' end of the next pass")
    kept: dict[str, set[str]] = {user_id: set() for user_id in USERS}
    for states in (states_of(log[:crash]), states_of(log[:again])):
        for user_id, state in states.items():
            kept[user_id] |= set() if state.value is None else {state.event_id}

    seam = Seam(states_of(log[:again]), {change.event_id for change in log[begin:]})
    for change in log[begin:]:
        if seam.is_new(change.user_id, change.event_id, is_erasure=change.erased):
            kept[change.user_id] = set() if change.erased else kept[change.user_id] | {change.event_id}

    for user_id in USERS:
        mine = [change for change in log if change.user_id == user_id]
        last = max((index for index, change in enumerate(mine) if change.erased), default=-1)
        assert kept[user_id] <= {change.event_id for change in mine[last + 1 :]}


def states_of(log: list[Written]) -> dict[str, State]:
    """The newest state of each user."""
    return {change.user_id: State(change.event_id, None if change.erased else b"{}") for change in log}
