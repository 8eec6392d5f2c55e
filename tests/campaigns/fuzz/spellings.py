"""Write an event in any of the ways that JSON allows: all are good records with the same meaning."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

from schemas.input_events import Event, Item, Order, Signup, UserErased

_DEEP = 60  # below the limit of 100, with the object around the value
_SPACES = (" ", "\n", "\t", "\r\n  ")
_STRANGE = ("\u202e", "\u0000", "\u2028", "😀", "ﷺ", "e\u0301", "\ufeff", "</script>", "'; drop table users")


def spelled(event: Event, random: Random) -> bytes:
    """Return the bytes of a record that decodes to this event."""
    fields: dict[str, Any] = {"user_id": _id(event.user_id, random)}
    if isinstance(event, UserErased):
        fields |= {"type": "user.erased", "erased_at": _time(event.erased_at, random)}
    else:
        fields["created_at"] = _time(event.created_at, random)
    if isinstance(event, Signup):
        for name in ("gender", "country", "traffic_source"):
            fields[name] = _or_blank(getattr(event, name), random)
        if event.age is not None:
            fields["age"] = event.age
    elif isinstance(event, Order):
        fields["order_id"] = event.order_id
        fields["items"] = [_item(item, random) for item in event.items]
        if event.status is not None:
            fields["status"] = event.status
        if event.updated_at is not None:
            fields["updated_at"] = _time(event.updated_at, random)
    names = list(fields)
    random.shuffle(names)
    text = _object({name: fields[name] for name in names}, random)
    return text.encode()


def _or_blank(text: str | None, random: Random) -> str | None:
    return random.choice((None, " \t", "", "\u2003\n")) if text is None else text


def _item(item: Item, random: Random) -> dict[str, Any]:
    texts = {name: _or_blank(getattr(item, name), random) for name in ("brand", "category", "product_id")}
    return {**texts, "price": item.price, "quantity": item.quantity}


def _id(user_id: str, random: Random) -> str | int:
    return (
        int(user_id)
        if user_id.isdecimal() and str(int(user_id)) == user_id and random.random() < 0.5
        else user_id
    )


def _time(at: datetime, random: Random) -> str:
    zone = timezone(timedelta(minutes=random.choice((0, 0, 60, -330, 845, -1439))))
    text = at.astimezone(zone).isoformat(timespec="microseconds")
    if zone.utcoffset(None) == timedelta(0):
        text = text[:-6] + random.choice(("Z", "z", "+00:00", "-00:00"))
    # The product cuts off digits beyond microseconds.
    head, tail = text[:26], text[26:]
    return head.replace("T", random.choice("Tt")) + random.choice(("", "999")) + tail


def _object(fields: dict[str, Any], random: Random) -> str:
    """Return a JSON object with random spaces and escapes, unknown fields, and some fields twice."""
    pairs = [(name, _value(value, random)) for name, value in fields.items()]
    for _ in range(random.choice((0, 0, 1, 3))):
        pairs.insert(random.randint(0, len(pairs)), (_unknown_name(random), random.choice(_UNKNOWN)(random)))
    if random.random() < 0.2:
        name = random.choice(list(fields))
        # The last value of a duplicate key counts.
        pairs.insert(0, (name, random.choice(("17", '"no"', "[]", "null", "{}"))))
    gap = random.choice(("", *_SPACES))
    return (
        "{" + f",{gap}".join(f"{_name(name, random)}{gap}:{gap}{value}" for name, value in pairs) + gap + "}"
    )


def _name(name: str, random: Random) -> str:
    if random.random() < 0.1:
        return '"' + "".join(f"\\u{ord(letter):04x}" for letter in name) + '"'
    return json.dumps(name)


def _value(value: Any, random: Random) -> str:
    if (
        isinstance(value, int)
        and not isinstance(value, bool)
        and abs(value) < 1_000
        and random.random() < 0.3
    ):
        return random.choice((f"{value}.0", f"{value}e0", f"{value}.00E+00"))
    return json.dumps(value, ensure_ascii=random.random() < 0.5)


def _unknown_name(random: Random) -> str:
    return random.choice(("x", "User_ID", "items ", "", *_STRANGE)) + str(random.randrange(10))


def _deep(random: Random) -> str:
    depth = random.randint(1, _DEEP)
    return "[" * depth + "]" * depth


def _nested(random: Random) -> str:
    depth = random.randint(1, _DEEP)
    return '{"a":' * depth + "1" + "}" * depth


_UNKNOWN: tuple[Callable[[Random], str], ...] = (
    _deep,
    _nested,
    lambda _: "1e400",
    lambda _: "-0.0",
    lambda _: "9" * 4_000,
    lambda random: json.dumps(random.choice(_STRANGE) * 20),
    lambda random: json.dumps("x" * random.randrange(50_000)),
    lambda _: "null",
)
