"""A shop's events with the usual mistakes of producers: disorder, duplicates, versions, bad records."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from msgspec.structs import replace

from schemas.input_events import Event, Item, Order, Signup, UserErased
from tests.support.inputs.bad_events import BAD_RECORDS, BadRecord

EVENTS_A_USER = 20
_START = datetime(2024, 1, 1, tzinfo=UTC)
_LATE_DAYS = 20
_BRANDS = ("Allegra K", "Carhartt", "Calvin Klein", "Hanes", "Nautica", "Ön", "日本", "O'Neill")
_CATEGORIES = ("Jeans", "Socks", "Swim", "Intimates", "Sweaters")
_COUNTRIES = ("China", "Brasil", "España", "Spain", "Deutschland", "Germany")
_STATUSES = (None, "Complete", "Shipped", "Processing", "Cancelled", "Returned")
_SOURCES = ("Search", "Organic", "Facebook", "Email", "Display")
_KINDS = {"signup": 25, "order": 45, "version": 15, "again": 10, "erasure": 3, "bad": 2}
_REMEMBERED = 5_000
_STRAY = 0.03


@dataclass(frozen=True, slots=True)
class Stray:
    """An event in a wrong partition, ``beside`` partitions after its own; with ``rekey`` it has this key."""

    event: Event
    beside: int
    key: bytes | None


def with_strays(
    events: Iterator[Event | BadRecord], random: Random, partitions: int, *, rekey: bool
) -> Iterator[Event | BadRecord | Stray]:
    """Yield the same events, a few in a wrong partition.

    With ``rekey`` lanes ignore keys, so records that are bad only for their key are left out.
    """
    for event in events:
        if not isinstance(event, BadRecord) and random.random() < _STRAY:
            yield Stray(event, random.randrange(1, partitions), random.choice((None, b"session")))
        elif not (rekey and isinstance(event, BadRecord) and "key the record" in event.reason):
            yield event


def records(random: Random, count: int, users: int | None = None) -> Iterator[Event | BadRecord]:
    """Yield ``count`` events, a few of them bad, of ``users`` users; None: a user for each 20 events."""
    recent: deque[Event] = deque(maxlen=_REMEMBERED)
    growing = max(50, count // EVENTS_A_USER)
    for number in range(count):
        kind = random.choices([*_KINDS], [*_KINDS.values()])[0]
        if kind == "bad":
            yield random.choice(BAD_RECORDS)
            continue
        # The number of users grows with the events; early events often have the same users.
        known = users or max(20, growing * (number + 1) // count)
        user_id = str(random.randrange(known))
        at = _START + timedelta(minutes=number) - timedelta(minutes=random.randrange(_LATE_DAYS * 24 * 60))
        event = _event(kind, user_id, at, recent, random)
        recent.append(event)
        yield event


def _event(kind: str, user_id: str, at: datetime, recent: deque[Event], random: Random) -> Event:
    if kind in ("version", "again") and recent:
        former = recent[random.randrange(len(recent))]
        if kind == "again" or not isinstance(former, Order):
            return former
        return _version(former, random)
    if kind == "erasure":
        return UserErased(user_id, at)
    if kind == "signup":
        return a_signup(user_id, at, random)
    return an_order(user_id, at, random)


def a_signup(user_id: str, at: datetime, random: Random) -> Signup:
    """Return a signup with some of the profile's fields."""
    return Signup(
        user_id,
        at,
        age=random.choice((None, *range(18, 71))),
        gender=random.choice((None, "F", "M")),
        country=random.choice((None, *_COUNTRIES)),
        traffic_source=random.choice((None, *_SOURCES)),
    )


def an_order(user_id: str, at: datetime, random: Random) -> Order:
    # Few ids: an order often has several versions with different times.
    order_id = f"{user_id}-{random.randrange(12)}"
    return Order(user_id, order_id, at, _items(random), status=random.choice(_STATUSES))


def _version(order: Order, random: Random) -> Order:
    """Return another version of an order, later or earlier, with another status or other items."""
    updated_at = order.at + timedelta(hours=random.randrange(-48, 96))
    items = order.items if random.random() < 0.7 else _items(random)
    return replace(order, updated_at=updated_at, status=random.choice(_STATUSES), items=items)


def _items(random: Random) -> tuple[Item, ...]:
    return tuple(
        Item(
            brand=random.choice((None, *_BRANDS)),
            category=random.choice((None, *_CATEGORIES)),
            price=random.choice((None, 5, 19.99, 120.5)),
            quantity=random.choice((None, 1, 2)),
        )
        for _ in range(random.randint(1, 4))
    )
