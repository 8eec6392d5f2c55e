"""Joins the users' newest states to the changes after them, without a gap or a repeat. Pure.

A lane writes a change to ``segment-changes`` and to ``user-segments`` in one transaction, to the same
partition. So the change with a state's id, and the user's changes before it, are in the state. The order in
which to read one partition:

1. begin   the stable end of ``segment-changes``: what lies before it was committed before step 2
2. states  ``user-segments`` up to its high watermark. A transaction writes to both topics before it is
           committed to either, so this holds everything that lies before ``begin``
3. window  ``segment-changes`` from ``begin`` to its high watermark. This holds each state's change that does
           not lie before ``begin``
4. changes ``segment-changes`` from ``begin`` on, past what the states hold, but with each erasure and the
           user's changes after it

No step compares times, sequences or offsets of different topics: a user's ``sequence`` begins again after an
erasure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct


class State(Struct, frozen=True):
    """A user's newest record on ``user-segments``: the id of its change; no value if the user is erased."""

    event_id: str
    value: bytes | None


class Seam:
    """Says which changes from ``begin`` on the states do not hold.

    Args:
        states: the newest state of each user.
        window: the ids of all changes in the window.
    """

    def __init__(self, states: Mapping[str, State], window: Collection[str]) -> None:
        self._waits = {user_id: state for user_id, state in states.items() if state.event_id in window}

    @property
    def is_passed(self) -> bool:
        """Whether every further change is new."""
        return not self._waits

    def is_new(self, user_id: str, event_id: str, *, is_erasure: bool) -> bool:
        """Return whether a reader needs this change after the states. Call it once a change, in their order.

        A reader needs each erasure and the user's changes after it, also the change that the state shows. No
        state shows the erasure, and a reader that reads the states a second time knows the user from before.
        """
        if is_erasure:
            self._waits.pop(user_id, None)
            return True
        state = self._waits.get(user_id)
        if state is None:
            return True
        if state.event_id == event_id:
            del self._waits[user_id]
        return False
