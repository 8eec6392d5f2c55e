"""Features of one user recomputed from all of its facts at once, sharing nothing with the fold.

It follows the sentences of the contract (docs/contract.md), not the product's code: no incremental
state, no tallies, every rule applied to the whole set of facts.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from schemas.events import Event, Order, Signup, UserErased


def _iso(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat() + "Z"


def canonical_bytes(order: Order) -> bytes:
    """The known fields but ``event_id`` as compact JSON with sorted keys and normalised times."""
    told: dict[str, Any] = {
        "created_at": _iso(order.created_at),
        "items": [
            {
                name: value
                for name in ("brand", "category", "price", "product_id", "quantity")
                if (value := getattr(item, name)) is not None
            }
            for item in order.items
        ],
        "order_id": order.order_id,
        "user_id": order.user_id,
    }
    if order.status is not None:
        told["status"] = order.status
    if order.updated_at is not None:
        told["updated_at"] = _iso(order.updated_at)
    return json.dumps(told, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def features(
    user_id: str, facts: Sequence[Event], exclude_statuses: Collection[str] = ()
) -> dict[str, Any] | None:
    """The seven features, or None where no fact stands."""
    erasures = [fact.erased_at for fact in facts if isinstance(fact, UserErased)]
    erased_at = max(erasures, default=None)
    standing = [
        fact
        for fact in facts
        if not isinstance(fact, UserErased) and (erased_at is None or fact.at > erased_at)
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
    versions: dict[str, list[Order]] = defaultdict(list)
    for fact in standing:
        if isinstance(fact, Order):
            versions[fact.order_id].append(fact)
    newest = [
        max(some, key=lambda order: (order.updated_at or order.created_at, canonical_bytes(order)))
        for some in versions.values()
    ]
    counted = [order for order in newest if order.status not in exclude_statuses]
    told["total_orders"] = len(counted) or None
    for feature, name in (("most_frequent_brand", "brand"), ("most_frequent_category", "category")):
        told[feature] = _most_frequent(user_id, counted, name)
    return told


def _most_frequent(user_id: str, counted: Sequence[Order], name: str) -> str | None:
    amounts: Counter[str] = Counter()
    first: dict[str, datetime] = {}
    for order in counted:
        for item in order.items:
            value = getattr(item, name)
            if value is None:
                continue
            amounts[value] += 1 if item.quantity is None else item.quantity
            first[value] = min(first.get(value, order.created_at), order.created_at)
    ranked = sorted(
        amounts,
        key=lambda value: (
            -amounts[value],
            first[value],
            hashlib.md5(f"{user_id}:{value}".encode()).hexdigest(),
        ),
    )
    return ranked[0] if ranked else None
