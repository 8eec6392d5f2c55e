"""Compare one lane of Redis with its log, user by user."""

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
    """The users who differ between Redis and log, each with the differences; on disk if there are many."""

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
        """Give the ids of these users in batches. :meth:`note` may be called between two batches."""
        number, user_ids = self._shelf.keys_after(0)
        while user_ids:
            yield user_ids
            number, user_ids = self._shelf.keys_after(number)

    def note(self, user_id: str, differs: Sequence[Difference]) -> None:
        """Replace the differences of a user; an empty sequence removes the user."""
        before = self._shelf.get(user_id) is not None
        if differs:
            self._shelf.put([(user_id, _encode(differs))])
        elif before:
            self._shelf.remove(user_id)
        self._count += bool(differs) - before


class Users:
    """A lane's users, each once: the users in Redis and the users in the log.

    Args:
        in_redis: the ids of the users in Redis. The users of the log are added to it.
        states: the states folded from the log.
    """

    def __init__(self, in_redis: Shelf, states: KeptStates) -> None:
        self._ids = in_redis
        self._states = states
        self._given = 0
        self._taken_in = 0

    def take_in(self) -> bool:
        """Add the users that the log has named since the last call; return whether there are any."""
        came = False
        self._taken_in, user_ids = self._states.ids_after(self._taken_in)
        while user_ids:
            came = bool(self._ids.add(user_ids)) or came
            self._taken_in, user_ids = self._states.ids_after(self._taken_in)
        return came

    def next(self) -> list[str]:
        """Return the next batch of ids; empty at the end."""
        self._given, user_ids = self._ids.keys_after(self._given)
        return user_ids


class InRedis(Protocol):
    """Reads a lane from Redis."""

    def read(self, user_ids: Sequence[str]) -> tuple[Place, Mapping[str, Kept]]:
        """Read the place and these users at one moment."""


class LaneVerify:
    """The comparison of one lane.

    Args:
        past: the lane's log, folded up to a place that Redis has reached.
        redis: reads the lane from Redis.
        model_of: finds a model of a space; see `differences`.
        rules: how events are folded.
        progress: called with the number of users compared so far.

    Attributes:
        users: how many users were compared; each user counts once.
        erased: how many of them are erased, by the log.
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
        self.erased = 0

    def compare(self, users: Users, differing: Differing) -> None:
        """Find the users who differ, and compare them again a few times.

        A user may differ for a moment while the lane's worker heals the lane.

        Args:
            users: the users to compare.
            differing: takes the users who differ.
        """
        users.take_in()
        for look in range(_LOOKS):
            for still_differing in differing.ids():
                self._compare_users(still_differing, differing)
            while user_ids := users.next():
                self.erased += self._compare_users(user_ids, differing)
                self.users += len(user_ids)
            if look == _LOOKS - 1 or not (users.take_in() or differing):
                return
            time.sleep(_AGAIN_S if differing else 0.0)

    def _compare_users(self, user_ids: Sequence[str], differing: Differing) -> int:
        """Read a batch of users with the place from Redis, fold the log up to this place, and compare.

        Returns:
            How many of the users are erased, by the log.
        """
        erased = 0
        for at in range(0, len(user_ids), _USERS_AT_ONCE):
            some = user_ids[at : at + _USERS_AT_ONCE]
            place, kept = self._redis.read(some)
            self._past.go_to(place.positions)
            for user_id in some:
                expected = self._past.states.get(user_id)
                differs = differences(expected, kept[user_id], self._model_of, self._rules, place.decides_on)
                differing.note(user_id, differs)
                erased += not expected.exists and expected.facts.erased_at is not None
            self._progress(self.users)
        return erased
