"""Random records that are bad by construction."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from tests.support.inputs.bad_events import BAD_RECORDS, ORDER, SIGNUP, BadRecord, Input

_LIMIT = 1_000_000
_HUGE = "1" + "0" * 400

# The JSON values that a field rejects.
_NO_ID = (
    "7.5",
    "true",
    "[]",
    '["7"]',
    "{}",
    str(2**64),
    str(-(2**63) - 1),
    "1e400",
    '"' + "x" * 257 + '"',
    _HUGE,
)
_NO_TEXT = ("7", "0.5", "true", "[]", "{}", '"' + "é" * 513 + '"', "1e400")
_NO_TIME = (
    "1706693400",
    "true",
    "[]",
    '"yesterday"',
    '"2024-01-31"',
    '"2024-01-31T09:30:00"',
    '"2024-02-30T00:00:00Z"',
)
_NO_AGE = ("-1", "151", "150.00001", '"25"', "true", "[]", "1e400", "-1e-3", _HUGE)
_NO_QUANTITY = ("0", "-1", "1.5", '"2"', "true", "[]", str(2**63), "1e400", _HUGE)
_NO_ITEMS = ("null", "[]", "{}", "7", '"shoes"', "[null]", "[7]", "[[]]", '["x"]')

_SIGNUP_FIELDS: dict[str, tuple[str, ...]] = {
    "user_id": (*_NO_ID, "null", '""', '" \\u3000"', '"7.0"'),
    "created_at": (*_NO_TIME, "null", '""'),
    "age": _NO_AGE,
    "gender": _NO_TEXT,
    "country": _NO_TEXT,
    "traffic_source": _NO_TEXT,
    "event_id": _NO_ID,
}
_ORDER_FIELDS: dict[str, tuple[str, ...]] = {
    "user_id": (*_NO_ID, "null", '""'),
    "order_id": (*_NO_ID, "null", '""', '"\\t"'),
    "created_at": (*_NO_TIME, "null", '""'),
    "updated_at": _NO_TIME,
    "items": _NO_ITEMS,
}
_ITEM_FIELDS: dict[str, tuple[str, ...]] = {
    "brand": _NO_TEXT,
    "category": _NO_TEXT,
    "quantity": _NO_QUANTITY,
}

# The rejected values, by kind of event and name of field.
_FIELDS = {
    f"{where} {name}": values
    for where, fields in (("signup", _SIGNUP_FIELDS), ("order", _ORDER_FIELDS), ("item", _ITEM_FIELDS))
    for name, values in fields.items()
}

# With lone surrogates: no id and no text may have them, even in a field that no feature reads.
_BAD_ESCAPES = (
    r'"\ud800"',
    r'"\udc00x"',
    r'"\ud800\u0041"',
    r'"7\udfff"',
    r'"\u12"',
    r'"\x41"',
    '"\n"',
    '"\x00"',
    "'x'",
)
_ESCAPED = (
    ("signups", "x"),
    ("signups", "country"),
    ("signups", "user_id"),
    ("orders", "order_id"),
    ("orders", "status"),
    ("orders", "brand"),
)


def every_kind(random: Random) -> list[BadRecord]:
    """Return a bad record of every kind, and each field with each value that it rejects, shuffled."""
    one_each = [
        *BAD_RECORDS,
        *(_wrong(name, value, random) for name, values in _FIELDS.items() for value in values),
        *(make(random) for make in _MADE),
        *(_escape(topic, name, text) for topic, name in _ESCAPED for text in _BAD_ESCAPES),
    ]
    random.shuffle(one_each)
    return one_each


def hostiles(random: Random) -> Iterator[BadRecord]:
    """Yield bad records without end: first every kind, then random kinds."""
    yield from every_kind(random)
    while True:
        yield hostile(random)


def hostile(random: Random) -> BadRecord:
    """Return a bad record of a random kind."""
    kinds = [*_KINDS]
    make = random.choices(kinds, [_KINDS[kind] for kind in kinds])[0]
    return make(random)


def _known(random: Random) -> BadRecord:
    return random.choice(BAD_RECORDS)


def _record(kind: str, topic: Any, value: bytes) -> BadRecord:
    return BadRecord(kind, topic, value, "…")


def _wrong_field(random: Random) -> BadRecord:
    """Return a good event with one bad field."""
    kind = random.choices(("signup", "order", "item"), (4, 3, 3))[0]
    name = random.choice([name for name in _FIELDS if name.startswith(kind)])
    return _wrong(name, random.choice(_FIELDS[name]), random)


def _wrong(kind: str, value: str, random: Random) -> BadRecord:
    where, name = kind.split()
    if where == "signup":
        return _record(kind, "signups", _with(SIGNUP, name, value))
    if where == "order":
        return _record(kind, "orders", _with(ORDER, name, value))
    return _record(kind, "orders", _with_item(f'{{"{name}": {value}}}', random))


def _with_item(bad: str, random: Random) -> bytes:
    items = ["{}"] * random.randrange(5)
    items.insert(random.randint(0, len(items)), bad)
    return _with(ORDER, "items", f"[{','.join(items)}]")


def _with(event: dict[str, Any], name: str, value: str) -> bytes:
    fields = {key: json.dumps(kept) for key, kept in event.items() if key != name} | {name: value}
    return ("{" + ",".join(f'"{key}":{kept}' for key, kept in fields.items()) + "}").encode()


def _good(random: Random) -> tuple[Input, bytes]:
    goods: tuple[tuple[Input, dict[str, Any]], ...] = (("signups", SIGNUP), ("orders", ORDER))
    topic, event = random.choice(goods)
    return topic, json.dumps(event).encode()


def _cut_short(random: Random) -> BadRecord:
    topic, value = _good(random)
    return _record("cut short", topic, value[: random.randrange(len(value))])


def _more_behind(random: Random) -> BadRecord:
    topic, value = _good(random)
    return _record("more behind it", topic, value + random.choice((b"}", b",", b"{}", b"\x00", b"x", b"[]")))


def _not_utf8(random: Random) -> BadRecord:
    topic, value = _good(random)
    at = random.randrange(len(value) + 1)
    return _record(
        "not UTF-8", topic, value[:at] + random.choice((b"\xff", b"\xc0\xaf", b"\xed\xa0\x80")) + value[at:]
    )


def _too_deep(random: Random) -> BadRecord:
    depth = random.choice((101, 500, 5_000, 100_000))
    opening, closing = random.choice((("[", "]"), ('{"a":', "}")))
    inner = opening * depth + "1" + closing * depth
    topic, event = random.choice((("signups", SIGNUP), ("orders", ORDER)))
    return _record("too deep", topic, _with(event, "x", inner))


def _too_large(random: Random) -> BadRecord:
    topic, event = random.choice((("signups", SIGNUP), ("orders", ORDER)))
    padding = json.dumps("x" * (_LIMIT + random.choice((0, 1, 100_000))))
    return _record("too large", topic, _with(event, "x", padding))


def _no_number(random: Random) -> BadRecord:
    token = random.choice(
        ("NaN", "Infinity", "-Infinity", "nan", "01", "+1", ".5", "1.", "0x10", "1_000", "9" * 4_301)
    )
    topic, event = random.choice((("signups", SIGNUP), ("orders", ORDER)))
    return _record("no number", topic, _with(event, random.choice(("x", "age")), token))


def _bad_escape(random: Random) -> BadRecord:
    topic, name = random.choice(_ESCAPED)
    return _escape(topic, name, random.choice(_BAD_ESCAPES))


def _escape(topic: str, name: str, text: str) -> BadRecord:
    kind = f"bad escape in {name}"
    if name == "brand":
        return _record(kind, topic, _with(ORDER, "items", f'[{{"brand": {text}}}]'))
    return _record(kind, topic, _with(SIGNUP if topic == "signups" else ORDER, name, text))


def _noise(random: Random) -> BadRecord:
    # No JSON text begins with this byte.
    return _record(
        "noise", random.choice(("signups", "orders")), b"\x01" + random.randbytes(random.randrange(200))
    )


def _another_key(random: Random) -> BadRecord:
    topic, value = _good(random)
    key = random.choice((b"8", b"07", b"7 ", b"", b"\xff", b'"7"', b"7.0", "７".encode()))
    return BadRecord("another key", topic, value, "…", key)


_KINDS: dict[Callable[[Random], BadRecord], float] = {
    _known: 10,
    _wrong_field: 40,
    _cut_short: 15,
    _more_behind: 5,
    _not_utf8: 8,
    _no_number: 8,
    _bad_escape: 6,
    _noise: 5,
    _another_key: 5,
    _too_deep: 3,
    _too_large: 0.05,
}
# The kinds that are not drawn from a list.
_MADE = (_cut_short, _more_behind, _not_utf8, _no_number, _noise, _another_key, _too_deep, _too_large)
