"""A small world in memory for lanes: topics, a Redis, a release, and a check of the promises."""

import dataclasses
import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from math import inf
from typing import Any

from msgspec import UNSET

from schemas.errors import BadEvent
from schemas.features import FEATURES, Feature, beyond_default
from schemas.input_events import Event, Order, Signup
from schemas.inputs.decode import decode_order, decode_signup, encode_order, encode_signup
from schemas.inputs.fields_read import fields_read
from schemas.outputs.segment_change import Cause, Change, SegmentChange, UserErasedChange
from schemas.outputs.wire import decode_change
from schemas.partitioner import partition_of
from schemas.release.model_release import ModelRelease
from schemas.topics import Topics
from streamer.batch.lane_config import LaneConfig
from streamer.batch.read_batch import Batch
from streamer.in_memory import MemoryKafka, MemoryLog, MemoryRedis, MemoryStore
from streamer.interfaces.lane_errors import InDoubt
from streamer.interfaces.lane_interfaces import Log, Record, Store
from streamer.lane.lane import Lane
from streamer.place import place as places
from streamer.place.place import FoldSettings
from streamer.segment.active_model import ActiveModel, BootstrapRecord
from streamer.segment.neighbours import angle
from streamer.user import order_index
from streamer.user import user_state as states
from streamer.user.history import FIELDS, KEPT, read_history
from streamer.user.order_rules import Rules
from streamer.user.stored import stored_state
from streamer.user.stored.stored_state import unpack_order
from streamer.user.user_features import features as features_of
from tests.support.checks import feature_oracle
from tests.support.worlds.made_up_release import a_release, an_active_model

NOW = datetime(2024, 6, 1, tzinfo=UTC)
TOPICS = Topics()


class FixedModels:
    """The releases of a world: a test sets the current release."""

    def __init__(self, model: ActiveModel | None) -> None:
        self._model: ActiveModel | None = None
        self._published: dict[str, ModelRelease] = {}
        self.model = model
        self.bootstrapped: BootstrapRecord | None = None

    @property
    def model(self) -> ActiveModel | None:
        return self._model

    @model.setter
    def model(self, model: ActiveModel | None) -> None:
        self._model = model
        if model is not None:
            self._published[model.release.version] = model.release

    def current(self) -> ActiveModel | None:
        return self.model

    def known_activation(self) -> int:
        return -1 if self.model is None else self.model.activation

    def problem(self) -> str | None:
        return None

    def release_by_version(self, version: str) -> ModelRelease | None:
        return self._published.get(version)

    def bootstrap_standing(self) -> BootstrapRecord | None:
        return self.bootstrapped


class Silent:
    """A status board that records phases, sweeps, users who came due, and erasures of unknown users."""

    def __init__(self) -> None:
        self.phases: list[str] = []
        self.sweeps: list[tuple[int, int]] = []
        self.dues: list[tuple[date, int, int]] = []
        self.unknown: list[tuple[str | None, int | None]] = []

    def phase(self, phase: str, reason: str | None) -> None:
        self.phases.append(phase)

    def reached(self, positions: dict[str, int], lag: dict[str, int]) -> None:
        pass

    def batch(self, batch: Batch, changes: object, seconds: dict[str, float]) -> None:
        self.unknown += [(one.cause.topic, one.cause.offset) for one in batch.unknown]

    def swept(self, activation: int, users: int, changes: object, left: int) -> None:
        if users:
            self.sweeps.append((users, left))

    def came_due(self, day: date, users: int, changes: object, left: int) -> None:
        self.dues.append((day, users, left))


class World:
    """Topics and a Redis in memory, and lanes that use them."""

    def __init__(
        self,
        partitions: int = 1,
        *,
        exclude: Sequence[str] = (),
        features: tuple[Feature, ...] = FEATURES,
        max_batch: int = 3,
        topics: Topics = TOPICS,
        rekey: bool = False,
        time_zone: str = "UTC",
    ) -> None:
        self.partitions = partitions
        self.topics = topics = dataclasses.replace(topics, rekey=rekey)
        self.kafka = MemoryKafka()
        self.redis = MemoryRedis()
        self.models = FixedModels(an_active_model(release=a_release(exclude_statuses=tuple(exclude))))
        self.watcher = Silent()
        self.config = LaneConfig(
            topics,
            Rules(topics.prefix, frozenset(exclude), features, time_zone=time_zone),
            FoldSettings(
                partitions,
                tuple(exclude),
                declared=beyond_default(features),
                rekey=rekey,
                time_zone=UNSET if time_zone == "UTC" else time_zone,
            ),
            max_batch=max_batch,
            place_check_s=0.0,
            sweep_per_s=inf,
        )
        for topic in (*topics.laned, topics.dead_letters):
            self.kafka.create(topic, partitions)
        self._writers = itertools.count(1)
        self.now = NOW

    def send(self, *events: Event) -> None:
        """Write events to their topics, as a producer does."""
        for event in events:
            topic = self.topics.orders if isinstance(event, Order) else self.topics.signups
            key, value = encode_order(event) if isinstance(event, Order) else encode_signup(event)
            self.kafka.append(topic, partition_of(event.user_id, self.partitions), key, value, self.record_ms)

    @property
    def record_ms(self) -> int:
        """Return the time of the records that are written now, in milliseconds since 1970."""
        return int(self.now.timestamp() * 1000) if self.config.rules.of_time else 1_735_700_000_000

    def lane(
        self,
        partition: int = 0,
        wrap: Callable[[Log, Store], tuple[Log, Store]] = lambda log, store: (log, store),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> Lane:
        """Return a lane before its takeover; ``wrap`` may wrap its log and store."""
        log, store = wrap(
            MemoryLog(self.kafka, partition, self.topics.inputs), MemoryStore(self.redis, partition)
        )
        return Lane(
            partition,
            log,
            store,
            self.models,
            self.config,
            self.watcher,
            clock=lambda: self.now,
            monotonic=monotonic,
        )

    def take_over(self, partition: int = 0) -> Lane:
        """Return a lane that has taken over its partition."""
        lane = self.lane(partition)
        lane.take_over(self.writer())
        return lane

    def writer(self) -> str:
        return f"writer {next(self._writers)}"

    def run(self, partition: int = 0) -> Lane:
        """Take a lane over, and let it work until nothing is left."""
        lane = self.take_over(partition)
        drain(lane)
        return lane

    def run_all(self) -> None:
        drain_all([self.take_over(partition) for partition in range(self.partitions)])

    def lose_redis(self) -> None:
        """Empty Redis; its users keep the same object."""
        self.restore_redis(MemoryRedis())

    def restore_redis(self, kept: MemoryRedis) -> None:
        """Restore Redis from a copy; its users keep the same object."""
        for part in dataclasses.fields(MemoryRedis):
            setattr(self.redis, part.name, getattr(kept, part.name))

    def records(self, topic: str) -> list[Record]:
        return [record for records in self.kafka.topics[topic].partitions for record in records]

    def changes(self, user_id: str | None = None) -> list[Change]:
        """Return the changes on the topic, of all users or of one, by partition and offset."""
        told = [decode_change(r.value) for r in self.records(self.topics.changes) if r.value is not None]
        return [change for change in told if user_id in (None, change.user_id)]

    def events(self) -> dict[str, list[Event]]:
        """Return the good events of the producers, by user."""
        facts: dict[str, list[Event]] = defaultdict(list)
        for topic in self.topics.sources:
            for record in self.records(topic):
                event = self.event(record)
                if event is not None and (
                    self.topics.rekey or partition_of(event.user_id, self.partitions) == record.partition
                ):
                    facts[event.user_id].append(event)
        return dict(facts)

    def event(self, record: Record) -> Event | None:
        """Return the event of a producer's record in any partition; None if the record is a dead letter."""
        at = datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)
        decode = decode_signup if record.topic == self.topics.signups else decode_order
        try:
            rules = self.config.rules
            read = fields_read(
                rules.features, statuses=bool(rules.exclude_statuses), time_zone=rules.time_zone
            )
            return decode(record.key, record.value, at, check_key=not self.topics.rekey, read=read)
        except BadEvent:
            return None

    def day_of(self, user_id: str) -> date | None:
        """Return the day of the user's lane, as its place has it."""
        return places.decode(self.redis.places[partition_of(user_id, self.partitions)]).decides_on

    def state(self, user_id: str) -> states.UserState:
        user = self.redis.users[user_id]
        return stored_state.decode(user_id, user.fields.get("state"), {})


def drain_all(lanes: Sequence[Lane]) -> None:
    """Let lanes work until no lane waits for another, for example for an index that the other fills."""
    for _ in range(4):
        for lane in lanes:
            drain(lane)


def drain(lane: Lane) -> None:
    """Let a lane read and sweep until nothing is left."""
    while lane.step(0.0):
        pass


def settle(world: World, lane: Lane) -> None:
    """Let a lane work until nothing is left; in doubt, it takes itself over, as in a worker."""
    while True:
        with suppress(InDoubt):
            drain(lane)
            return
        with suppress(InDoubt):
            lane.take_over(world.writer())


def check_promises(world: World) -> None:
    """Check docs/guarantees.md: every state and every chain is right, and `user-segments` and Redis agree."""
    chains = _chains(world)
    alive: set[str] = set()
    newest = {
        record.key.decode(): record.value
        for record in world.records(world.topics.users)
        if record.key is not None
    }
    model = world.models.model
    assert model is not None
    for user_id, facts in world.events().items():
        rules = world.config.rules
        day = world.day_of(user_id)
        expected = feature_oracle.features(
            user_id, facts, rules.exclude_statuses, rules.features, day, rules.time_zone
        )
        chain = chains.pop(user_id, [])
        state = world.state(user_id) if user_id in world.redis.users else None
        if expected is None:
            assert state is None or (state.decided is None and state.position is None)
            assert not chain or isinstance(chain[-1], UserErasedChange)
            assert newest.get(user_id) is None
            assert user_id not in world.redis.users or world.redis.users[user_id].index == set()
            continue
        assert state is not None, f"user {user_id} is not in Redis"
        alive.add(user_id)
        _check_index(world, user_id, state)
        assert features_of(state, rules, day) == expected
        score = model.scorer.score(expected)
        assert state.decided is not None
        assert state.position is not None
        assert state.decided.provisional == score.provisional
        assert state.decided.segment == score.segment or world.config.rules.min_margin > 0
        # With features of time, the position is of the day when the user was last decided.
        assert state.position.components == score.components or rules.of_time
        last = chain[-1]
        assert isinstance(last, SegmentChange)
        assert newest[user_id] == _bytes_of(world, last)
        assert last.sequence == state.decided.sequence
        assert last.segment == state.decided.segment
        assert state.decided.by(model.topic_id, model.activation)
        assert state.position.space == model.release.space
        plain = world.redis.users[user_id].fields
        assert plain.get("segment") == str(state.decided.segment).encode()
        assert plain.get("provisional") == str(int(score.provisional)).encode()
        _check_history(world, user_id, chain)
        at = angle(state.position.components)
        if at is not None:
            index = world.redis.indexes[model.release.space]
            assert (user_id, at) in index.nearest(at, len(index))
    assert chains == {}, "changes of users that no event is about"
    for partition, held in world.redis.places.items():
        place = places.decode(held)
        # The next sweep would miss a user who is absent here.
        ours = (user_id for user_id in alive if partition_of(user_id, world.partitions) == partition)
        _check_due(world, partition, place)
        assert place.swept
        assert world.redis.swept.get(partition, {}) == dict.fromkeys(ours, place.sweep.number)
        for topic in world.topics.inputs:
            assert place.positions[topic] == len(world.kafka.topics[topic].partitions[partition])


def _check_due(world: World, partition: int, place: places.Place) -> None:
    """Check that nobody is due today any more, and that due days are there only with features of time."""
    due = world.redis.due.get(partition, {})
    assert (place.decides_on is not None) == world.config.rules.of_time
    assert due.keys() <= world.redis.swept.get(partition, {}).keys()
    assert all(place.decides_on is not None and place.decides_on < day for day in due.values())


def _check_index(world: World, user_id: str, state: states.UserState) -> None:
    """Check that the index has all of the user's orders, and that a user with few orders has no index."""
    user = world.redis.users[user_id]
    assert state.indexed == (state.facts.held > order_index.MOST_UNINDEXED)
    orders = [unpack_order(user_id, order_id, held) for order_id, held in user.orders.items()]
    right = order_index.all_entries(user_id, orders, world.config.rules)
    assert user.index == (right if state.indexed else set())


def _check_history(world: World, user_id: str, chain: Sequence[Change]) -> None:
    """Check that Redis has the newest 50 moves of the user's present life."""
    moves: list[SegmentChange] = []
    for change in chain:
        if isinstance(change, UserErasedChange):
            moves.clear()
        elif change.kind == "moved":
            moves.append(change)
    fields = world.redis.users[user_id].fields
    entries = read_history(fields.get(name) for name in FIELDS)
    assert [(e.sequence, e.at, e.segment, e.previous_segment, e.cause) for e in entries] == [
        (c.sequence, c.occurred_at, c.segment, c.previous_segment, _without_positions(c.cause))
        for c in moves[-KEPT:]
    ]


def _without_positions(cause: Cause) -> Cause:
    return Cause(cause.type, cause.topic, cause.partition, cause.offset)


def _chains(world: World) -> dict[str, list[Change]]:
    chains: dict[str, list[Change]] = defaultdict(list)
    ids: set[str] = set()
    for change in (*_bootstrapped(world), *world.changes()):
        assert change.event_id not in ids, f"{change} was told twice"
        ids.add(change.event_id)
        chain = chains[change.user_id]
        former = chain[-1] if chain else None
        if former is None or isinstance(former, UserErasedChange):
            assert change.sequence == 1
            assert isinstance(change, SegmentChange)
            assert change.previous_segment is None
        else:
            assert isinstance(former, SegmentChange)
            assert change.sequence == former.sequence + 1
            if isinstance(change, SegmentChange):
                assert change.previous_segment == former.segment
        chain.append(change)
    return dict(chains)


def _bootstrapped(world: World) -> list[Change]:
    """Return the decisions of a bootstrap: only ``user-segments`` has them, not ``segment-changes``."""
    told = [decode_change(r.value) for r in world.records(world.topics.users) if r.value is not None]
    return [
        change for change in told if isinstance(change, SegmentChange) and change.cause.type == "bootstrap"
    ]


def _bytes_of(world: World, change: Change) -> bytes | None:
    for record in (*world.records(world.topics.changes), *world.records(world.topics.users)):
        if record.value is not None and decode_change(record.value).event_id == change.event_id:
            return record.value
    raise AssertionError(f"{change} is not on the topic")


def a_signup(user_id: str = "7", **fields: Any) -> Signup:
    return Signup(user_id, **{"created_at": NOW, **fields})
