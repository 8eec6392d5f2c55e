"""Recompute the features of one user from all facts at once, independently of the product's fold.

This module follows the sentences of the contract (docs/contract.md), not the product's code: no incremental
state, no tallies, every rule applied to the whole set of facts.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from schemas.features import FEATURES, Feature
from schemas.input_events import Event, Order, Signup, UserErased


def _iso(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat() + "Z"


def canonical_bytes(order: Order) -> bytes:
    """Return the known fields except ``event_id`` as compact JSON with sorted keys and normalised times."""
    told: dict[str, Any] = {
        "created_at": _iso(order.created_at),
        "items": [
            {
                name: value
                for name in ("brand", "category", "own", "price", "product_id", "quantity")
                if (value := getattr(item, name)) not in (None, {})
            }
            for item in order.items
        ],
        "order_id": order.order_id,
        "user_id": order.user_id,
    }
    if order.own:
        told["own"] = order.own
    if order.status is not None:
        told["status"] = order.status
    if order.updated_at is not None:
        told["updated_at"] = _iso(order.updated_at)
    return json.dumps(told, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def features(
    user_id: str,
    facts: Sequence[Event],
    exclude_statuses: Collection[str] = (),
    declared: Sequence[Feature] = FEATURES,
    day: date | None = None,
    time_zone: str = "UTC",
) -> dict[str, Any] | None:
    """Return the declared features, or None if an erasure has removed all facts.

    Args:
        user_id: the user.
        facts: all facts of the user.
        exclude_statuses: orders with one of these statuses do not count.
        declared: the features.
        day: the day of features of time.
        time_zone: the name of the zone in which a time becomes a date.
    """
    erasures = [fact.erased_at for fact in facts if isinstance(fact, UserErased)]
    erased_at = max(erasures, default=None)
    standing = [
        fact
        for fact in facts
        if not isinstance(fact, UserErased) and (erased_at is None or fact.created_at > erased_at)
    ]
    if not standing:
        return None
    told: dict[str, Any] = {}
    for name in ("age", "gender", "country", "traffic_source"):
        carried = [
            (fact.created_at, value.encode() if isinstance(value, str) else value, value)
            for fact in standing
            if isinstance(fact, Signup) and (value := getattr(fact, name)) is not None
        ]
        told[name] = max(carried)[2] if carried else None
    for name in {name for fact in standing if isinstance(fact, Signup) for name in fact.own}:
        told[name] = max(
            (fact.created_at, value.encode() if isinstance(value, str) else value, value)
            for fact in standing
            if isinstance(fact, Signup) and (value := fact.own.get(name)) is not None
        )[2]
    versions: dict[str, list[Order]] = defaultdict(list)
    for fact in standing:
        if isinstance(fact, Order):
            versions[fact.order_id].append(fact)
    newest = [
        max(some, key=lambda order: (order.updated_at or order.created_at, canonical_bytes(order)))
        for some in versions.values()
    ]
    counted = [order for order in newest if order.status not in exclude_statuses]
    told["order_id"] = len(counted) or None
    features = {feature.name: _feature(user_id, feature, told, counted) for feature in declared}
    dates = {
        "last_order": [_local(order.created_at, time_zone) for order in counted],
        "first_order": [_local(order.created_at, time_zone) for order in counted],
        "signup": [_local(fact.created_at, time_zone) for fact in standing if isinstance(fact, Signup)],
    }
    for feature in declared:
        if feature.window is not None:
            assert day is not None
            began = day - timedelta(days=feature.window)
            within = [o for o in counted if began < _local(o.created_at, time_zone) <= day]
            of_window = {**told, "order_id": len(within) or None}
            features[feature.name] = _feature(user_id, feature, of_window, within)
        if feature.kind == "days_since":
            assert day is not None
            own = told.get(feature.source)
            known = dates.get(feature.source, [] if own is None else [date.fromisoformat(own)])
            choose = max if feature.source == "last_order" else min
            at = choose((each for each in known if each <= day), default=None)
            features[feature.name] = None if at is None else (day - at).days
    return features


def _local(at: datetime, time_zone: str) -> date:
    return at.astimezone(ZoneInfo(time_zone)).date()


def _feature(user_id: str, feature: Feature, told: dict[str, Any], counted: Sequence[Order]) -> Any:
    if feature.kind == "days_since":
        return None
    value = _value(user_id, feature, told, counted)
    return value == "true" if value is not None and feature.boolean else value


def _value(user_id: str, feature: Feature, told: dict[str, Any], counted: Sequence[Order]) -> Any:
    kind, source = feature.kind, feature.source
    if kind == "interval":
        return _interval([order.created_at for order in counted])
    if source in told or source.startswith("user."):
        return told.get(source)
    held = [(order, texts_or_numbers) for order in counted if (texts_or_numbers := _held(order, source))]
    if not held:
        return None
    newest, of_newest = max(held, key=lambda pair: (pair[0].created_at, pair[0].order_id.encode()))
    every = [entry for _, entries in held for entry in entries]
    match kind:
        case "most_frequent":
            return _most_frequent(user_id, held)
        case "distinct":
            return len({value for value, _ in every})
        case "last":
            return (
                _most_frequent(user_id, [(newest, of_newest)])
                if isinstance(of_newest[0][0], str)
                else float(max(of_newest)[0])
            )
        case "sum":
            return float(sum(value * weight for value, weight in every))
        case "mean":
            return float(sum(value * weight for value, weight in every)) / sum(weight for _, weight in every)
        case "min":
            return float(min(every)[0])
        case "max":
            return float(max(every)[0])
    raise AssertionError(kind)


def _interval(times: Sequence[datetime]) -> float | None:
    """Return the days between two orders: all the time between the first and the last, by the gaps."""
    if len(times) < 2:
        return None
    passed = (max(times) - min(times)) // timedelta(microseconds=1)
    return passed / (len(times) - 1) / (24 * 3600 * 1e6)


def _is_text(source: str) -> bool:
    return source not in ("price", "quantity", "order_value") and not source.startswith("item.")


def _held(order: Order, source: str) -> list[tuple[Any, int]]:
    """Return an order's values of a source, each with its weight; numbers are exact fractions."""
    if source == "status" or source.startswith("order."):
        value = order.status if source == "status" else order.own.get(source)
        return [] if value is None else [(_exact(value), 1)]
    lines = [(item, 1 if item.quantity is None else item.quantity) for item in order.items]
    if _is_text(source):
        return [(value, count) for item, count in lines if (value := getattr(item, source)) is not None]
    few = [(item, count) for item, count in lines if count <= 1_000_000]
    if source.startswith("item."):
        own = [(item.own.get(source), item, count) for item, count in lines]
        return [
            (_exact(value), count)
            for value, item, count in own
            if value is not None and (isinstance(value, str) or (item, count) in few)
        ]
    if source == "quantity":
        return [(Fraction(count), 1) for _, count in few]
    prices = [
        (_millionths(item.price), count)
        for item, count in few
        if item.price is not None and -1e12 <= item.price <= 1e12
    ]
    if source == "price" or not prices:
        return prices
    return [(Fraction(sum(price * count for price, count in prices)), 1)]


def _exact(value: str | int) -> str | Fraction:
    """Return an own value; a number is in millionths."""
    return value if isinstance(value, str) else Fraction(value, 1_000_000)


def _millionths(price: float) -> Fraction:
    """Return the price rounded to a millionth; prices in tests have few digits, so a double suffices."""
    return Fraction(round(Fraction(str(price)) * 1_000_000), 1_000_000)


def _most_frequent(user_id: str, held: Sequence[tuple[Order, list[tuple[Any, int]]]]) -> str:
    amounts: Counter[str] = Counter()
    first: dict[str, datetime] = {}
    for order, texts in held:
        for value, count in texts:
            amounts[value] += count
            first[value] = min(first.get(value, order.created_at), order.created_at)
    return min(
        amounts,
        key=lambda value: (
            -amounts[value],
            first[value],
            hashlib.md5(f"{user_id}:{value}".encode()).hexdigest(),
        ),
    )
