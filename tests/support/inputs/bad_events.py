"""Every kind of record that a lane rejects, each with the reason in its dead letter."""

import json
from dataclasses import dataclass
from typing import Any, Literal

SIGNUP: dict[str, Any] = {"user_id": "7", "created_at": "2024-01-31T09:30:00Z"}
ORDER: dict[str, Any] = {
    "user_id": "7",
    "order_id": "12",
    "created_at": "2024-01-31T09:30:00Z",
    "items": [{"brand": "Acme"}],
}
# The parser's message follows.
NOT_JSON = "the value is not valid JSON: …"
NO_ID = "is neither text nor a whole number within 64 bits"
NO_ITEM = "an order needs at least one item"
NO_QUANTITY = "is not a whole number of at least 1 and below 2^63"
NULL_ORDER = "the value is null, which only signups may have (it erases the user)"
NO_TIME = "is not an RFC 3339 time such as 2024-01-31T09:30:00Z"


Input = Literal["signups", "orders"]


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record and its reason.

    A reason that ends with "…" is only the beginning. ``told_by_schema``: whether the JSON Schema rejects the
    record too; the schema cannot check keys, lengths in bytes, or the calendar.
    """

    kind: str
    topic: Input
    value: bytes | None
    reason: str
    key: bytes | None = b"7"
    told_by_schema: bool = False


def _signup(kind: str, reason: str, **fields: Any) -> BadRecord:
    return BadRecord(kind, "signups", _json(SIGNUP | fields), reason, told_by_schema=True)


def _order(kind: str, reason: str, *, told_by_schema: bool = True, **fields: Any) -> BadRecord:
    return BadRecord(kind, "orders", _json(ORDER | fields), reason, told_by_schema=told_by_schema)


def _item(kind: str, reason: str, **fields: Any) -> BadRecord:
    return _order(kind, reason, items=[{"brand": "Acme"}, {}, fields])


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _raw(kind: str, value: bytes | None, reason: str, *, key: bytes | None = b"7") -> BadRecord:
    return BadRecord(kind, "signups", value, reason, key)


def _without(fields: dict[str, Any], name: str) -> bytes:
    return _json({key: value for key, value in fields.items() if key != name})


_HEAD = b'{"user_id":"7","created_at":"2024-01-31T09:30:00Z",'
_REKEY = "key the record by its user id"

BAD_TEXT = [
    _raw("empty value", b"", NOT_JSON),
    _raw("not JSON", b"{user_id: 7}", NOT_JSON),
    _raw("JSON cut short", b'{"user_id": 7', NOT_JSON),
    _raw("two values", b"{} {}", NOT_JSON),
    _raw("NaN", _HEAD + b'"age":NaN}', NOT_JSON),
    _raw("byte order mark", b"\xef\xbb\xbf{}", NOT_JSON),
    _raw("not UTF-8", _HEAD + b'"gender":"\xff"}', "the value is not valid UTF-8 (byte 61)"),
    _raw("not UTF-8 where nobody looks", _HEAD + b'"\xff":1}', "the value is not valid UTF-8 (byte 52)"),
    _raw(
        "half of a surrogate pair",
        b'{"gender":"\\ud800......"}',
        NOT_JSON,
    ),
    _raw("an array", b"[1]", "the value is an array, not a JSON object"),
    _raw("a text", b'"7"', 'the value is "7", not a JSON object'),
    _raw("a number", b"7", "the value is 7, not a JSON object"),
    _raw("nested too deep", b"[" * 101 + b"]" * 101, "the value nests more than 100 levels deep"),
    _raw(
        "a number too long",
        _HEAD + b'"x":' + b"9" * 4301 + b"}",
        "the value holds a whole number of more than 4,300 characters",
    ),
    _raw("over 1 MB", b" " * 1_000_001, "the value has 1,000,001 bytes, more than 1,000,000"),
]

BAD_FIELDS = [
    BadRecord(
        "no user_id", "signups", _without(SIGNUP, "user_id"), "user_id: is missing", told_by_schema=True
    ),
    BadRecord(
        "no created_at",
        "signups",
        _without(SIGNUP, "created_at"),
        "created_at: is missing",
        told_by_schema=True,
    ),
    BadRecord(
        "order: no user_id", "orders", _without(ORDER, "user_id"), "user_id: is missing", told_by_schema=True
    ),
    BadRecord(
        "no order_id", "orders", _without(ORDER, "order_id"), "order_id: is missing", told_by_schema=True
    ),
    BadRecord(
        "order: no created_at",
        "orders",
        _without(ORDER, "created_at"),
        "created_at: is missing",
        told_by_schema=True,
    ),
    _signup("null user_id", "user_id: is missing", user_id=None),
    _signup("empty user_id", "user_id: is missing", user_id=""),
    _signup("blank user_id", "user_id: is missing", user_id=" \t\u3000"),
    _signup("fractional id", f"user_id: 7.5 {NO_ID}", user_id=7.5),
    _signup("boolean id", f"user_id: true {NO_ID}", user_id=True),
    _signup("array id", f"user_id: an array {NO_ID}", user_id=[7]),
    _signup("object id", f"user_id: an object {NO_ID}", user_id={"id": 7}),
    _signup("id above 64 bits", f"user_id: 18446744073709551616 {NO_ID}", user_id=2**64),
    _signup("id below 64 bits", f"user_id: -9223372036854775809 {NO_ID}", user_id=-(2**63) - 1),
    _order("order_id", f"order_id: false {NO_ID}", order_id=False),
    _signup("event_id", f"event_id: 0.1 {NO_ID}", event_id=0.1),
    _signup(
        "id that was a float",
        'user_id: "17850.0" is a whole number written as a float: send 17850',
        user_id="17850.0",
    ),
    _order(
        "order_id that was a float",
        'order_id: "-7.00" is a whole number written as a float: send -7',
        order_id="-7.00",
    ),
    _signup(
        "an erasure whose user_id was a float",
        'user_id: "7.0" is a whole number written as a float: send 7',
        type="user.erased",
        user_id="7.0",
    ),
    _signup("id too long", f'user_id: "{"a" * 80}…" has more than 256 bytes of UTF-8', user_id="a" * 257),
    BadRecord(
        "id too long in bytes, not in characters",
        "signups",
        _json(SIGNUP | {"user_id": "é" * 129}),
        f'user_id: "{"é" * 80}…" has more than 256 bytes of UTF-8',
    ),
    _signup(
        "text too long", f'country: "{"b" * 80}…" has more than 1,024 bytes of UTF-8', country="b" * 1025
    ),
    _signup("number for text", "gender: 1 is not text", gender=1),
    _signup("array for text", "traffic_source: an array is not text", traffic_source=["Search"]),
    _item("brand", "items[2].brand: 5 is not text", brand=5),
    _item("category", "items[2].category: an object is not text", category={}),
    _signup("age above 150", "age: 151 is outside 0..150", age=151),
    _signup("age just above 150", "age: 150.5 is outside 0..150", age=150.5),
    _signup("age below 0", "age: -1 is outside 0..150", age=-1),
    _signup("age as text", 'age: "25" is not a number', age="25"),
    _signup("age as boolean", "age: true is not a number", age=True),
    _signup("time as number", f"created_at: 1706693400 {NO_TIME}", created_at=1706693400),
    _signup("no time", f'created_at: "yesterday" {NO_TIME}', created_at="yesterday"),
    _signup("date alone", f'created_at: "2024-01-31" {NO_TIME}', created_at="2024-01-31"),
    _signup(
        "time without an offset",
        'created_at: "2024-01-31T09:30:00" has no offset: end it with Z or, for example, +02:00',
        created_at="2024-01-31T09:30:00",
    ),
    _order("updated_at", f'updated_at: "soon" {NO_TIME}', updated_at="soon"),
    BadRecord(
        "a day that does not exist",
        "signups",
        _json(SIGNUP | {"created_at": "2023-02-29T00:00:00Z"}),
        'created_at: "2023-02-29T00:00:00Z" is not a time that exists (day is out of range for month)',
    ),
    _signup("erased_at", f'erased_at: "now" {NO_TIME}', type="user.erased", erased_at="now"),
    BadRecord(
        "erasure without user_id",
        "signups",
        b'{"type":"user.erased"}',
        "user_id: is missing",
        told_by_schema=True,
    ),
]

BAD_ORDERS = [
    BadRecord("no items", "orders", _without(ORDER, "items"), f"items: {NO_ITEM}", told_by_schema=True),
    _order("null items", f"items: {NO_ITEM}", items=None),
    _order("zero items", f"items: {NO_ITEM}", items=[]),
    _order("items an object", "items: an object is not an array of items", items={"brand": "Acme"}),
    _order("a null item", "items[1]: null is not an object", items=[{}, None]),
    _order("an item of text", 'items[0]: "Acme" is not an object', items=["Acme"]),
    _order(
        "too many items", "items: an order has at most 1,000 items, this one has 1,001", items=[{}] * 1001
    ),
    _item("quantity 0", f"items[2].quantity: 0 {NO_QUANTITY}", quantity=0),
    _item("quantity below 0", f"items[2].quantity: -1 {NO_QUANTITY}", quantity=-1),
    _item("fractional quantity", f"items[2].quantity: 1.5 {NO_QUANTITY}", quantity=1.5),
    _item("quantity as text", f'items[2].quantity: "2" {NO_QUANTITY}', quantity="2"),
    _item("quantity as boolean", f"items[2].quantity: true {NO_QUANTITY}", quantity=True),
    _item("quantity of 64 bits", f"items[2].quantity: 9223372036854775808 {NO_QUANTITY}", quantity=2**63),
    BadRecord("null order", "orders", None, NULL_ORDER),
    BadRecord("null order in JSON", "orders", b"null", NULL_ORDER, told_by_schema=True),
]

# Bad only if a feature reads the field; the article's features do not.
BAD_WHERE_READ = [
    _order("status", "status: true is not text", status=True),
    _item("product_id", f"items[2].product_id: 1.5 {NO_ID}", product_id=1.5),
    _item("price as text", 'items[2].price: "9.99" is not a number', price="9.99"),
    _item("price as boolean", "items[2].price: false is not a number", price=False),
    BadRecord(
        "infinite price",
        "orders",
        _json(ORDER).replace(b'"Acme"', b'"Acme","price":1e400'),
        "items[0].price: 1E+400 is not a finite number",
    ),
]

BAD_KEYS = [
    _raw("another key", _json(SIGNUP), f'key: "8" is not the user id "7": {_REKEY}', key=b"8"),
    _raw("key in quotes", _json(SIGNUP), f'key: "\\"7\\"" is not the user id "7": {_REKEY}', key=b'"7"'),
    _raw("no key", _json(SIGNUP), f'key: is missing, the user id is "7": {_REKEY}', key=None),
    _raw("key not UTF-8", _json(SIGNUP), f'key: "\ufffd" is not the user id "7": {_REKEY}', key=b"\xff"),
    BadRecord(
        "order: another key", "orders", _json(ORDER), f'key: "07" is not the user id "7": {_REKEY}', b"07"
    ),
    _raw("null without a key", None, "key: is missing", key=None),
    _raw("null with a blank key", None, "key: is missing", key=b" "),
    _raw(
        "null with a float for a key",
        None,
        'key: "7.0" is a whole number written as a float: send 7',
        key=b"7.0",
    ),
    _raw(
        "null with a key too long",
        None,
        f'key: "{"k" * 80}…" has more than 256 bytes of UTF-8',
        key=b"k" * 257,
    ),
]


def _encoded(kind: str, key: bytes, shown: str, why: str) -> BadRecord:
    return _raw(f"null with {kind} for a key", None, f'key: "{shown}" {why}', key=key)


_RECORD = (
    "is a record and not an id: a null needs the user id as plain text (Kafka Connect: "
    "ExtractField$Key, then StringConverter)"
)
_PLAIN = "a null needs the user id as plain text (Kafka Connect: StringConverter)"
_JSON = f"is JSON: {_PLAIN}"
_ENCODED = f"holds control characters, as encoded keys do: {_PLAIN}"
ENCODED_KEYS = [
    _encoded("an object", b'{"user_id":7}', r"{\"user_id\":7}", _RECORD),
    _encoded("a schema", b'{"schema":null,"payload":7}', r"{\"schema\":null,\"payload\":7}", _RECORD),
    _encoded(
        "a long schema",
        b'{"schema":{"type":"int64","optional":false,"doc":"' + b"x" * 250 + b'"},"payload":7}',
        r"{\"schema\":{\"type\":\"int64\",\"optional\":false,\"doc\":\"" + "x" * 19 + "…",
        _RECORD,
    ),
    _encoded("a struct", b"Struct{user_id=7}", "Struct{user_id=7}", _RECORD),
    _encoded("a map", b"{user_id=7}", "{user_id=7}", _RECORD),
    _encoded("a dict", b"{'user_id': 7}", "{'user_id': 7}", _RECORD),
    _encoded("a text in quotes", b'"7"', r"\"7\"", _JSON),
    _encoded("a text in quotes between spaces", b' "7" ', r" \"7\" ", _JSON),
    _encoded("an empty text in quotes", b'""', r"\"\"", _JSON),
    _encoded("an array", b"[7]", "[7]", _JSON),
    _encoded("a registry's number", b"\0\0\0\0\1\x0e", r"\u0000\u0000\u0000\u0000\u0001\u000e", _ENCODED),
    _encoded("a registry's text", b"\0\0\0\0\1\x027", r"\u0000\u0000\u0000\u0000\u0001\u00027", _ENCODED),
    _encoded(
        "a large schema id",
        b"\0\0\1\x86\xa1\x027",
        "\\u0000\\u0000\\u0001\ufffd\ufffd\\u00027",
        f"is not UTF-8: {_PLAIN}",
    ),
    _encoded("no UTF-8", b"\xff", "\ufffd", f"is not UTF-8: {_PLAIN}"),
    _encoded("a binary number", b"\0\0\0\x07", r"\u0000\u0000\u0000\u0007", _ENCODED),
    _encoded("an Avro text", b"\x027", r"\u00027", _ENCODED),
    _encoded("a line break", b"7\n", r"7\n", _ENCODED),
    _encoded("a C1 control", b"7\xc2\x85", "7\x85", _ENCODED),
]

_DELETED = "__deleted: the row was deleted, and that is no event:"
BAD_ROWS = [
    _signup(
        f"a deleted user {deleted!r}",
        f"{_DELETED} erase a user by an event of type user.erased, or by null",
        __deleted=deleted,
    )
    for deleted in ("true", True)
] + [
    _order(
        f"a deleted order {deleted!r}",
        f"{_DELETED} send the order with a status that says so",
        __deleted=deleted,
    )
    for deleted in ("true", True)
]

BAD_RECORDS = [*BAD_TEXT, *BAD_FIELDS, *BAD_ORDERS, *BAD_KEYS, *ENCODED_KEYS, *BAD_ROWS]
