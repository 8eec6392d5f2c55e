"""Golden files of the bytes that made-up streams leave in Kafka and in Redis.

``python -m tests.support.checks.kept_bytes`` rewrites the files, after an intended change of the bytes.

A file's lines are JSON: the records of the topics, the committed offsets, every saved place, and the final
contents of Redis. Bytes are written as text, and
MessagePack in hex. A value equal to an earlier record's value is written as the
name of that record.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

from msgspec.structs import replace

from schemas.input_events import Item, Order, Signup, UserErased
from schemas.inputs.decode import encode_order, encode_signup
from schemas.topics import Topics
from streamer.in_memory import MemoryKafka, MemoryRedis, MemoryStore
from streamer.interfaces.lane_errors import Torn
from streamer.interfaces.lane_interfaces import Log, OutRecord, Store, UserWrite
from streamer.lane.lane import Lane
from streamer.place.offset_note import note
from streamer.place.redis_keys import Keys
from streamer.refill.rebuild_lane import move
from tests.support.checks.moves import OLD, YOUNG, YOUNG_AGAIN
from tests.support.inputs import bad_events
from tests.support.strategies.events import START
from tests.support.strategies.features import RICH
from tests.support.worlds.bootstraps import fill
from tests.support.worlds.failing_ends import Crash
from tests.support.worlds.lane_world import World, drain, drain_all
from tests.support.worlds.made_up_release import CENTRES, a_release, an_active_model
from tests.support.worlds.rebuilds import rebuilt

FOLDER = Path(__file__).parents[2] / "data" / "bytes"
AT_MS = 1_704_067_200_000  # START
_LONG = 300
# The kept bytes are older than this kind, and a state without it must not change.
_FEATURES = tuple(feature for feature in RICH if feature.kind != "interval")
_MANY = 8

Line = list[Any]


class Noted:
    """A store that records each place that it saves."""

    def __init__(self, store: Store, lane: int, saved: list[Line]) -> None:
        self._store = store
        self._lane = lane
        self._saved = saved

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def save(self, expected: bytes | None, place: bytes, writes: Sequence[UserWrite]) -> bool:
        return self._note(self._store.save(expected, place, writes), "saved", place)

    def replace_torn(self, torn: Torn, place: bytes) -> bool:
        return self._note(self._store.replace_torn(torn, place), "saved over a torn lane", place)

    def _note(self, done: bool, how: str, place: bytes) -> bool:
        self._saved.append([how if done else f"not {how}", self._lane, place.decode()])
        return done


class Dying:
    """A log whose process dies after a commit."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def commit(self, records: Sequence[OutRecord], positions: Mapping[str, int]) -> NoReturn:
        self._log.commit(records, positions)
        raise Crash


class Stream:
    """A world with lanes that record each place that they save."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.saved: list[Line] = []

    def lane(self, partition: int = 0, *, dies: bool = False) -> Lane:
        """Return a lane before its takeover; ``dies``: it dies after its first commit."""

        def wrap(log: Log, store: Store) -> tuple[Log, Store]:
            return Dying(log) if dies else log, self.noted(store, partition)

        return self.world.lane(partition, wrap)

    def noted(self, store: Store, partition: int = 0) -> Store:
        return Noted(store, partition, self.saved)

    def taken(self, partition: int = 0) -> Lane:
        lane = self.lane(partition)
        lane.take_over(self.world.writer())
        return lane

    def run(self, partition: int = 0) -> Lane:
        lane = self.taken(partition)
        drain(lane)
        return lane

    def left(self) -> Iterator[Line]:
        """Yield the lines of all records, offsets, saved places and keys."""
        topics = self.world.topics
        yield from records(self.world.kafka, (topics.changes, topics.users, topics.dead_letters))
        if topics.rekey:
            yield from records(self.world.kafka, (topics.rekeyed,))
        yield from offsets(self.world.kafka)
        yield from self.saved
        yield from stored(self.world.redis)


def records(kafka: MemoryKafka, topics: Sequence[str]) -> Iterator[Line]:
    names: dict[bytes, str] = {}
    for topic in topics:
        for partition in kafka.topics[topic].partitions:
            for record in partition:
                name = f"{topic}/{record.partition}/{record.offset}"
                value = None if record.value is None else names.get(record.value, _text(record.value))
                if record.value is not None:
                    names.setdefault(record.value, f"as {name}")
                headers = [[header, _text(said)] for header, said in record.headers]
                yield [name, _text(record.key), value, headers]


def offsets(kafka: MemoryKafka) -> Iterator[Line]:
    for (topic, partition), at in sorted(kafka.offsets.items()):
        assert at.topic_id is not None
        yield [f"offset of {topic}/{partition}", at.offset, note(at.topic_id, at.former, at.day)]


def stored(redis: MemoryRedis) -> Iterator[Line]:
    for lane, place in sorted(redis.places.items()):
        yield ["place", lane, _text(place)]
    for user_id, user in sorted(redis.users.items()):
        fields = {name: _text(value) for name, value in sorted(user.fields.items())}
        orders = {name: _text(value) for name, value in sorted(user.orders.items())}
        yield ["user", user_id, fields, _few(list(orders.items())), _few(sorted(user.index))]
    for space, index in sorted(redis.indexes.items()):
        # The last digits depend on the C library.
        angles = sorted([user_id, f"{at:.12f}"] for user_id, at in index.nearest(0.0, len(index)))
        yield ["angles", space, angles]
    for lane, swept in sorted(redis.swept.items()):
        yield ["swept", lane, dict(sorted(swept.items()))]
    for lane, due in sorted(redis.due.items()):
        yield ["due", lane, {user_id: str(day) for user_id, day in sorted(due.items())}]


def _few(entries: Sequence[Any]) -> Sequence[Any]:
    """Shorten many entries to the first few, their number and a digest of all."""
    if len(entries) <= _MANY:
        return entries
    return [*entries[:_MANY], len(entries), sha256(json.dumps(entries).encode()).hexdigest()]


def _text(value: bytes | None) -> str | None:
    if value is None:
        return None
    # No UTF-8 text begins like an array in MessagePack.
    is_array = b"\x90" <= value[:1] <= b"\x9f"
    return f"hex {value.hex()}" if is_array else value.decode(errors="backslashreplace")


def bytes_of(kept_text: str) -> bytes:
    """Return the bytes that a file keeps as text, if the text is UTF-8 or the bytes are MessagePack."""
    begin, _, digits = kept_text.partition(" ")
    return bytes.fromhex(digits) if begin == "hex" else kept_text.encode()


def an_order(number: int, brand: str = "Ön", **fields: Any) -> Order:
    items = (Item(brand, "Socks", f"p{number % 3}", price=number + 0.25, quantity=1 + number % 2),)
    at = START + timedelta(minutes=number)
    return Order("7", f"{number}", **{"created_at": at, "items": items, "status": "Complete", **fields})


def later(order: Order, **fields: Any) -> Order:
    return replace(order, updated_at=START + timedelta(days=9), **fields)


def events() -> Iterator[Line]:
    """Send signups, orders, newer and cancelled versions, erasures, returning users, and bad events."""
    stream = Stream(World(exclude=["Cancelled"]))
    world, first = stream.world, an_order(1)
    world.send(YOUNG, first, replace(YOUNG, user_id="8", age=70), an_order(2, "Carhartt"))
    lane = stream.run()
    world.send(later(first, items=(Item("Allegra K", "Jeans"),)), an_order(3, status="Cancelled"))
    world.send(later(an_order(2, "Carhartt"), status="Cancelled"), OLD, replace(first, user_id="Ünal 9"))
    drain(lane)
    for bad in (*bad_events.BAD_FIELDS, *bad_events.BAD_ORDERS):
        if len(bad.value or b"") < _LONG and not bad.reason.endswith("…"):  # "…": a parser's words
            world.kafka.append(bad.topic, 0, bad.key, bad.value, AT_MS)
    drain(lane)
    day = START + timedelta(days=1)
    world.send(UserErased("8", day), UserErased("7", day), UserErased("nobody", day))
    drain(lane)
    world.send(replace(OLD, created_at=day + timedelta(hours=1)), later(first), an_order(4, created_at=day))
    drain(lane)
    yield from stream.left()


def history() -> Iterator[Line]:
    """Make more moves than a user's history keeps."""
    stream = Stream(World(max_batch=50))
    lane = stream.taken()
    for number in range(53):
        at = START + timedelta(minutes=number)
        stream.world.send(replace(YOUNG if number % 2 else OLD, created_at=at))
    drain(lane)
    yield from stream.left()


def many_orders() -> Iterator[Line]:
    """Cancel orders of a user with an index of orders, the first and the last too; then erase the user."""
    stream = Stream(World(exclude=["Cancelled"], features=_FEATURES, max_batch=40))
    orders = [an_order(number, "Carhartt" if number in (0, 68) else "Ön") for number in range(70)]
    stream.world.send(*orders)
    lane = stream.run()
    for order in (orders[0], orders[-1], orders[5]):
        stream.world.send(later(order, status="Cancelled"))
        drain(lane)
    yield from stream.left()
    stream.world.send(UserErased("7", START + timedelta(minutes=20)))
    drain(lane)
    yield from stored(stream.world.redis)


def releases() -> Iterator[Line]:
    """Activate a release of the same space, then of another space; one lane fills its index first."""
    stream = Stream(World(2))
    world = stream.world
    world.send(*(Signup(who, START, age=20 + 30 * i, gender="F") for i, who in enumerate(("21", "7", "É"))))
    lanes = [stream.taken(0), stream.taken(1)]
    drain_all(lanes)
    swapped = a_release(centres=(CENTRES[2], CENTRES[1], CENTRES[0], CENTRES[3]))
    world.models.model = an_active_model(4, swapped)
    drain_all(lanes)
    world.models.model = an_active_model(6, a_release(scale=2.0))
    drain(lanes[0])
    world.send(Signup("21", START + timedelta(hours=1), age=100))
    drain(lanes[0])
    yield from stored(world.redis)
    drain_all(lanes)
    yield from stream.left()


def astray(rekey: bool) -> Iterator[Line]:
    """Send events to a wrong partition: the lane refuses them, or forwards them to the right lane."""
    stream = Stream(World(2, topics=Topics("eu."), rekey=rekey))
    world = stream.world
    for event in (YOUNG, an_order(1), replace(YOUNG, user_id="21")):
        topic = world.topics.orders if isinstance(event, Order) else world.topics.signups
        key, value = encode_order(event) if isinstance(event, Order) else encode_signup(event)
        world.kafka.append(topic, 0, None if isinstance(event, Order) else key, value, AT_MS)
    drain_all([stream.taken(0), stream.taken(1)])
    yield from stream.left()


def healed() -> Iterator[Line]:
    """Heal after a crash between commit and save, after a lost Redis, and after a torn lane."""
    stream = Stream(World())
    world = stream.world
    world.send(YOUNG, an_order(1), later(an_order(1), items=(Item("Allegra K"),)))
    stream.run()
    world.send(OLD, replace(YOUNG, user_id="8"), an_order(2))
    lane = stream.lane(dies=True)
    lane.take_over(world.writer())
    with suppress(Crash):
        drain(lane)
    stream.run()
    world.lose_redis()
    stream.run()
    world.redis.torn.add(0)
    lane = stream.run()
    world.send(YOUNG_AGAIN)
    drain(lane)
    yield from stream.left()


def made_anew() -> Iterator[Line]:
    """Delete an input and create it again, twice."""
    stream = Stream(World())
    world = stream.world
    world.send(YOUNG, an_order(1))
    stream.run()
    for event in (OLD, YOUNG_AGAIN):
        world.kafka.create(world.topics.signups, 1)
        stream.run()
        world.send(event)
        stream.run()
    yield from stream.left()


def bootstrapped() -> Iterator[Line]:
    """Bootstrap over an unfinished bootstrap, apply later events, and move to the result of a rebuild."""
    facts: list[Signup | Order] = [
        *(an_order(number, "Carhartt") for number in range(66)),
        YOUNG,
        replace(YOUNG, user_id="8", age=70),
    ]
    facts.sort(key=lambda fact: fact.user_id)
    stream = Stream(World())
    world = stream.world

    def dying(log: Log, store: Store) -> tuple[Log, Store]:
        return Dying(log), stream.noted(store)

    with suppress(Crash):
        fill(world, facts, wrap=dying, writer="bootstrap 1")
    fill(world, facts, wrap=lambda log, store: (log, stream.noted(store)), writer="bootstrap 2")
    yield from stored(world.redis)
    world.send(OLD, later(an_order(0, "Carhartt"), items=(Item("Ön"),)))
    stream.run()
    committed = {topic: world.kafka.offsets[topic, 0].offset for topic in world.topics.inputs}
    fresh = rebuilt(world, committed, warehouse=facts, noted=stream.noted)
    world.redis.beside["segue-2:"] = fresh
    fresh.prefix = "segue-2:"
    move(stream.noted(MemoryStore(world.redis, 0)), MemoryStore(fresh, 0), "segue-2:", {})
    world.send(YOUNG_AGAIN)
    stream.run()
    yield from stream.left()
    yield from stored(fresh)


def keys() -> Iterator[Line]:
    """Yield the names of the keys, on a single Redis and on a cluster."""
    for names in (Keys("segue:"), Keys("eu*:"), Keys("segue:", tagged=True)):
        yield [
            *(names.user("7", 1), names.orders("7", 1), names.angles("s1", 1)),
            *(names.rebuild(), names.trial("x")),
            *(names.place(1), names.saves(1), names.swept(1)),
            *(names.every_user(), names.every_orders(), names.every_angles()),
            *(names.every_swept(), names.every_place()),
        ]


STREAMS: Mapping[str, Callable[[], Iterator[Line]]] = {
    "events": events,
    "history": history,
    "many_orders": many_orders,
    "releases": releases,
    "refused": lambda: astray(rekey=False),
    "rekeyed": lambda: astray(rekey=True),
    "healed": healed,
    "made_anew": made_anew,
    "bootstrapped": bootstrapped,
    "keys": keys,
}


def text_of(name: str) -> str:
    """Return the text of a stream's file, made by running the stream."""
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in STREAMS[name]())


def path_of(name: str) -> Path:
    """Return the path of a stream's file."""
    return FOLDER / f"{name}.jsonl"


def kept(name: str) -> list[Line]:
    """Return the lines of a stream's file."""
    return [json.loads(line) for line in path_of(name).read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for stream_name in STREAMS:
        path_of(stream_name).write_text(text_of(stream_name), encoding="utf-8")
