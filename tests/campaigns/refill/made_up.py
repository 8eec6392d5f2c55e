"""A shop of any size that needs no memory: reads compute its log, its facts and its Redis.

User n has the values of user n modulo 100, with another id. Each user has a signup, an order and a decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from schemas.input_events import Item, Order, Signup
from schemas.inputs.decode import encode_order, encode_signup
from schemas.outputs.segment_change import Cause
from schemas.topics import Topics
from streamer.batch.batch_users import write_of
from streamer.batch.change_records import change_records
from streamer.batch.lane_config import LaneConfig
from streamer.in_memory import MemoryKafka, MemoryLog, MemoryRedis, MemoryStore
from streamer.interfaces.lane_interfaces import Bounds, Headers, OutRecord, Record, Unswept, UserWrite
from streamer.place import place as places
from streamer.place.place import FoldSettings, Place
from streamer.place.redis_keys import ORDER_PREFIX, STATE, Keys
from streamer.refill.compare_states import Kept
from streamer.segment.decide_event import decide
from streamer.user.fold_events import fold_all
from streamer.user.order_rules import Rules
from streamer.user.user_state import UserState
from tests.support.checks.refusing import refuse_none
from tests.support.worlds.made_up_release import an_active_model

NOW = datetime(2024, 6, 1, tzinfo=UTC)
_SINCE = datetime(2024, 1, 1, tzinfo=UTC)
_KINDS = 100
# The id in the values of a kind; each copy replaces it.
_ID = "@"
# Primes: so each topic has every user once, and each topic has another order.
_STRIDES = (1, 7_919, 104_729)

TOPICS = Topics()
MODEL = an_active_model()
CONFIG = LaneConfig(TOPICS, Rules(TOPICS.prefix), FoldSettings(1), max_batch=500)


class _Kind(Struct, frozen=True):
    """The values that all users of a kind share, with the id ``@``."""

    facts: tuple[Signup, Order]
    values: Mapping[str, bytes]
    headers: Headers
    fields: Mapping[str, bytes]
    orders: Mapping[str, bytes]
    angles: Mapping[str, float]


class Shop:
    """A shop with the users 0, 1, …; their number must be no multiple of the primes above."""

    def __init__(self, users: int) -> None:
        self.users = users
        self._kinds = [_kind(number) for number in range(_KINDS)]
        self.ends = {**dict.fromkeys((TOPICS.signups, TOPICS.orders, TOPICS.users), users), TOPICS.changes: 0}
        self._strides = dict(zip((TOPICS.signups, TOPICS.orders, TOPICS.users), _STRIDES, strict=True))

    def record(self, topic: str, offset: int) -> Record:
        """Return a record of the log."""
        number = offset * self._strides[topic] % self.users
        user_id, kind = str(number).encode(), self._kinds[number % _KINDS]
        headers = kind.headers if topic == TOPICS.users else ()
        value = kind.values[topic].replace(_ID.encode(), user_id)
        return Record(topic, 0, offset, user_id, value, -1, headers)

    def facts(self) -> Iterator[Signup | Order]:
        """Yield the facts of a warehouse, grouped by user."""
        for number in range(self.users):
            user_id, (signup, order) = str(number), self._kinds[number % _KINDS].facts
            yield Signup(user_id, signup.created_at, signup.age, signup.gender)
            yield Order(user_id, f"{user_id}-1", order.created_at, order.items)

    def kept(self, user_id: str) -> Kept:
        """Return all that Redis holds of a user."""
        kind = self._kinds[int(user_id) % _KINDS]
        orders = {
            ORDER_PREFIX + order_id.replace(_ID, user_id): value.replace(_ID.encode(), user_id.encode())
            for order_id, value in kind.orders.items()
        }
        return Kept({**kind.fields, **orders}, kind.angles, swept=True)

    def state(self, user_id: str) -> bytes:
        """Return a user's stored state."""
        return self._kinds[int(user_id) % _KINDS].fields[STATE]

    @property
    def place(self) -> Place:
        """The place of a lane at the end of the log."""
        positions = {topic: end for topic, end in self.ends.items() if topic != TOPICS.changes}
        return Place(1, "made up", positions, {}, CONFIG.settings, places.using(None, MODEL))


def _kind(number: int) -> _Kind:
    signup = Signup(_ID, _SINCE, 18 + number % 60, "FM"[number % 2])
    order = Order(_ID, f"{_ID}-1", _SINCE, (Item(f"brand {number % 7}", f"category {number % 3}"),))
    cause = Cause("order", positions={TOPICS.signups: 1, TOPICS.orders: 1})
    step = decide(
        fold_all(UserState(_ID), (signup, order), CONFIG.rules, refuse_none),
        cause,
        NOW,
        MODEL,
        CONFIG.rules,
        NOW,
    )
    (change,) = step.changes
    told = change_records(change, TOPICS, 0, MODEL.topic_id, None)[1]
    assert told.value is not None
    write = write_of(None, step.state, places.using(None, MODEL), {}, CONFIG.rules, None, index_all=True)
    return _Kind(
        (signup, order),
        {
            TOPICS.signups: encode_signup(signup)[1],
            TOPICS.orders: encode_order(order)[1],
            TOPICS.users: told.value,
        },
        told.headers,
        {name: _bytes(value) for name, value in write.fields.items() if value is not None},
        {order_id: value for order_id, value in write.orders.items() if value is not None},
        {space: at for space, at in write.angles.items() if at is not None},
    )


def _bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value


class MadeUpLog(MemoryLog):
    """The log of the only lane; it drops all records written to it."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(MemoryKafka(), 0, TOPICS.inputs)
        self._shop = shop
        self._at: dict[str, int] = {}

    def watch(self, topic: str) -> Bounds:
        return Bounds(0, self._shop.ends[topic], f"{topic}#0")

    def read_from(self, positions: Mapping[str, int]) -> None:
        self._at = dict(positions)

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        taken: list[Record] = []
        for topic, begin in self._at.items():
            end = min(self._shop.ends[topic], begin + max_records - len(taken))
            taken += (self._shop.record(topic, offset) for offset in range(begin, end))
            self._at[topic] = end
        return taken

    def at_end(self, ends: Mapping[str, int]) -> bool:
        return all(self._at[topic] >= end for topic, end in ends.items())

    def commit(self, records: Sequence[OutRecord], positions: Mapping[str, int]) -> dict[str, int]:
        return {}


class CountingStore(MemoryStore):
    """The store of the only lane; it counts the saved users and drops them."""

    def __init__(self) -> None:
        super().__init__(MemoryRedis(), 0)
        self.users = 0

    def save(self, expected: bytes | None, place: bytes, writes: Sequence[UserWrite]) -> bool:
        done = super().save(expected, place, [])
        self.users += len(writes) if done else 0
        return done

    def unswept(self, sweep: int, most: int) -> Unswept:
        return Unswept([], self.users)


class MadeUpLane:
    """The lane's contents in Redis, for a comparison."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def read(self, user_ids: Sequence[str]) -> tuple[Place, Mapping[str, Kept]]:
        return self._shop.place, {user_id: self._shop.kept(user_id) for user_id in user_ids}


class MadeUpRedis:
    """A Redis client that lists users and reads their states; it lists some users twice."""

    def __init__(self, shop: Shop, keys: Keys) -> None:
        self._shop = shop
        self._keys = keys
        self._asked: list[Any] = []

    def scan(self, cursor: int, match: str, count: int) -> tuple[int, list[bytes]]:
        end = min(self._shop.users, cursor + count)
        begin = max(0, cursor - count // 10)
        keys = [self._keys.user(str(number), 0).encode() for number in range(begin, end)]
        return (0 if end == self._shop.users else end), keys

    def mget(self, *keys: str) -> list[bytes | None]:
        self._asked.append([None, None])
        return [None, None]

    def hget(self, key: str, field: str) -> None:
        assert field == STATE
        self._asked.append(self._shop.state(key.rpartition(":")[2]))

    def pipeline(self, transaction: bool) -> MadeUpRedis:
        return MadeUpRedis(self._shop, self._keys)

    def execute(self) -> list[Any]:
        return self._asked

    def close(self) -> None:
        """Do nothing: there is no connection."""
