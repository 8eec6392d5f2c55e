"""Reads users from Redis while workers run. Nothing here writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Any, Self, cast

import msgspec

from schemas.outputs.segment_change import SimilarUser
from schemas.partitioner import partition_of
from segue.config.settings import Settings
from segue.connect.lane_connections import rules_of
from segue.connect.redis_lane import whole_place
from segue.show.user_card import UserCard
from streamer.place import place as places
from streamer.place.place import FoldSettings, Place
from streamer.place.place_marks import is_refilled
from streamer.place.redis_keys import SEGMENT, STATE, Keys, due_score
from streamer.redis.redis_client import address_of, connect, reaching
from streamer.redis.redis_store import RedisStore
from streamer.refill.spill import Spill
from streamer.segment.lane_day import date_of
from streamer.segment.neighbours import Neighbourhood, angle
from streamer.takeover.lane_snapshot import follow_lane
from streamer.user.history import FIELDS, Entered, read_history
from streamer.user.order_rules import Rules
from streamer.user.stored import stored_state as states
from streamer.user.user_features import features
from streamer.user.user_state import UserState

TIMEOUT_S = 5.0
_BATCH = 1_000


class RedisUsers:
    """Reads users' states and the lanes' places.

    Every method raises :class:`~schemas.errors.Unreachable` if Redis does not answer.
    """

    def __init__(self, settings: Settings) -> None:
        self._keys = Keys(settings.redis_prefix)
        self._redis = connect(settings.redis, TIMEOUT_S)
        self._address = address_of(self._redis)
        self._inputs = settings.topics.inputs
        self._rules = rules_of(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._redis.close()

    def card(self, user_id: str) -> UserCard | None:
        """Return one user; None if Redis does not have the user, or has only its tombstone."""
        return next(iter(self.cards([user_id])), None)

    def all_cards(self) -> Iterator[UserCard]:
        """Yield every user, in no order."""
        for user_ids in self.user_ids():
            yield from self.cards(user_ids)

    def cards(self, user_ids: Sequence[str]) -> list[UserCard]:
        """Return these users, without those that Redis does not have, each with its lane's positions."""
        lanes = self._lanes()
        lane_of = {} if lanes is None else {user_id: lanes.of(user_id) for user_id in user_ids}
        wanted = sorted(set(lane_of.values()))
        # One transaction reads both, so that a state and its lane's place are of the same moment.
        pipeline = self._redis.pipeline(transaction=True)
        for lane in wanted:
            pipeline.mget(self._keys.place(lane), self._keys.saves(lane))
        for user_id in user_ids:
            pipeline.hget(self._keys.user(user_id), STATE)
        with reaching(self._address):
            answers = pipeline.execute()
        places_by_lane = {lane: _place(stored) for lane, stored in zip(wanted, answers, strict=False)}
        today = date_of(self._rules, datetime.now(UTC))
        cards = []
        for user_id, stored in zip(user_ids, answers[len(wanted) :], strict=True):
            state = states.decode(user_id, stored, {})
            if state.facts.alive:
                place = places_by_lane.get(lane_of.get(user_id, -1))
                # A lane that has not decided on any day yet will decide on that of the clock.
                day = today if place is None or place.decides_on is None else place.decides_on
                cards.append(card_of(state, self._rules, self._positions(place), day))
        return cards

    def state(self, user_id: str) -> UserState:
        """Return a user's facts and decision, without the orders."""
        with reaching(self._address):
            stored = cast(bytes | None, self._redis.hget(self._keys.user(user_id), STATE))
        return states.decode(user_id, stored, {})

    def history(self, user_id: str) -> tuple[Entered, ...]:
        """Return when and why a user entered each segment, the oldest entry in Redis first."""
        with reaching(self._address):
            return read_history(cast(list[bytes | None], self._redis.hmget(self._keys.user(user_id), FIELDS)))

    def segments(self) -> Counter[int]:
        """Return how many users each segment has, by segment id."""
        counts: Counter[int] = Counter()
        for user_ids in self.user_ids():
            counts.update(int(field) for field in self._fields(SEGMENT, user_ids) if field is not None)
        return counts

    def place(self, lane: int) -> Place | None:
        """Return a lane's place; None if there is no place, or a bootstrap has not finished.

        Raises:
            NeedsRebuild: the place cannot be read.
        """
        with reaching(self._address):
            return _place(self._redis.mget(self._keys.place(lane), self._keys.saves(lane)))

    def due(self, lane: int, day: date) -> int:
        """Return how many users of a lane are due on a day or before it."""
        with reaching(self._address):
            return self._redis.zcount(self._keys.due(lane), "-inf", due_score(day))

    def user_ids(self) -> Iterator[list[str]]:
        """Yield the ids of all users in batches, each id once, in no order.

        Raises:
            NoRoom: the ids fit neither into memory nor on the disk.
        """
        with closing(Spill()) as spill:
            seen = spill.shelf()
            for user_ids in self.scanned():
                if fresh := seen.add(user_ids):
                    yield fresh

    def scanned(self) -> Iterator[list[str]]:
        """Yield the ids of all users in batches, in no order. Redis may return an id more than once."""
        start = self._keys.user("")
        cursor = 0
        while True:
            with reaching(self._address):
                answer = self._redis.scan(cursor, match=self._keys.every_user(), count=_BATCH)
            cursor, keys = cast(tuple[int, list[bytes]], answer)
            if keys:
                yield [key.decode()[len(start) :] for key in keys]
            if cursor == 0:
                return

    def erasures(self) -> Iterator[tuple[str, datetime]]:
        """Yield the users who were ever erased, with the time of the last erasure.

        This includes users who came back. A state that cannot be read is skipped.
        """
        for user_ids in self.user_ids():
            for user_id, stored in zip(user_ids, self._fields(STATE, user_ids), strict=True):
                with suppress(msgspec.MsgspecError, UnicodeDecodeError):
                    erased_at = states.decode(user_id, stored, {}).facts.erased_at
                    if erased_at is not None:
                        yield user_id, erased_at

    def _fields(self, field: str, user_ids: Sequence[str]) -> list[Any]:
        pipeline = self._redis.pipeline(transaction=False)
        for user_id in user_ids:
            pipeline.hget(self._keys.user(user_id), field)
        with reaching(self._address):
            return pipeline.execute()

    def _lanes(self) -> _Lanes | None:
        """Return how users belong to lanes, from lane 0's place; None if there is no place yet."""
        place = self.place(0)
        return None if place is None else _Lanes(place.settings)

    def _positions(self, place: Place | None) -> dict[str, int] | None:
        if place is None:
            return None
        return {topic: place.positions[topic] for topic in self._inputs if topic in place.positions}


@dataclass(frozen=True, slots=True)
class _Lanes:
    settings: FoldSettings

    def of(self, user_id: str) -> int:
        return partition_of(user_id, self.settings.partitions, self.settings.partitioner)


def card_of(state: UserState, rules: Rules, positions: dict[str, int] | None, day: date | None) -> UserCard:
    """Build a user's card from its state.

    Args:
        state: the user's state.
        rules: the rules that compute features.
        positions: the next offset of each input in the user's lane; None if not known.
        day: the lane's day; None only if no declared feature reads the day.
    """
    decided, position = state.decided, state.position
    return UserCard(
        user_id=state.user_id,
        features=features(state, rules, day),
        space=None if position is None else position.space,
        components=None if position is None else position.components,
        segment=None if decided is None else decided.segment,
        segment_name=None if decided is None else decided.segment_name,
        provisional=decided is not None and decided.provisional,
        missing=() if position is None else position.missing,
        sequence=None if decided is None else decided.sequence,
        model_version=None if decided is None else decided.model_version,
        activation=None if decided is None else decided.activation,
        positions=positions,
        day=day,
    )


def similar_users(
    settings: Settings, space: str, components: Sequence[float], besides: Sequence[str]
) -> tuple[SimilarUser, ...]:
    """Return the users who are most similar to these components now, the most similar first.

    Args:
        settings: name the Redis, and how many users to return.
        space: the name of the release's space. Its index is searched.
        components: coordinates in this space.
        besides: ids of users to leave out.

    Returns:
        At most ``similar_users`` users. The result is empty at the origin, and if there are not two
        components.
    """
    at = angle(components)
    if at is None:
        return ()
    store = RedisStore(settings.redis, 0, settings.redis_prefix, TIMEOUT_S)
    try:
        follow_lane(store)
        found = store.neighbours(space, [at], settings.similar_users, besides)
    finally:
        store.close()
    return Neighbourhood(found).most_similar(at, settings.similar_users)


def _place(stored_and_saves: object) -> Place | None:
    stored = whole_place(stored_and_saves)
    return None if stored is None or is_refilled(stored, "bootstrap") else places.decode(stored)
