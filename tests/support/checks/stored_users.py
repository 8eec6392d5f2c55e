"""Read every user from Redis by the layout in docs/redis.md, and check it against facts and changes.

The check does not use the product's reader, fold or names of keys.
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any

from schemas.input_events import Event, Order, UserErased
from streamer.redis.node_urls import is_cluster
from tests.support.checks.feature_oracle import canonical_bytes
from tests.support.checks.stored_json import order_json, state_json
from tests.support.servers.redis_cluster import opened_redis

_AT_ONCE = 1_000
_HISTORY = 50
_PLAIN = ("segment", "segment_name", "provisional", "sequence", "model_version", "activation")
_CAUSE = ("type", "topic", "partition", "offset")

Fields = Mapping[bytes, bytes]


@dataclass(slots=True)
class Stored:
    """All that Redis holds under a prefix.

    Attributes:
        users: the fields, by user id.
        angles: the index of each space: the angles, by user id.
        swept: the lanes that list the user for their sweeps, by user id.
        due: the lanes that list the user among those who are due, by user id.
        orders: the users with an index of orders.
    """

    users: dict[str, dict[bytes, bytes]] = field(default_factory=dict)
    angles: dict[str, dict[str, float]] = field(default_factory=dict)
    swept: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    due: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    orders: set[str] = field(default_factory=set)

    def strangers(self, known: set[str]) -> list[str]:
        """Describe the users who have something in Redis but are not known."""
        of_index = [user_id for index in self.angles.values() for user_id in index]
        found = {*self.users, *of_index, *self.swept, *self.due, *self.orders} - known
        return [f"{user_id!r} has something in Redis and should not exist" for user_id in sorted(found)]

    def indexed(self, user_id: str) -> list[str]:
        """Return the indexes that have an entry of the user."""
        spaces = [f"angles:{space}" for space, index in self.angles.items() if user_id in index]
        of_orders = ["orders"] if user_id in self.orders else []
        of_lanes = [
            f"{kind}:{lane}"
            for kind, lanes in (("swept", self.swept), ("due", self.due))
            for lane in lanes.get(user_id, ())
        ]
        return [*spaces, *of_lanes, *of_orders]


def read_stored(url: str, prefix: str) -> Stored:
    """Read every key of a user and every member of an index, under exactly this prefix."""
    found, tagged = Stored(), is_cluster(url)
    with opened_redis(url) as opened:
        client: Any = opened  # redis-py has no types of answers
        keys = {
            kind: sorted(set(client.scan_iter(f"{_literal(prefix)}{kind}:*", 10_000)))
            for kind in ("user", "angles", "swept", "due", "orders")
        }
        for begin in range(0, len(keys["user"]), _AT_ONCE):
            some = keys["user"][begin : begin + _AT_ONCE]
            pipeline = client.pipeline(transaction=False)
            for key in some:
                pipeline.hgetall(key)
            for key, fields in zip(some, pipeline.execute(), strict=True):
                if fields:
                    found.users[_rest(key, prefix, "user", tagged=tagged)] = fields
        found.orders = {_rest(key, prefix, "orders", tagged=tagged) for key in keys["orders"]}
        for key in keys["angles"]:
            members = client.zrange(key, 0, -1, withscores=True)
            index = found.angles.setdefault(_rest(key, prefix, "angles", tagged=tagged), {})
            angles = {who.decode(): angle for who, angle in members}
            assert not index.keys() & angles.keys(), "a user has an angle in the index of another lane"
            index |= angles
        for kind, of_kind in (("swept", found.swept), ("due", found.due)):
            for key in keys[kind]:
                for who in client.zrange(key, 0, -1):
                    of_kind[who.decode()].append(int(_rest(key, prefix, kind, tagged=tagged).strip("{}")))
    return found


def _literal(text: str) -> str:
    return re.sub(r"([*?\[\]^\\])", r"\\\1", text)


def _rest(key: bytes, prefix: str, kind: str, *, tagged: bool) -> str:
    """Return what follows the kind; ``tagged``: without the lane's tag of a key on Redis Cluster."""
    rest = key.decode().removeprefix(f"{prefix}{kind}:")
    return re.sub(r"^\{\d+\}:", "", rest) if tagged else rest


def standing_orders(facts: Sequence[Event]) -> dict[str, bytes]:
    """Return the canonical bytes of the newest version of each order that no erasure removed, by order id."""
    erased_at = max((fact.erased_at for fact in facts if isinstance(fact, UserErased)), default=None)
    newest: dict[str, tuple[Any, bytes]] = {}
    for fact in facts:
        if isinstance(fact, Order) and (erased_at is None or fact.created_at > erased_at):
            version = fact.updated_at or fact.created_at, canonical_bytes(fact)
            newest[fact.order_id] = max(version, newest.get(fact.order_id, version))
    return {order_id: version[1] for order_id, version in newest.items()}


def features_of(user_id: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Compute the features from a state's tallies."""
    profile = facts.get("profile", {})
    told = {
        name: profile[name][1] if name in profile else None
        for name in ("age", "gender", "country", "traffic_source")
    }
    return told | {
        "total_orders": facts.get("counted") or None,
        "most_frequent_brand": _most_frequent(user_id, facts.get("brands", {})),
        "most_frequent_category": _most_frequent(user_id, facts.get("categories", {})),
    }


def _most_frequent(user_id: str, tallies: Mapping[str, tuple[int, str]]) -> str | None:
    """Return the value with the most items; on a tie the earliest value, then the lowest MD5 digest."""

    def place(value: str) -> tuple[Any, ...]:
        items, first_at = tallies[value]
        # Times differ in form only by a fraction. A time without a fraction comes first, but Z sorts last.
        return -items, first_at.removesuffix("Z"), md5(f"{user_id}:{value}".encode()).hexdigest()

    return min(tallies, key=place, default=None)


def wrong_fields(
    user_id: str,
    fields: Fields,
    features: Mapping[str, Any],
    orders: Mapping[str, bytes] | None,
    chain: Sequence[Mapping[str, Any]],
) -> list[str]:
    """Describe the fields of a user that differ from the facts and the changes.

    Args:
        features: the right features, from the facts.
        orders: the canonical bytes of the user's orders, by id; None: not known.
        chain: every change of the user.
    """
    if b"state" not in fields:
        return [f"{user_id!r}: Redis has no state"]
    state = state_json(fields[b"state"])
    plain = {name: fields[name.encode()].decode() for name in _PLAIN if name.encode() in fields}
    decided = {name: _as_field(state["decided"][name]) for name in _PLAIN} if "decided" in state else {}
    held = {
        name[2:].decode(): order_json(user_id, name[2:].decode(), order)
        for name, order in fields.items()
        if name.startswith(b"o:")
    }
    entries = {name.decode(): json.loads(entry) for name, entry in fields.items() if name.startswith(b"h:")}
    others = [
        name
        for name in fields
        if name != b"state" and name.decode() not in _PLAIN and not name.startswith((b"o:", b"h:"))
    ]
    has_and_right: list[tuple[str, Any, Any]] = [
        ("plain fields", plain, decided),
        ("features", features_of(user_id, state["facts"]), dict(features)),
        ("history", entries, _entries(chain)),
        ("orders by its count", state["facts"].get("held", 0), len(held)),
        ("other fields", others, []),
    ]
    if orders is not None and held != orders:
        has_and_right.append(("orders", parsed(held), parsed(orders)))
    return [
        f"{user_id!r}: Redis has {what} {has}, right is {right}"
        for what, has, right in has_and_right
        if has != right
    ]


def _as_field(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def parsed(orders: Mapping[str, bytes]) -> dict[str, Any]:
    """Parse orders, to compare them by value: an encoder may write a number in several ways.

    The former versions inside an order do not count. They are left out if they are really older.
    """
    found = {order_id: json.loads(order) for order_id, order in orders.items()}
    for order in found.values():
        if all(older["created_at"] > order["created_at"] for older in order.get("former", [])):
            order.pop("former", None)
    return found


def _entries(chain: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the history's entries by field: the newest moves of the user's present life."""
    moved: list[Mapping[str, Any]] = []
    for change in chain:
        if change["kind"] == "erased":
            moved = []
        elif change["kind"] == "moved":
            moved.append(change)
    return {
        f"h:{number % _HISTORY}": [
            change["sequence"],
            change["occurred_at"],
            change["segment"],
            change["segment_name"],
            change["previous_segment"],
            change["model_version"],
            *(change["cause"].get(name) for name in _CAUSE),
        ]
        for number, change in [*enumerate(moved)][-_HISTORY:]
    }


def wrong_release(
    user_id: str,
    fields: Fields,
    record: Mapping[str, Any],
    models_topic: str,
    activations: Mapping[int, str],
) -> list[str]:
    """Describe a stored release that neither decided the newest record nor confirmed it later.

    Args:
        record: the user's newest record in ``user-segments``.
        models_topic: the id of the topic of releases when the record was decided.
        activations: the versions in the topic of releases now, by offset.
    """
    decided = state_json(fields.get(b"state", b"{}")).get("decided") or {}
    has = decided.get("activation", -1), decided.get("model_version")
    told = record["activation"], record["model_version"]
    same_topic = decided.get("models_topic") == models_topic
    agreed_later = (has[0] > told[0] or not same_topic) and activations.get(has[0]) == has[1]
    if (same_topic and has == told) or agreed_later:
        return []
    return [f"{user_id!r}: Redis has release {has}, user-segments {told}, and there were {activations}"]


def wrong_indexes(user_id: str, stored: Stored, components: Sequence[float], lane: int) -> list[str]:
    """Describe a wrong angle in the index of the user's space, or a lane that should not sweep the user."""
    wrong = []
    if stored.swept.get(user_id) != [lane]:
        wrong.append(f"{user_id!r}: swept by {stored.swept.get(user_id)}, right is lane {lane}")
    position = state_json(stored.users[user_id].get(b"state", b"{}")).get("position")
    if position is None or len(components) != 2:
        return wrong
    has = stored.angles.get(position["space"], {}).get(user_id)
    # A user without any known feature lies at the origin, apart from the pipeline's rounding.
    right = math.atan2(components[1], components[0]) if math.hypot(*components) > 1e-9 else None
    # The angles -pi and pi are equal.
    apart = 0.0 if has is None or right is None else abs(math.remainder(has - right, math.tau))
    if (has is None) != (right is None) or apart > 1e-6:
        wrong.append(f"{user_id!r}: the index of {position['space']} has angle {has}, right is {right}")
    return wrong


def left_of(user_id: str, stored: Stored) -> list[str]:
    """Describe what Redis still holds of an erased user, besides the time of the erasure."""
    fields = stored.users.get(user_id, {})
    wrong = []
    if fields.keys() != {b"state"}:
        wrong.append(f"{user_id!r} is erased, but Redis has the fields {sorted(fields)}")
    state = state_json(fields.get(b"state", b"{}"))
    if state.keys() - {"facts", "format"} or state.get("facts", {}).keys() != {"erased_at"}:
        wrong.append(f"{user_id!r} is erased, but its state is {state}")
    if where := stored.indexed(user_id):
        wrong.append(f"{user_id!r} is erased, but still in {where}")
    return wrong
