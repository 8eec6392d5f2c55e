"""An in-memory Kafka and Redis that can lose data and answer late, and a lane's log and store in them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from random import Random

import msgspec
from msgspec import Struct

from schemas.features import FEATURES
from schemas.input_events import Event
from schemas.partitioner import partition_of
from streamer.in_memory import MemoryLog, MemoryRedis, MemoryStore
from streamer.interfaces.lane_errors import InDoubt, Torn
from streamer.interfaces.lane_interfaces import OutRecord, Record, UserWrite
from streamer.lane.lane import Lane
from streamer.lane.release_switch import Turn
from streamer.place import place as places
from streamer.place.place import Place
from streamer.place.place_marks import moved_to
from streamer.refill.bootstrap_lanes import Fact
from streamer.segment.active_model import ActiveModel, BootstrapRecord
from streamer.segment.lane_day import date_of
from streamer.segment.neighbours import AngleIndex
from tests.campaigns.simulation.aof import PREFIXES, AppendOnlyFile, Effect, drop_effects, effects_of
from tests.campaigns.simulation.broken import BrokenPromise, same
from tests.campaigns.simulation.check import AS_OF, Ledger, read_event
from tests.campaigns.simulation.indexes import check_notes, check_used
from tests.campaigns.simulation.releases import Published
from tests.support.worlds.lane_world import World
from tests.support.worlds.made_up_release import TIMED

NAMES = ("A", "B")
OPERATOR = "operator"

# How far a worker's clock may be behind.
_BEHIND = (timedelta(), timedelta(hours=20), timedelta(hours=50))

# Far more polls than a lane needs to read all records of a seed.
_ENDLESS = 10_000


class Late(Struct):
    """A request that the client has given up and the server has not handled yet."""

    kind: str
    partition: int
    land: Callable[[], object]


class SimWorld(World):
    """Topics, a Redis that can lose its newest writes, and late requests."""

    def __init__(self, random: Random, days: Random, say: Callable[[str], None]) -> None:
        """
        Args:
            random: decides everything but time.
            days: decides whether features depend on the day, and when time passes.
            say: takes a line for each step.
        """
        partitions = random.choice([1, 1, 1, 2])
        exclude = random.choice([(), ("Cancelled",)])
        rekey = partitions > 1 and random.random() < 0.5
        of_time = days.random() < 0.5
        super().__init__(
            partitions,
            exclude=exclude,
            features=(*FEATURES, *TIMED) if of_time else FEATURES,
            max_batch=random.randint(1, 6),
            rekey=rekey,
            time_zone=days.choice(["UTC", "America/New_York", "Pacific/Apia"]) if of_time else "UTC",
        )
        rules = msgspec.structs.replace(self.config.rules, min_margin=random.choice([0.0, 0.0, 0.3]))
        self.config = msgspec.structs.replace(self.config, rules=rules)
        self.published = Published(exclude, of_time=of_time)
        self.models.model = self.published.newest
        self.random = random
        self.days = days
        if of_time:
            self.now = AS_OF
        # The days on which a lane or a command may have decided.
        self.dates = self._dates()
        self.say = say
        self.calm = False
        self.renewed = False
        self.lossless = True
        self.aof = AppendOnlyFile()
        self.redises: dict[str, MemoryRedis] = {}
        self.redises |= {prefix: MemoryRedis(prefix=prefix, beside=self.redises) for prefix in PREFIXES}
        self.saves: Counter[tuple[str, int]] = Counter()
        self.leases: dict[str, str] = {}
        # The number of saves before each save that moved a lane.
        self.pointers: list[int] = []
        # The prefix in the settings of each worker and of the operator.
        self.set_to = dict.fromkeys((*NAMES, OPERATOR), PREFIXES[0])
        # The facts of a bootstrap, and by lane the offsets at which the log continues.
        self.warehouse: list[Fact] = []
        self.starts: dict[int, dict[str, int]] = {}
        self.late: list[Late] = []
        self.deleted: list[Event] = []
        self.ledger = Ledger(self)
        self.boots = False
        self.switches = 0
        # The lanes, each with its prefix, from which somebody has deleted keys.
        self.holes: set[tuple[str, int]] = set()

    @property
    def today(self) -> date | None:
        return date_of(self.config.rules, self.now)

    def clock_behind(self) -> timedelta:
        """Return how far the clock of a worker that starts is behind; mostly not at all."""
        return (
            self.days.choice([timedelta(), timedelta(), *_BEHIND])
            if self.config.rules.of_time
            else timedelta()
        )

    def pass_time(self) -> None:
        """Let some hours or days pass."""
        self.now += timedelta(hours=self.days.choice([1, 6, 12, 24, 24, 48, 24 * 9]))
        self.dates |= self._dates()
        self.say(f"it is {self.now:%Y-%m-%d %H:%M}")

    def _dates(self) -> set[date | None]:
        return {date_of(self.config.rules, self.now - behind) for behind in _BEHIND}

    def events(self) -> dict[str, list[Event]]:
        """Return the events of the inputs, of their deleted topics and of the warehouse, by user."""
        facts = super().events()
        for event in (*self.deleted, *self.warehouse):
            facts.setdefault(event.user_id, []).append(event)
        return facts

    def restart_redis(self, aof: AppendOnlyFile) -> None:
        """Restart Redis from this file; late requests to Redis are lost."""
        self.late = [late for late in self.late if late.kind == "commit"]
        self.aof, held = aof, aof.load()
        self.pointers = [at for at in self.pointers if at < len(aof.saves())]
        self.saves, self.leases = held.saves, held.leases
        for prefix, kept in held.redises.items():
            redis = self.redises[prefix]
            redis.places, redis.users, redis.torn = kept.places, kept.users, kept.torn
            redis.swept, redis.due, redis.indexes = kept.swept, kept.due, kept.indexes

    def cut(self, saves: int) -> AppendOnlyFile:
        """Return the file without its newest saves; the first lost save may leave its first commands."""
        begin, end = self.aof.saves()[-saves:][0]
        return self.aof.cut(self.random.randint(begin, end), inside=self.random.random() < 0.7)

    def may_start_from(self, aof: AppendOnlyFile) -> bool:
        """Return whether the lanes can heal from this file, by themselves or by a rebuild.

        They cannot where Redis loses a switch after a worker or the operator was set to the new prefix: the
        others then go on under the old prefix.
        """
        held = aof.load().redises
        if self._apart(held) and not self._apart(self.redises):
            return False
        if self.boots:
            return True
        gone = {
            partition
            for partition in range(self.partitions)
            for setting in set(self.set_to.values())
            if self._place(self.redises, setting, partition) is not None
            and self._place(held, setting, partition) is None
        }
        if self.switches:  # it has read that the lanes may move there, and moves them
            gone |= {
                partition
                for partition in range(self.partitions)
                for prefix in PREFIXES
                if self._readable(self.redises[prefix], partition) is not None
                and self._readable(held[prefix], partition) is None
            }
        # After a bootstrap only a rebuild of all lanes helps.
        asked = range(self.partitions) if self.published.bootstrap is not None else gone
        return not gone or not (self.renewed or any(self.in_danger(partition) for partition in asked))

    def _apart(self, redises: Mapping[str, MemoryRedis]) -> bool:
        """Return whether the settings of workers and of the operator lead to different prefixes of a lane."""
        settings = set(self.set_to.values())
        return any(
            len({self.live(partition, setting, redises) for setting in settings}) > 1
            for partition in range(self.partitions)
        )

    def live(self, partition: int, setting: str, redises: Mapping[str, MemoryRedis] | None = None) -> str:
        """Return the prefix to which a lane has moved from the prefix ``setting``."""
        under = self.redises if redises is None else redises
        for _ in PREFIXES:
            prefix = moved_to(under[setting].places.get(partition))
            if prefix is None:
                return setting
            setting = prefix
        raise BrokenPromise(f"the places of lane {partition} point to one another")

    def place(self, partition: int, setting: str) -> Place | None:
        """Return the place from which a lane can continue, or None."""
        return self._place(self.redises, setting, partition)

    def _place(self, redises: Mapping[str, MemoryRedis], setting: str, partition: int) -> Place | None:
        return self._readable(redises[self.live(partition, setting, redises)], partition)

    def _readable(self, redis: MemoryRedis, partition: int) -> Place | None:
        stored = redis.places.get(partition)
        return None if stored is None or partition in redis.torn else places.readable(stored)

    def look_from(self, setting: str) -> None:
        """Set ``redis`` to the view of a reader with this prefix: each lane under its live prefix."""
        self.redis = MemoryRedis()
        for partition in range(self.partitions):
            live = self.redises[self.live(partition, setting)]

            def is_ours(user_id: str, partition: int = partition) -> bool:
                return partition_of(user_id, self.partitions) == partition

            if partition in live.places:
                self.redis.places[partition] = live.places[partition]
            self.redis.swept[partition] = live.swept.get(partition, {})
            self.redis.due[partition] = live.due.get(partition, {})
            self.redis.users |= {name: user for name, user in live.users.items() if is_ours(name)}
            for space, index in live.indexes.items():
                for user_id, angle in index.nearest(0.0, len(index)):
                    if is_ours(user_id):
                        self.redis.indexes.setdefault(space, AngleIndex()).put(user_id, angle)

    def empty_redis(self) -> None:
        self.lossless = False
        self.ledger.redis_has_lost = True
        self.restart_redis(AppendOnlyFile())

    def activate(self) -> str:
        """Publish or roll back; the workers notice when they look."""
        self.models.model = self.published.activate(self.random)
        return f"{self.models.model.activation}: release {self.models.model.release.version}"

    def expire_offsets(self, partition: int) -> None:
        for topic in self.topics.inputs:
            self.kafka.offsets.pop((topic, partition), None)
        self.ledger.offsets_expired(partition)

    @property
    def moves(self) -> bool:
        """Whether lanes are moving to another prefix, or only some lanes have moved."""
        live = {
            self.live(lane, setting) for lane in range(self.partitions) for setting in self.set_to.values()
        }
        return self.switches > 0 or len(live) > 1 or any(late.kind == "move" for late in self.late)

    def is_done_with(self, topic: str) -> bool:
        """Return whether every lane has decided and saved all events of an input."""
        for partition, records in enumerate(self.kafka.topics[topic].partitions):
            offset = self.kafka.offsets.get((topic, partition))
            now = (self.kafka.topics[topic].topic_id, len(records))
            if offset is None or (offset.topic_id, offset.offset) != now:
                return False
            for setting in set(self.set_to.values()):
                place = self.place(partition, setting)
                if place is None or (place.topic_ids[topic], place.positions[topic]) != now:
                    return False
        return True

    def delete_and_create(self, topic: str) -> None:
        """Delete an input after lanes have read all of it, and create it again; offsets may be lost."""
        for record in self.records(topic) if topic != self.topics.rekeyed else ():
            event = self.event(record) if self.topics.rekey else read_event(self, record)
            if event is not None:
                self.deleted.append(event)
        self.kafka.create(topic, self.partitions)
        if self.random.random() < 0.5:
            for partition in range(self.partitions):
                self.kafka.offsets.pop((topic, partition), None)
        self.renewed = True
        self.ledger.topic_made_anew(topic)

    def settle(self, partition: int) -> None:
        """End the transaction of the former producer: its late commit happens now or never."""
        for late in [late for late in self.late if (late.kind, late.partition) == ("commit", partition)]:
            if self.random.random() < 0.5:
                self.land(late)
            else:
                self.late.remove(late)

    def land(self, late: Late) -> None:
        """Let the server handle a late request."""
        self.late.remove(late)
        try:
            self.say(f"   a {late.kind} of partition {late.partition} lands late: {late.land()}")
        except InDoubt as refused:
            self.say(f"   a {late.kind} of partition {late.partition} is refused: {refused}")

    def in_danger(self, partition: int) -> bool:
        """Return whether only the place in Redis has the progress of the lane."""
        decided = bool(self.kafka.topics[self.topics.users].partitions[partition])
        return (decided or self.published.bootstrap is not None) and (
            self.topics.signups,
            partition,
        ) not in self.kafka.offsets


class Watched(Lane):
    """A lane that remembers the model and the day of its newest batch, and whether its takeover is done."""

    goes_by: Turn | None = None
    steps = False

    def take_over(self, writer: str) -> None:
        self.steps = False
        super().take_over(writer)
        self.steps = True

    def _turn(self) -> Turn:
        turn = super()._turn()
        self.goes_by = turn
        return turn


def watched(lane_class: type[Lane]) -> type[Watched]:
    """Return a subclass of the lane class that is also ``Watched``."""
    return type("Watched", (Watched, lane_class), {})


class SimLog(MemoryLog):
    """A log that returns a random part of the records, and reports its commits to the ledger."""

    def __init__(self, world: SimWorld, partition: int) -> None:
        super().__init__(world.kafka, partition, world.topics.inputs)
        self._world = world
        self.lane: Watched | None = None
        self.store: SimStore | None = None
        self.boots: ActiveModel | None = None
        self._polls = 0

    def fence(self) -> None:
        self._world.settle(self._partition)
        super().fence()

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        if self._world.calm:
            self._polls += 1
            if self._polls > _ENDLESS:
                raise BrokenPromise("the lane waits for records that never come")
            return super().poll(max_records, timeout_s)
        reading = list(self._reading.items())
        self._world.random.shuffle(reading)
        self._reading = dict(reading)
        some = self._world.random.randint(1, max_records) if self._world.random.random() < 0.9 else 0
        return super().poll(some, timeout_s)

    def commit(self, records: Sequence[OutRecord], positions: Mapping[str, int]) -> dict[str, int]:
        if self.lane is None:
            return self._commit_bootstrap(records, positions)
        return self._commit(self.lane.positions, self.lane.goes_by, records, positions)

    def commit_later(self, records: Sequence[OutRecord], positions: Mapping[str, int]) -> None:
        if self.lane is None:
            self._later(lambda: self._commit_bootstrap(records, positions))
            return
        begin, turn, day = self.lane.positions, self.lane.goes_by, self._day

        def land() -> dict[str, int]:
            self._day = day
            return self._commit(begin, turn, records, positions)

        self._later(land)

    def _later(self, land: Callable[[], object]) -> None:
        self._world.late.append(Late("commit", self._partition, land))

    def _commit_bootstrap(self, records: Sequence[OutRecord], positions: Mapping[str, int]) -> dict[str, int]:
        """Commit a transaction of a bootstrap: no lane of a worker uses this log."""
        written = super().commit(records, positions)
        assert self.boots is not None
        self._world.ledger.bootstrapped(self._partition, self.boots, positions, records)
        return written

    def _commit(
        self,
        begin: Mapping[str, int],
        turn: Turn | None,
        records: Sequence[OutRecord],
        positions: Mapping[str, int],
    ) -> dict[str, int]:
        assert turn is not None
        model = turn.model
        written = super().commit(records, positions)
        for redis in self._world.redises.values():
            check_notes(self._world, redis, self._world.published, self._world.dates)
        if model is self._world.published.newest and self._world.lossless:
            assert self.store is not None
            check_used(
                self._world, self._world.redises[self.store.prefix], self._partition, model, self._world.dates
            )
        self._world.ledger.committed(
            self._partition, self._topic_ids, model, turn.day, begin, positions, records
        )
        return written


class SimStore(MemoryStore):
    """A store that also appends its writes to the append-only file.

    Args:
        setting: the prefix in the settings of the worker or operator that opens it.
    """

    def __init__(self, world: SimWorld, partition: int, setting: str) -> None:
        super().__init__(world.redises[setting], partition)
        self._world = world
        self._setting = setting
        self.lane: Watched | None = None

    def follow(self) -> bytes | None:
        self._world.live(
            self._partition, self.prefix
        )  # raises if places point to one another: `follow` would not end
        return super().follow()

    def save_later(self, expected: bytes | None, place: bytes, writes: Sequence[UserWrite]) -> None:
        redis, kind = self._redis, "save" if moved_to(place) is None else "move"

        def land() -> bool:
            late = SimStore(self._world, self._partition, self._setting)
            late._redis = redis
            return late.save(expected, place, writes)

        self._world.late.append(Late(kind, self._partition, land))

    def empty(self, mark: bytes, is_ours: Callable[[str], bool]) -> int | None:
        done, prefix = super().empty(mark, is_ours), self.prefix
        if done:
            self._append([lambda held: held.redises[prefix].empty(self._partition, is_ours)])
        return done

    def clear(self, mark: bytes) -> int | None:
        done, prefix = super().clear(mark), self.prefix
        if done:
            self._append([lambda held: held.redises[prefix].clear()])
        return done

    def seize(self, place: bytes) -> None:
        stored = self._redis.places.get(self._partition)
        assert self.replace_torn(Torn("", stored, None, None), place)

    def drop_place(self, mark: bytes) -> bool:
        if self._redis.places.get(self._partition) != mark:
            return False
        del self._redis.places[self._partition], self._world.saves[self.prefix, self._partition]
        self._append(drop_effects(self.prefix, self._partition))
        return True

    def _write(self, place: bytes, writes: Sequence[UserWrite]) -> None:
        if self.lane is not None and self.lane.steps:
            looked_at = self._world.live(self._partition, self._setting)
            same(f"where lane {self._partition} is saved", self.prefix, looked_at)
        if moved_to(place) is not None:
            self._world.pointers.append(len(self._world.aof.saves()))
        super()._write(place, writes)
        of = (self.prefix, self._partition)
        self._world.saves[of] += 1
        self._append(effects_of(*of, self._world.saves[of], place, writes))

    def _append(self, effects: list[Effect]) -> None:
        self._world.aof.append(effects)


class Announcement:
    """The `bootstrap` record that a command will write."""

    def __init__(self, world: SimWorld, record: BootstrapRecord) -> None:
        self._world = world
        self._record = record

    def announce(self) -> None:
        self._world.published.bootstrap = self._record


class SimLeases:
    """The leases of rebuilds in the world's Redis: the prefix to fill, by live prefix."""

    def __init__(self, world: SimWorld) -> None:
        self._world = world

    def take(self, live: str, into: str) -> bool:
        if live in self._world.leases:
            return False
        self._world.leases[live] = into
        self._world.aof.append([lambda held: held.leases.update({live: into})])
        return True

    def standing(self, live: str) -> str | None:
        return self._world.leases.get(live)

    def give_back(self, live: str) -> None:
        self._world.leases.pop(live, None)
        self._world.aof.append([lambda held: held.leases.pop(live, None)])
