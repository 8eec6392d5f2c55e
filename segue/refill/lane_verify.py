"""One lane of Redis against its log, user by user."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from streamer.place.place import Place
from streamer.refill.compare_states import Difference, Kept, ModelOf, differences
from streamer.refill.kept_states import KeptStates
from streamer.refill.refold import Refold
from streamer.refill.spill import Shelf
from streamer.user.order_rules import Rules

_USERS_AT_ONCE = 500
_LOOKS = 4
_AGAIN_S = 1.0

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Difference]).decode


class Differing:
    """Users who differ, each with the differences; on disk if they are many."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[str, list[Difference]]]:
        for entries in self._shelf.batches():
            for user_id, differs in entries:
                yield user_id, _decode(differs)

    def ids(self) -> Iterator[list[str]]:
        """Who they are, some at a time; any of them may be noted meanwhile."""
        number, user_ids = self._shelf.keys_after(0)
        while user_ids:
            yield user_ids
            number, user_ids = self._shelf.keys_after(number)

    def note(self, user_id: str, differs: Sequence[Difference]) -> None:
        """What differs of a user now, which may be nothing."""
        before = self._shelf.get(user_id) is not None
        if differs:
            self._shelf.put([(user_id, _encode(differs))])
        elif before:
            self._shelf.remove(user_id)
        self._count += bool(differs) - before


class Users:
    """A lane's users, each once: those whom Redis has, and those of whom the log tells.

    Args:
        in_redis: the former.
    """

    def __init__(self, in_redis: Shelf, states: KeptStates) -> None:
        self._ids = in_redis
        self._states = states
        self._given = 0
        self._taken_in = 0

    def take_in(self) -> bool:
        """Add those of whom the log has told since; whether there are any."""
        came = False
        self._taken_in, user_ids = self._states.ids_after(self._taken_in)
        while user_ids:
            came = bool(self._ids.add(user_ids)) or came
            self._taken_in, user_ids = self._states.ids_after(self._taken_in)
        return came

    def next(self) -> list[str]:
        """Some who were not given yet; empty if there are no more."""
        self._given, user_ids = self._ids.keys_after(self._given)
        return user_ids


class InRedis(Protocol):
    """What Redis holds of a lane."""

    def read(self, user_ids: Sequence[str]) -> tuple[Place, Mapping[str, Kept]]:
        """The place and these users, of one moment."""


class LaneVerify:
    """The comparison of a lane.

    Args:
        past: the lane, folded up to a place that Redis has come to.
        progress: told how many users have been compared.

    Attributes:
        users: so many were compared, each at least once.
    """

    def __init__(
        self, past: Refold, redis: InRedis, model_of: ModelOf, rules: Rules, progress: Callable[[int], None]
    ) -> None:
        self._past = past
        self._redis = redis
        self._model_of = model_of
        self._rules = rules
        self._progress = progress
        self.users = 0

    def compare(self, users: Users, differing: Differing) -> None:
        """Find who differs. A lane that heals is on its way for a moment: who differs is looked at again."""
        users.take_in()
        for look in range(_LOOKS):
            for again in differing.ids():
                self._look(again, differing)
            while user_ids := users.next():
                self._look(user_ids, differing)
                self.users += len(user_ids)
            if look == _LOOKS - 1 or not (users.take_in() or differing):
                return
            time.sleep(_AGAIN_S if differing else 0.0)

    def _look(self, user_ids: Sequence[str], differing: Differing) -> None:
        """Compare at the place of each moment at which users are read."""
        for at in range(0, len(user_ids), _USERS_AT_ONCE):
            some = user_ids[at : at + _USERS_AT_ONCE]
            place, kept = self._redis.read(some)
            self._past.go_to(place.positions)
            for user_id in some:
                told = self._past.states.get(user_id)
                differing.note(user_id, differences(told, kept[user_id], self._model_of, self._rules))
            self._progress(self.users)
