"""Reads users from Redis while workers run. Nothing here writes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Any, Self, cast

import msgspec

from schemas.errors import NeedsRebuild
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
from streamer.redis.cluster_store import store_at
from streamer.redis.node_urls import address_of, is_cluster
from streamer.redis.redis_client import connect, reaching, scan_keys, server_of
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
        self._url = settings.redis
        self._keys = Keys(settings.redis_prefix, tagged=is_cluster(self._url))
        self._redis = connect(self._url, TIMEOUT_S)
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
        lanes = self.lanes()
        lane_of = {} if lanes is None else {user_id: lanes.of(user_id) for user_id in user_ids}
        today = date_of(self._rules, datetime.now(UTC))
        cards = []
        for user_id, (stored, place) in self._with_places(user_ids, lane_of).items():
            state = states.decode(user_id, stored, {})
            if state.exists:
                # A lane that has not decided on any day yet will decide on that of the clock.
                day = today if place is None or place.decides_on is None else place.decides_on
                cards.append(card_of(state, self._rules, self._positions(place), day))
        return cards

    def _with_places(
        self, user_ids: Sequence[str], lane_of: Mapping[str, int]
    ) -> dict[str, tuple[bytes | None, Place | None]]:
        """Return each user's state as stored, and the place of the user's lane; None if it is not known."""
        found: dict[str, tuple[bytes | None, Place | None]] = {}
        for some in self._on_one_server(user_ids, lane_of):
            wanted = sorted({lane_of[user_id] for user_id in some if user_id in lane_of})
            keys = self._user_keys(some, lane_of)
            # One transaction reads both, so that a state and its lane's place are of the same moment.
            with reaching(self._url):
                pipeline = server_of(self._redis, keys[some[0]]).pipeline(transaction=True)
            for lane in wanted:
                pipeline.mget(self._keys.place(lane), self._keys.saves(lane))
            for key in keys.values():
                pipeline.hget(key, STATE)
            with reaching(self._url):
                answers = pipeline.execute()
            by_lane = {lane: _place(stored) for lane, stored in zip(wanted, answers, strict=False)}
            for user_id, stored in zip(keys, answers[len(wanted) :], strict=True):
                found[user_id] = stored, by_lane.get(lane_of.get(user_id, -1))
        return found

    def _on_one_server(self, user_ids: Sequence[str], lane_of: Mapping[str, int]) -> list[Sequence[str]]:
        """Divide users so that one transaction can read each part: on a cluster, by lane."""
        if not self._keys.tagged:
            return [user_ids] if user_ids else []
        parts: dict[int, list[str]] = defaultdict(list)
        for user_id in user_ids:
            parts[lane_of.get(user_id, -1)].append(user_id)
        return list(parts.values())

    def _user_keys(self, user_ids: Iterable[str], lane_of: Mapping[str, int] | None = None) -> dict[str, str]:
        """Return the key of each user. On a cluster it names the user's lane.

        Args:
            user_ids: the users.
            lane_of: their lanes as far as they are known; None to ask Redis, if the keys name lanes.

        Raises:
            NeedsRebuild: the keys name lanes, and lane 0 has no place, which says how many lanes there are.
        """
        if not self._keys.tagged:
            return {user_id: self._keys.user(user_id, 0) for user_id in user_ids}
        if lane_of is None:
            lanes = self.lanes()
            lane_of = {} if lanes is None else {user_id: lanes.of(user_id) for user_id in user_ids}
        try:
            return {user_id: self._keys.user(user_id, lane_of[user_id]) for user_id in user_ids}
        except KeyError:
            raise NeedsRebuild(
                f"lane 0 has no place in Redis at {address_of(self._url)} yet, and on Redis Cluster its place"
                " says in which lane a user is: run this command again when a worker runs"
            ) from None

    def state(self, user_id: str) -> UserState:
        """Return a user's facts and decision, without the orders."""
        (stored,) = self._fields(STATE, self._user_keys([user_id]).values())
        return states.decode(user_id, stored, {})

    def history(self, user_id: str) -> tuple[Entered, ...]:
        """Return when and why a user entered each segment, the oldest entry in Redis first."""
        key = self._user_keys([user_id])[user_id]
        with reaching(self._url):
            return read_history(cast(list[bytes | None], self._redis.hmget(key, FIELDS)))

    def segments(self) -> Counter[int]:
        """Return how many users each segment has, by segment id."""
        counts: Counter[int] = Counter()
        for keys in self._keys_by_user():
            counts.update(int(field) for field in self._fields(SEGMENT, keys.values()) if field is not None)
        return counts

    def place(self, lane: int) -> Place | None:
        """Return a lane's place; None if there is no place, or a bootstrap has not finished.

        Raises:
            NeedsRebuild: the place cannot be read.
        """
        with reaching(self._url):
            return _place(self._redis.mget(self._keys.place(lane), self._keys.saves(lane)))

    def due(self, lane: int, day: date) -> int:
        """Return how many users of a lane are due on a day or before it."""
        with reaching(self._url):
            return self._redis.zcount(self._keys.due(lane), "-inf", due_score(day))

    def user_ids(self) -> Iterator[list[str]]:
        """Yield the ids of all users in batches, each id once, in no order.

        Raises:
            NoRoom: the ids fit neither into memory nor on the disk.
        """
        for keys in self._keys_by_user():
            yield [*keys]

    def _keys_by_user(self) -> Iterator[dict[str, bytes]]:
        """Yield the keys of all users by id, as :meth:`user_ids`."""
        with closing(Spill()) as spill:
            seen = spill.shelf()
            for keys in self._scanned_keys():
                by_user = {self._keys.user_of(key): key for key in keys}
                if fresh := seen.add(by_user):
                    yield {user_id: by_user[user_id] for user_id in fresh}

    def scanned(self) -> Iterator[list[str]]:
        """Yield the ids of all users in batches, in no order. Redis may return an id more than once."""
        for keys in self._scanned_keys():
            yield [self._keys.user_of(key) for key in keys]

    def _scanned_keys(self) -> Iterator[list[bytes]]:
        batches = scan_keys(self._redis, self._keys.every_user(), _BATCH)
        while True:
            with reaching(self._url):
                keys = next(batches, None)
            if keys is None:
                return
            yield keys

    def erasures(self) -> Iterator[tuple[str, datetime]]:
        """Yield the users who were ever erased, with the time of the last erasure.

        This includes users who came back. A state that cannot be read is skipped.
        """
        for keys in self._keys_by_user():
            for user_id, stored in zip(keys, self._fields(STATE, keys.values()), strict=True):
                with suppress(msgspec.MsgspecError, UnicodeDecodeError):
                    erased_at = states.decode(user_id, stored, {}).facts.erased_at
                    if erased_at is not None:
                        yield user_id, erased_at

    def _fields(self, field: str, keys: Iterable[str | bytes]) -> list[Any]:
        pipeline = self._redis.pipeline(transaction=False)
        for key in keys:
            pipeline.hget(key, field)
        with reaching(self._url):
            return pipeline.execute()

    def lanes(self) -> Lanes | None:
        """Return how users belong to lanes, from lane 0's place; None if there is no place yet."""
        place = self.place(0)
        return None if place is None else Lanes(place.settings)

    def _positions(self, place: Place | None) -> dict[str, int] | None:
        if place is None:
            return None
        return {topic: place.positions[topic] for topic in self._inputs if topic in place.positions}


@dataclass(frozen=True, slots=True)
class Lanes:
    """How users belong to lanes, by the settings that made their states."""

    settings: FoldSettings

    def of(self, user_id: str) -> int:
        """Return the user's lane."""
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
    store = store_at(settings.redis, 0, settings.redis_prefix, TIMEOUT_S, lanes=lanes_to_search(settings))
    try:
        follow_lane(store)
        found = store.neighbours(space, [at], settings.similar_users, besides)
    finally:
        store.close()
    return Neighbourhood(found).most_similar(at, settings.similar_users)


def lanes_to_search(settings: Settings) -> int | None:
    """Return how many lanes a search for similar users asks; None if there is one index for all lanes."""
    if not is_cluster(settings.redis):
        return None
    with RedisUsers(settings) as users:
        lanes = users.lanes()
    return 0 if lanes is None else lanes.settings.partitions


def _place(stored_and_saves: object) -> Place | None:
    stored = whole_place(stored_and_saves)
    return None if stored is None or is_refilled(stored, "bootstrap") else places.decode(stored)
