"""Kafka and Redis in memory, with the promises that a lane needs.

These promises are transactions, fencing, stable offsets, and saves that write all or nothing. The demo
without services and the simulation run the real lanes over these classes.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from msgspec import UNSET

from streamer.interfaces import lane_errors
from streamer.interfaces.lane_errors import Fenced, InDoubt, TooMuchToLoad, Torn
from streamer.interfaces.lane_interfaces import (
    Bounds,
    Committed,
    Due,
    Former,
    IndexWrite,
    Loaded,
    LoadedEnds,
    LoadedOrders,
    Neighbour,
    OutRecord,
    Record,
    StoredUser,
    Unswept,
    UserWrite,
)
from streamer.place.place_marks import moved_to
from streamer.segment.neighbours import AngleIndex
from streamer.user.user_state import Ask


@dataclass(slots=True)
class MemoryTopic:
    """A topic's partitions and its id; a topic that is created again gets another id."""

    topic_id: str
    partitions: list[list[Record]]


@dataclass(slots=True)
class MemoryKafka:
    """Topics, one group's offsets by (topic, partition), and the epoch of each transactional id."""

    topics: dict[str, MemoryTopic] = field(default_factory=dict)
    offsets: dict[tuple[str, int], Committed] = field(default_factory=dict)
    epochs: dict[int, int] = field(default_factory=dict)

    def create(self, topic: str, partitions: int) -> None:
        """Create a topic; an existing topic is deleted first."""
        made = self.topics.get(topic)
        number = 0 if made is None else int(made.topic_id.rpartition("#")[2]) + 1
        self.topics[topic] = MemoryTopic(f"{topic}#{number}", [[] for _ in range(partitions)])

    def append(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, timestamp_ms: int = -1
    ) -> Record:
        """Write one record, like a producer without a transaction, and return it.

        Args:
            topic: the topic's name.
            partition: the partition to write to.
            key: the record's key.
            value: the record's value; None is a tombstone.
            timestamp_ms: the record's time in milliseconds since 1970; -1 for no time.
        """
        records = self.topics[topic].partitions[partition]
        record = Record(topic, partition, len(records), key, value, timestamp_ms)
        records.append(record)
        return record


class MemoryLog:
    """One lane's side of a :class:`MemoryKafka`."""

    def __init__(self, kafka: MemoryKafka, partition: int, inputs: Collection[str]) -> None:
        self._kafka = kafka
        self._partition = partition
        self._inputs = tuple(inputs)
        self._epoch: int | None = None
        self._reading: dict[str, int] = {}
        self._topic_ids: dict[str, str] = {}
        self._formers: Mapping[str, Former] = {}
        self._day: date | None = None

    def fence(self) -> None:
        self._epoch = self._kafka.epochs.get(self._partition, 0) + 1
        self._kafka.epochs[self._partition] = self._epoch

    def committed(self) -> dict[str, Committed]:
        found = {topic: self._kafka.offsets.get((topic, self._partition)) for topic in self._inputs}
        return {topic: committed for topic, committed in found.items() if committed is not None}

    def watch(self, topic: str) -> Bounds:
        made = self._kafka.topics[topic]
        self._topic_ids[topic] = made.topic_id
        return Bounds(0, len(made.partitions[self._partition]), made.topic_id)

    def read_from(self, positions: Mapping[str, int]) -> None:
        self._reading = dict(positions)

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:  # noqa: ARG002 - the protocol's
        """Return the next records; never wait, because nothing else can write meanwhile."""
        taken: list[Record] = []
        for topic, position in self._reading.items():
            if self._kafka.topics[topic].topic_id != self._topic_ids[topic]:
                raise InDoubt(f"topic {topic} was deleted and made anew")
            records = self._kafka.topics[topic].partitions[self._partition]
            some = records[position : position + max_records - len(taken)]
            self._reading[topic] = position + len(some)
            taken.extend(some)
        return taken

    def at_end(self, ends: Mapping[str, int]) -> bool:
        return all(self._reading[topic] >= end for topic, end in ends.items())

    def reached(self) -> Mapping[str, int]:
        return dict(self._reading)

    def lag(self) -> dict[str, int]:
        return {
            topic: len(self._kafka.topics[topic].partitions[self._partition]) - position
            for topic, position in self._reading.items()
        }

    def note_formers(self, formers: Mapping[str, Former]) -> None:
        self._formers = dict(formers)

    def note_day(self, day: date) -> None:
        self._day = day

    def commit(self, records: Sequence[OutRecord], positions: Mapping[str, int]) -> dict[str, int]:
        if self._epoch is None:
            raise InDoubt("no producer was started")
        if self._epoch != self._kafka.epochs[self._partition]:
            raise Fenced("another producer has taken this lane")
        written: dict[str, int] = {}
        for out in records:
            partition = 0 if out.partition is None else out.partition
            lain = self._kafka.topics[out.topic].partitions[partition]
            lain.append(
                Record(out.topic, partition, len(lain), out.key, out.value, 0, out.headers),
            )
            if out.partition is not None:
                written[out.topic] = len(lain)
        for topic, offset in positions.items():
            # The id of the topic that was read; the topic may have been created again since.
            self._kafka.offsets[topic, self._partition] = Committed(
                offset, self._topic_ids[topic], self._formers.get(topic), self._day
            )
        return written

    def close(self) -> None:
        self._epoch = None


@dataclass(slots=True)
class MemoryUser:
    """A user's fields with the state, the orders by id, and the index of the orders."""

    fields: dict[str, bytes] = field(default_factory=dict)
    orders: dict[str, bytes] = field(default_factory=dict)
    index: set[str] = field(default_factory=set)

    def write_index(self, write: IndexWrite | None) -> None:
        """Change the index of orders; None leaves it as it is."""
        if write is not None:
            self.index = ((set() if write.anew else self.index) - set(write.remove)) | set(write.add)


@dataclass(slots=True)
class MemoryRedis:
    """The data under one prefix.

    Attributes:
        places: the places, by lane.
        swept: by lane, the number of the last sweep that reached each user.
        due: by lane, the day on which each user must be decided again.
        users: the users, by id.
        indexes: the indexes of angles, by space.
        torn: the lanes that got back a part of a lost save. A real Redis shows this by the count of saves.
        prefix: the prefix.
        beside: the data under other prefixes that lanes may be moved to, by prefix.
    """

    places: dict[int, bytes] = field(default_factory=dict)
    swept: dict[int, dict[str, int]] = field(default_factory=dict)
    due: dict[int, dict[str, date]] = field(default_factory=dict)
    users: dict[str, MemoryUser] = field(default_factory=dict)
    indexes: dict[str, AngleIndex] = field(default_factory=dict)
    torn: set[int] = field(default_factory=set)
    prefix: str = "segue:"
    beside: dict[str, "MemoryRedis"] = field(default_factory=dict, repr=False)

    def empty(self, lane: int, is_ours: Callable[[str], bool]) -> int:
        """Delete the lane's users, index entries, sweep numbers and due days; return how many there were."""
        users = [user_id for user_id in self.users if is_ours(user_id)]
        for user_id in users:
            del self.users[user_id]
        entries = 0
        for index in self.indexes.values():
            for user_id, _ in index.nearest(0.0, len(index)):
                if is_ours(user_id):
                    index.remove(user_id)
                    entries += 1
        return len(users) + entries + len(self.swept.pop(lane, {})) + len(self.due.pop(lane, {}))

    def has_keys_of(self, write: UserWrite) -> bool:
        """Whether the keys that must exist before this write are there."""
        user = self.users.get(write.user_id)
        indexed = write.index is not None and write.index.existing
        return not (write.existing and user is None) and not (indexed and not (user and user.index))

    def write_due(self, lane: int, write: UserWrite) -> None:
        """Set or remove the user's due day, or leave it as it is."""
        if write.due is None:
            self.due.get(lane, {}).pop(write.user_id, None)
        elif write.due is not UNSET:
            self.due.setdefault(lane, {})[write.user_id] = write.due

    def clear(self) -> int:
        """Delete every user, index entry, sweep number and due day; return how many there were."""
        entries = sum(len(index) for index in self.indexes.values())
        entries += sum(map(len, self.swept.values())) + sum(map(len, self.due.values()))
        deleted = len(self.users) + entries
        self.users.clear()
        self.swept.clear()
        self.due.clear()
        self.indexes.clear()
        return deleted


class MemoryStore:
    """One lane's side of a :class:`MemoryRedis`."""

    def __init__(self, redis: MemoryRedis, partition: int) -> None:
        self._given = self._redis = redis
        self._partition = partition
        self._doubt: str | None = None
        self._doubted: set[str] = set()

    @property
    def prefix(self) -> str:
        return self._redis.prefix

    def follow(self) -> bytes | None:
        self._redis = self._given
        while (prefix := moved_to(self._redis.places.get(self._partition))) is not None:
            self._redis = self._redis.beside[prefix]
        return self._believed()

    def places(self, partitions: Collection[int]) -> list[bytes]:
        whole = (lane for lane in partitions if lane not in self._redis.torn)
        return [self._redis.places[lane] for lane in whole if lane in self._redis.places]

    def load(self, wanted: Mapping[str, Collection[str]]) -> Loaded:
        users = {user_id: self._stored(user_id, order_ids) for user_id, order_ids in wanted.items()}
        read = (value for user in users.values() for value in (user.state, *user.orders.values()))
        size = sum(len(value) for value in read if value is not None)
        if len(users) > 1 and size > lane_errors.MAX_LOAD_BYTES:
            raise TooMuchToLoad(size)
        return Loaded(self._believed(), users, len(self._redis.swept.get(self._partition, {})))

    def load_orders(self, user_ids: Collection[str]) -> LoadedOrders:
        users = {user_id: dict(self._redis.users.get(user_id, MemoryUser()).orders) for user_id in user_ids}
        return LoadedOrders(self._believed(), users)

    def load_ends(self, user_id: str, asks: Mapping[Ask, int]) -> LoadedEnds:
        index = sorted(self._redis.users.get(user_id, MemoryUser()).index, key=str.encode)
        of_asks = {ask: [entry for entry in index if entry.startswith(ask.beginning)] for ask in asks}
        ends = {ask: (found[::-1] if ask.last else found)[: asks[ask]] for ask, found in of_asks.items()}
        return LoadedEnds(self._believed(), ends, bool(index))

    def unswept(self, sweep: int, most: int) -> Unswept:
        of_lane = self._redis.swept.get(self._partition, {})
        left = sorted((number, user_id) for user_id, number in of_lane.items() if number < sweep)
        return Unswept([user_id for _, user_id in left[:most]], len(left))

    def due(self, day: date, most: int) -> Due:
        of_lane = self._redis.due.get(self._partition, {})
        left = sorted((due, user_id) for user_id, due in of_lane.items() if due <= day)
        return Due([user_id for _, user_id in left[:most]], len(left))

    def neighbours(
        self, space: str, angles: Sequence[float], n: int, exclude: Collection[str]
    ) -> list[Neighbour]:
        """The nearest ``n`` users of every angle, by angular distance and then by user id.

        Args:
            space: the space of the index.
            angles: the directions to search from, in radians.
            n: how many users each search must find.
            exclude: the ids of users to leave out.

        Returns:
            The users of all searches together, each once.
        """
        index = self._redis.indexes.get(space, AngleIndex())
        found = {entry for angle in set(angles) for entry in index.nearest(angle, n, exclude)}
        return [Neighbour(user_id, theirs, self._segment(user_id)) for user_id, theirs in found]

    def save(self, expected: bytes | None, place: bytes, writes: Sequence[UserWrite]) -> bool:
        if self._partition in self._redis.torn or self._redis.places.get(self._partition) != expected:
            return False
        if not all(map(self._redis.has_keys_of, writes)):
            raise self.lost_key()
        self._write(place, writes)
        return True

    def doubt(self, user_id: str) -> Torn | None:
        if user_id in self._doubted:
            return None
        self._doubted.add(user_id)
        self._doubt = lane_errors.CONTRADICTS
        return Torn(self._doubt, None, None, None)

    def lost_key(self) -> Torn:
        self._doubt = lane_errors.LOST_KEY
        return Torn(self._doubt, None, None, None)

    def replace_torn(self, torn: Torn, place: bytes) -> bool:
        if self._redis.places.get(self._partition) != torn.stored:
            return False
        self._doubt = None
        self._redis.torn.discard(self._partition)
        self._write(place, [])
        return True

    def empty(self, mark: bytes, is_ours: Callable[[str], bool]) -> int | None:
        return self._redis.empty(self._partition, is_ours) if self._stands(mark) else None

    def clear(self, mark: bytes) -> int | None:
        return self._redis.clear() if self._stands(mark) else None

    def _write(self, place: bytes, writes: Sequence[UserWrite]) -> None:
        self._redis.places[self._partition] = place
        swept = self._redis.swept.setdefault(self._partition, {})
        for write in writes:
            if write.swept is None:
                swept.pop(write.user_id, None)
            else:
                swept[write.user_id] = write.swept
            self._redis.write_due(self._partition, write)
            user = self._redis.users.setdefault(write.user_id, MemoryUser())
            _update(user.fields, write.fields)
            _update(user.orders, write.orders)
            user.write_index(write.index)
            for space, angle in write.angles.items():
                self._redis.indexes.setdefault(space, AngleIndex()).put(write.user_id, angle)

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def _stands(self, mark: bytes) -> bool:
        """Whether the lane's place is this mark; like a deletion in Redis, without the count of saves."""
        return self._redis.places.get(self._partition) == mark

    def _believed(self) -> bytes | None:
        place = self._redis.places.get(self._partition)
        if self._doubt is not None or self._partition in self._redis.torn:
            raise Torn(self._doubt or "a part of a lost save came back", place, None, place)
        return place

    def _stored(self, user_id: str, order_ids: Collection[str]) -> StoredUser:
        user = self._redis.users.get(user_id, MemoryUser())
        listed = user_id in self._redis.swept.get(self._partition, {})
        return StoredUser(user.fields.get("state"), {k: user.orders.get(k) for k in order_ids}, listed)

    def _segment(self, user_id: str) -> int | None:
        user = self._redis.users.get(user_id)
        segment = None if user is None else user.fields.get("segment")
        return None if segment is None else int(segment)


def _update(kept: dict[str, bytes], written: Mapping[str, bytes | str | None]) -> None:
    for name, value in written.items():
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = value.encode() if isinstance(value, str) else value
