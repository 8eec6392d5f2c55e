"""A user's state in a few packed fields, the fold that changes it in place, and its features."""

import hashlib
from datetime import datetime

import msgspec
from msgspec import Struct

from benchmarks.bare.bare_events import BareEvent, BareItem, BareSignup

Value = int | float | str | None
# By value, the number of items and the time of the first order.
Tallies = dict[str, tuple[int, datetime]]


class BareUser(Struct, array_like=True, gc=False):
    """The facts and the last decision of one user."""

    age: int | float | None = None
    gender: str | None = None
    country: str | None = None
    traffic_source: str | None = None
    signed_up_at: datetime | None = None
    order_ids: list[str] = []
    brands: Tallies = {}
    categories: Tallies = {}
    segment: int | None = None
    provisional: bool = False
    sequence: int = 0


encode_user = msgspec.msgpack.Encoder().encode
decode_user = msgspec.msgpack.Decoder(BareUser).decode


def fold(user: BareUser, event: BareEvent) -> None:
    """Apply one event. An order that the user has already changes nothing."""
    if isinstance(event, BareSignup):
        if user.signed_up_at is None or event.created_at > user.signed_up_at:
            user.signed_up_at = event.created_at
            user.age = event.age
            user.gender = event.gender
            user.country = event.country
            user.traffic_source = event.traffic_source
    elif event.order_id not in user.order_ids:
        user.order_ids.append(event.order_id)
        for item in event.items:
            _count(user, item, event.created_at)


def features(user_id: str, user: BareUser) -> dict[str, Value]:
    """The values of the seven default features, by name."""
    return {
        "age": user.age,
        "gender": user.gender,
        "country": user.country,
        "traffic_source": user.traffic_source,
        "total_orders": len(user.order_ids) or None,
        "most_frequent_brand": _most_frequent(user_id, user.brands),
        "most_frequent_category": _most_frequent(user_id, user.categories),
    }


def _count(user: BareUser, item: BareItem, at: datetime) -> None:
    times = 1 if item.quantity is None else item.quantity
    for value, tallies in ((item.brand, user.brands), (item.category, user.categories)):
        if value is not None:
            known = tallies.get(value)
            tallies[value] = (times, at) if known is None else (known[0] + times, min(known[1], at))


def _most_frequent(user_id: str, tallies: Tallies) -> str | None:
    """The value with the most items; ties go as docs/features.md says."""
    if len(tallies) < 2:
        return next(iter(tallies), None)
    most = max(tally[0] for tally in tallies.values())
    tied = [value for value, tally in tallies.items() if tally[0] == most]
    if len(tied) == 1:
        return tied[0]
    return min(tied, key=lambda value: (tallies[value][1], _toss(user_id, value)))


def _toss(user_id: str, value: str) -> str:
    return hashlib.md5(f"{user_id}:{value}".encode(), usedforsecurity=False).hexdigest()
