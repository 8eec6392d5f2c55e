"""The states of very many users: the newest states in memory, the others on disk."""

from collections.abc import Iterator

import msgspec

from streamer.refill.spill import Spill
from streamer.user.user_state import UserState

# The most users and orders in memory; each takes about 1 kB.
MOST = 100_000

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(UserState).decode


class KeptStates:
    """Users' whole states, by id.

    Every method raises :class:`~schemas.errors.NoRoom` if the disk is full.
    """

    def __init__(self) -> None:
        self._spill = Spill()
        self._shelf = self._spill.shelf()
        self._recent: dict[str, UserState] = {}
        self._unwritten: dict[str, None] = {}  # ids in the order of arrival
        self._size = 0

    def get(self, user_id: str) -> UserState:
        """A user's state; an empty state if no state was put."""
        recent = self._recent.get(user_id)
        if recent is not None:
            return recent
        stored = self._shelf.get(user_id)
        return UserState(user_id) if stored is None else _decode(stored)

    def put(self, state: UserState) -> None:
        """Keep a user's state; replaces the former state."""
        before = self._recent.get(state.user_id)
        self._recent[state.user_id] = state
        self._unwritten[state.user_id] = None
        self._size += _size(state) - (0 if before is None else _size(before))
        if self._size > MOST:
            self._write()
            self._recent.clear()
            self._size = 0

    def pop(self, user_id: str) -> UserState:
        """A user's state, which is then forgotten."""
        state = self.get(user_id)
        recent = self._recent.pop(user_id, None)
        self._unwritten.pop(user_id, None)
        self._size -= 0 if recent is None else _size(recent)
        self._shelf.remove(user_id)
        return state

    def __iter__(self) -> Iterator[UserState]:
        """Every user's state, in the order of arrival; do not call :meth:`put` meanwhile."""
        self._write()
        for entries in self._shelf.batches():
            for user_id, stored in entries:
                yield self._recent.get(user_id) or _decode(stored)

    def ids_after(self, number: int) -> tuple[int, list[str]]:
        """The ids of the next users after a number in the order of arrival, and the number of the last one.

        Begin with 0.
        """
        self._write()
        return self._shelf.keys_after(number)

    def close(self) -> None:
        """Delete everything."""
        self._recent.clear()
        self._unwritten.clear()
        self._spill.close()

    def _write(self) -> None:
        if self._unwritten:
            self._shelf.put((user_id, _encode(self._recent[user_id])) for user_id in self._unwritten)
            self._unwritten.clear()


def _size(state: UserState) -> int:
    return 1 + len(state.orders)
