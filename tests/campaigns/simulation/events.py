"""The records of producers: few users and values, so that ties are frequent and users move back and forth."""

from datetime import datetime, timedelta
from random import Random

from schemas.input_events import Event, Item, Order, Signup, UserErased
from schemas.inputs.decode import encode_order, encode_signup
from schemas.partitioner import partition_of
from tests.support.inputs.bad_events import BAD_FIELDS, BAD_ORDERS
from tests.support.strategies.events import START
from tests.support.worlds.lane_world import World

# By murmur2 "21" and "España" share partition 0 of 2; "7" is alone in partition 1.
USERS = ("7", "21", "España")

_KINDS = {"signup": 6, "order": 6, "erasure": 1, "null": 1, "again": 2, "bad": 1, "astray": 1}


class Producers:
    """All producers of a world's inputs."""

    def __init__(self, world: World, random: Random) -> None:
        self._world = world
        self._random = random
        self._written = 0

    def write(self) -> str:
        """Write one record; return its description."""
        self._written += 1
        kinds = {**_KINDS, "elsewhere": 6} if self._world.topics.rekey else _KINDS
        kind = self._random.choices([*kinds], [*kinds.values()])[0]
        if kind == "elsewhere":
            return self._elsewhere()
        if kind == "signup":
            return self._send(self._signup())
        if kind == "order":
            return self._send(self._order())
        if kind == "erasure":
            return self._send(UserErased(self._user(), self._time(later=-2)))
        if kind == "null":
            return self._null()
        if kind == "bad":
            bad = self._random.choice([*BAD_FIELDS, *BAD_ORDERS])
            self._append(bad.topic, 0, bad.key, bad.value, 0)
            return f"bad: {bad.kind}"
        return self._again(astray=kind == "astray")

    def fact(self) -> Signup | Order:
        """Return a new signup or order."""
        self._written += 1
        return self._signup() if self._random.random() < 0.5 else self._order()

    def write_fact(self) -> str:
        """Write a fact to the user's partition; with re-keying, to any partition. Return its description."""
        return self._elsewhere(erasing=False) if self._world.topics.rekey else self._send(self.fact())

    def _send(self, event: Event) -> str:
        self._world.send(event)
        return repr(event)

    def _append(self, topic: str, partition: int, key: bytes | None, value: bytes | None, at_ms: int) -> None:
        self._world.kafka.append(topic, partition, key, value, at_ms)

    def _user(self) -> str:
        return self._random.choice(USERS)

    def _time(self, later: int = 0) -> datetime:
        """Return about the present time, in hours; several events share a time, and some are late.

        With features of time, the times follow the clock, and some are ahead of it.
        """
        apart = self._random.randint(-3, 3)
        if self._world.config.rules.of_time:
            return self._world.now + timedelta(hours=3 * apart + later)
        return START + timedelta(hours=self._written // 3 + later + apart)

    def _signup(self) -> Signup:
        pick = self._random.choice
        return Signup(
            self._user(),
            self._time(),
            age=pick([None, 20, 20.5, 100]),
            gender=pick([None, "F", "M", "X"]),
            country=pick([None, "Spain", "España"]),
            traffic_source=pick([None, "Search", "Email"]),
        )

    def _order(self) -> Order:
        pick = self._random.choice
        items = tuple(
            Item(
                brand=pick([None, "Allegra K", "Carhartt", "Ön"]),
                category=pick([None, "Jeans", "Socks"]),
                quantity=pick([None, 1, 2]),
            )
            for _ in range(self._random.randint(1, 2))
        )
        return Order(
            self._user(),
            pick(["1", "2", "3"]),
            self._time(),
            items,
            status=pick([None, "Cancelled"]),
            updated_at=pick([None, self._time()]),
        )

    def _null(self) -> str:
        """Write an erasure as a null value; its time is the record's time."""
        user_id, at = self._user(), self._time(later=-2)
        partition = partition_of(user_id, self._world.partitions)
        self._append(
            self._world.topics.signups, partition, user_id.encode(), None, int(at.timestamp()) * 1000
        )
        return f"null for {user_id} at {at}"

    def _elsewhere(self, *, erasing: bool = True) -> str:
        """Write a new fact to any partition, with any key; a null always has the user's key."""
        pick, topics = self._random.choice, self._world.topics
        kind = pick(["signup", "order", "order", *(["null"] if erasing else [])])
        user_id, at_ms = self._user(), int(self._time(later=-2).timestamp()) * 1000
        topic, key, value = topics.signups, user_id.encode(), None
        if kind == "signup":
            key, value = encode_signup(self._signup())
        elif kind == "order":
            topic = topics.orders
            key, value = encode_order(self._order())
        key_given = key if kind == "null" else pick([key, None, b"session"])
        partition = self._random.randrange(self._world.partitions)
        self._append(topic, partition, key_given, value, at_ms)
        return f"elsewhere, in {topic}[{partition}]: {value!r} by {key_given!r} at {at_ms} ms"

    def _again(self, *, astray: bool) -> str:
        """Write an earlier record again, with ``astray`` in another partition."""
        records = [record for topic in self._world.topics.sources for record in self._world.records(topic)]
        if not records:
            return "nothing to write again"
        record = self._random.choice(records)
        partition = (record.partition + astray) % self._world.partitions
        self._append(record.topic, partition, record.key, record.value, record.timestamp_ms)
        return f"{record.topic}[{record.partition}]@{record.offset} again, in partition {partition}"
