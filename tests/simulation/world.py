"""A Kafka and a Redis in memory that can forget, and answer late; the ends of a lane in them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from random import Random

import msgspec
from msgspec import Struct

from schemas.events import Event
from streamer import place as places
from streamer.interfaces import OutRecord, Record, UserWrite
from streamer.lane import Lane
from streamer.lane_errors import InDoubt
from streamer.memory import MemoryLog, MemoryStore
from streamer.model import ActiveModel
from streamer.place import Place
from streamer.switch import Turn
from tests.simulation.aof import AppendOnlyFile, effects_of
from tests.simulation.broken import BrokenPromise
from tests.simulation.check import Ledger, read_event
from tests.simulation.indexes import check_notes, check_used
from tests.simulation.releases import Published
from tests.worlds import World

# Far more than a lane needs to read all that a seed writes.
_ENDLESS = 10_000


class Late(Struct):
    """A request that the client has given up, and that the server has not handled yet."""

    kind: str
    partition: int
    land: Callable[[], object]


class SimWorld(World):
    """Topics, a Redis that can lose its newest writes, and requests on their way."""

    def __init__(self, random: Random, say: Callable[[str], None]) -> None:
        partitions = random.choice([1, 1, 1, 2])
        exclude = random.choice([(), ("Cancelled",)])
        rekey = partitions > 1 and random.random() < 0.5
        super().__init__(partitions, exclude=exclude, max_batch=random.randint(1, 6), rekey=rekey)
        rules = msgspec.structs.replace(self.config.rules, min_margin=random.choice([0.0, 0.0, 0.3]))
        self.config = msgspec.structs.replace(self.config, rules=rules)
        self.published = Published(exclude)
        self.models.model = self.published.newest
        self.random = random
        self.say = say
        self.calm = False
        self.renewed = False
        self.lossless = True
        self.aof = AppendOnlyFile()
        self.saves: Counter[int] = Counter()
        self.late: list[Late] = []
        self.deleted: list[Event] = []
        self.ledger = Ledger(self)

    def events(self) -> dict[str, list[Event]]:
        """What the inputs hold, and what they held before they were made anew."""
        facts = super().events()
        for event in self.deleted:
            facts.setdefault(event.user_id, []).append(event)
        return facts

    def restart_redis(self, aof: AppendOnlyFile) -> None:
        """Redis starts again from this file; what was on its way to it is gone."""
        self.late = [late for late in self.late if late.kind != "save"]
        self.aof, held = aof, aof.load()
        self.saves, kept = held.saves, held.redis
        self.redis.places, self.redis.users, self.redis.torn = kept.places, kept.users, kept.torn
        self.redis.swept, self.redis.indexes = kept.swept, kept.indexes

    def cut(self, saves: int) -> AppendOnlyFile:
        """The file without its newest saves; the eldest of these may leave its first commands."""
        begin, end = self.aof.saves()[-saves:][0]
        return self.aof.cut(self.random.randint(begin, end), inside=self.random.random() < 0.7)

    def may_start_from(self, aof: AppendOnlyFile) -> bool:
        """Whether the lanes could heal from this file by themselves: else an operator would have to decide."""
        kept = aof.load().redis
        read = {p: places.readable(stored) for p, stored in kept.places.items() if p not in kept.torn}
        gone = {partition for partition in self.redis.places if read.get(partition) is None}
        return not gone or not (self.renewed or any(self.in_danger(partition) for partition in gone))

    def place(self, partition: int) -> Place | None:
        """What a lane may go on from."""
        stored = self.redis.places.get(partition)
        return None if stored is None or partition in self.redis.torn else places.readable(stored)

    def empty_redis(self) -> None:
        self.lossless = False
        self.restart_redis(AppendOnlyFile())

    def activate(self) -> str:
        """Publish, or roll back; the workers read of it when they look."""
        self.models.model = self.published.activate(self.random)
        return f"{self.models.model.activation}: release {self.models.model.release.version}"

    def expire_offsets(self, partition: int) -> None:
        for topic in self.topics.inputs:
            self.kafka.offsets.pop((topic, partition), None)
        self.ledger.offsets_expired(partition)

    def is_done_with(self, topic: str) -> bool:
        """Whether every lane has decided and saved all of an input; of others it may not have."""
        for partition, records in enumerate(self.kafka.topics[topic].partitions):
            offset = self.kafka.offsets.get((topic, partition))
            place = self.place(partition)
            if offset is None or place is None:
                return False
            now = (self.kafka.topics[topic].topic_id, len(records))
            if {(offset.topic_id, offset.offset), (place.topic_ids[topic], place.positions[topic])} != {now}:
                return False
        return True

    def delete_and_create(self, topic: str) -> None:
        """Make an input anew, all of which was read; Kafka may or may not forget the offsets in it."""
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
        """A new producer ends its predecessor's transaction; a commit on its way is in before that, or never."""
        for late in [late for late in self.late if (late.kind, late.partition) == ("commit", partition)]:
            if self.random.random() < 0.5:
                self.land(late)
            else:
                self.late.remove(late)

    def land(self, late: Late) -> None:
        """The server handles a request that its client has given up."""
        self.late.remove(late)
        try:
            self.say(f"   a {late.kind} of partition {late.partition} lands late: {late.land()}")
        except InDoubt as refused:
            self.say(f"   a {late.kind} of partition {late.partition} is refused: {refused}")

    def in_danger(self, partition: int) -> bool:
        """Whether nothing but the place tells how far the lane has come."""
        decided = bool(self.kafka.topics[self.topics.users].partitions[partition])
        return decided and (self.topics.signups, partition) not in self.kafka.offsets


def watched(lane_class: type[Lane]) -> type[Lane]:
    """The same lanes, which remember the model of the newest batch."""

    class Watched(lane_class):  # type: ignore[misc, valid-type]
        def _turn(self) -> Turn:
            turn: Turn = super()._turn()
            self.goes_by = turn.model
            return turn

    return Watched


def goes_by(lane: Lane) -> ActiveModel:
    model = lane.goes_by  # type: ignore[attr-defined]
    assert isinstance(model, ActiveModel)
    return model


class SimLog(MemoryLog):
    """A log that gives some of what is there, and writes what it commits into the ledger."""

    def __init__(self, world: SimWorld, partition: int) -> None:
        super().__init__(world.kafka, partition, world.topics.inputs)
        self._world = world
        self.lane: Lane | None = None
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
        assert self.lane is not None
        return self._commit(self.lane.positions, goes_by(self.lane), records, positions)

    def commit_later(self, records: Sequence[OutRecord], positions: Mapping[str, int]) -> None:
        assert self.lane is not None
        begin, model = self.lane.positions, goes_by(self.lane)
        self._world.late.append(
            Late("commit", self._partition, lambda: self._commit(begin, model, records, positions))
        )

    def _commit(
        self,
        begin: Mapping[str, int],
        model: ActiveModel,
        records: Sequence[OutRecord],
        positions: Mapping[str, int],
    ) -> dict[str, int]:
        written = super().commit(records, positions)
        check_notes(self._world, self._world.published)
        if model is self._world.published.newest and self._world.lossless:
            check_used(self._world, self._partition, model)
        self._world.ledger.committed(self._partition, self._topic_ids, model, begin, positions, records)
        return written


class SimStore(MemoryStore):
    """A store whose writes lie in the append-only file."""

    def __init__(self, world: SimWorld, partition: int) -> None:
        super().__init__(world.redis, partition)
        self._world = world

    def save_later(self, expected: bytes | None, place: bytes, writes: Sequence[UserWrite]) -> None:
        self._world.late.append(Late("save", self._partition, lambda: self.save(expected, place, writes)))

    def empty(self, mark: bytes, is_ours: Callable[[str], bool]) -> bool:
        done = super().empty(mark, is_ours)
        if done:
            self._world.aof.append([lambda held: held.redis.empty(self._partition, is_ours)])
        return done

    def _write(self, place: bytes, writes: Sequence[UserWrite]) -> None:
        super()._write(place, writes)
        self._world.saves[self._partition] += 1
        self._world.aof.append(effects_of(self._partition, self._world.saves[self._partition], place, writes))
