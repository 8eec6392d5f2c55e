"""The states of very many users: those written last in memory, the others on disk."""

from collections.abc import Iterator

import msgspec

from streamer.refill.spill import Spill
from streamer.user.user_state import UserState

# So many users and orders lie in memory, about 1 kB each.
MOST = 100_000

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(UserState).decode


class KeptStates:
    """Users' states by id, each whole.

    Every method raises :class:`~schemas.errors.NoRoom` where the disk is full.
    """

    def __init__(self) -> None:
        self._spill = Spill()
        self._shelf = self._spill.shelf()
        self._recent: dict[str, UserState] = {}
        self._unwritten: dict[str, None] = {}  # in the order in which they came
        self._size = 0

    def get(self, user_id: str) -> UserState:
        """A user's state; empty for one of whom nothing was put."""
        recent = self._recent.get(user_id)
        if recent is not None:
            return recent
        stored = self._shelf.get(user_id)
        return UserState(user_id) if stored is None else _decode(stored)

    def put(self, state: UserState) -> None:
        """Keep a user's state, over what it was before."""
        before = self._recent.get(state.user_id)
        self._recent[state.user_id] = state
        self._unwritten[state.user_id] = None
        self._size += _size(state) - (0 if before is None else _size(before))
        if self._size > MOST:
            self._write()
            self._recent.clear()
            self._size = 0

    def pop(self, user_id: str) -> UserState:
        """A user's state, which is no longer kept."""
        state = self.get(user_id)
        recent = self._recent.pop(user_id, None)
        self._unwritten.pop(user_id, None)
        self._size -= 0 if recent is None else _size(recent)
        self._shelf.remove(user_id)
        return state

    def __iter__(self) -> Iterator[UserState]:
        """Every user, in the order in which they came; nothing may be put meanwhile."""
        self._write()
        for entries in self._shelf.batches():
            for user_id, stored in entries:
                yield self._recent.get(user_id) or _decode(stored)

    def ids_after(self, number: int) -> tuple[int, list[str]]:
        """The next users behind a place in the order, 0 being before all, and the place of the last of them."""
        self._write()
        return self._shelf.keys_after(number)

    def close(self) -> None:
        """Let go of all."""
        self._recent.clear()
        self._unwritten.clear()
        self._spill.close()

    def _write(self) -> None:
        if self._unwritten:
            self._shelf.put((user_id, _encode(self._recent[user_id])) for user_id in self._unwritten)
            self._unwritten.clear()


def _size(state: UserState) -> int:
    return 1 + len(state.orders)
