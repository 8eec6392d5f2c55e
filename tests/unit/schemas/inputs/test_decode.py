"""Whole records. Laws: tests/property/test_decode.py. Bad records: tests/support/inputs/bad_events.py."""

import json
from typing import Any

import pytest

from schemas.errors import BadEvent
from schemas.features import Feature
from schemas.input_events import Item, Order, OwnValues, Signup, UserErased
from schemas.inputs.decode import (
    canonical,
    decode_order,
    decode_signup,
    encode_order,
    encode_signup,
    order_of,
)
from schemas.inputs.fields_read import fields_read
from schemas.times import EPOCH, parse

AT = parse("2024-06-01T00:00:00Z")
CREATED = parse("2024-01-31T09:30:00.123456Z")
ORDER = Order(
    "7",
    "12",
    CREATED,
    (Item("Acme", "Jeans", "5", 9.5, 2), Item()),
    "Complete",
    parse("2024-02-01T00:00:00Z"),
    "e1",
)
WIRE_ORDER: dict[str, Any] = {
    "event_id": "e1",
    "order_id": 12,
    "user_id": 7,
    "created_at": "2024-01-31T10:30:00.1234569+01:00",
    "updated_at": "2024-02-01T00:00:00Z",
    "status": "Complete",
    "items": [
        {"brand": "Acme", "category": "Jeans", "product_id": 5, "price": 9.5, "quantity": 2, "sku": [1]},
        {"brand": "", "price": None},
    ],
    "channel": {"name": "web"},
}


def _json(fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_a_whole_signup() -> None:
    value = {
        "event_id": 1,
        "user_id": 7,
        "created_at": "2024-01-31T09:30:00.123456Z",
        "age": 25.0,
        "gender": "F",
        "country": "España",
        "traffic_source": "Search",
        "type": "signup",
    }
    expected = Signup("7", CREATED, 25, "F", "España", "Search", "1")
    assert decode_signup(b"7", _json(value), AT) == expected


def test_a_signup_with_a_user_and_a_time_alone() -> None:
    value = {"user_id": "07", "created_at": "2024-01-31T09:30:00.123456Z"}
    assert decode_signup(b"07", _json(value), AT) == Signup("07", CREATED)


def test_a_whole_order() -> None:
    assert decode_order(b"7", _json(WIRE_ORDER), AT) == ORDER


def test_an_erasure() -> None:
    value = {"type": "user.erased", "user_id": 7, "erased_at": "2024-01-31T09:30:00.123456Z", "event_id": "e"}
    assert decode_signup(b"7", _json(value), AT) == UserErased("7", CREATED, "e")


@pytest.mark.parametrize("fields", [{}, {"erased_at": None}, {"erased_at": " "}])
def test_an_erasure_without_a_time_has_the_records(fields: dict[str, Any]) -> None:
    value = {"type": "user.erased", "user_id": "7"} | fields
    assert decode_signup(b"7", _json(value), AT) == UserErased("7", AT)


@pytest.mark.parametrize("value", [None, b"null", b" null\n"])
def test_a_null_signup_erases_the_user_of_its_key(value: bytes | None) -> None:
    assert decode_signup("é7".encode(), value, AT) == UserErased("é7", AT)


@pytest.mark.parametrize("key", [None, b"8", b"\xff", b""])
def test_where_re_keying_is_on_any_key_will_do(key: bytes | None) -> None:
    assert decode_order(key, _json(WIRE_ORDER), AT, check_key=False) == ORDER
    signup = b'{"user_id":"7","created_at":"1970-01-01T00:00:00Z"}'
    assert decode_signup(key, signup, AT, check_key=False) == Signup("7", EPOCH)


def test_an_order_of_a_thousand_items_is_not_too_deep() -> None:
    order = decode_order(b"7", _json(WIRE_ORDER | {"items": [{"brand": "Acme"}] * 1000}), AT)
    assert order.items == (Item("Acme"),) * 1000


def test_a_value_of_exactly_1_mb_is_taken() -> None:
    value = _json(WIRE_ORDER)
    assert decode_order(b"7", value.ljust(1_000_000), AT) == ORDER
    with pytest.raises(BadEvent, match="1,000,001 bytes"):
        decode_order(b"7", value.ljust(1_000_001), AT)


def test_canonical_bytes() -> None:
    assert canonical(ORDER).decode() == (
        '{"created_at":"2024-01-31T09:30:00.123456Z",'
        '"items":[{"brand":"Acme","category":"Jeans","price":9.5,"product_id":"5","quantity":2},{}],'
        '"order_id":"12","status":"Complete","updated_at":"2024-02-01T00:00:00Z","user_id":"7"}'
    )


def test_a_quantity_of_one_and_none_are_two_versions() -> None:
    # "quantity as given": 1 and nothing count the same, but are not written the same.
    one, none = (Order("7", "12", EPOCH, (Item(quantity=q),)) for q in (1, None))
    assert canonical(one) != canonical(none)
    assert order_of(canonical(none)).items == (Item(),)


def test_encode_signup() -> None:
    assert encode_signup(Signup("é", EPOCH, age=25, event_id="e")) == (
        b"\xc3\xa9",
        '{"user_id":"é","created_at":"1970-01-01T00:00:00Z","age":25,"event_id":"e"}'.encode(),
    )


def test_encode_erasure() -> None:
    assert encode_signup(UserErased("7", EPOCH)) == (
        b"7",
        b'{"type":"user.erased","user_id":"7","erased_at":"1970-01-01T00:00:00Z"}',
    )


def test_encode_order() -> None:
    key, value = encode_order(Order("7", "12", EPOCH, (Item("Acme", price=0),), event_id="e"))
    assert key == b"7"
    assert json.loads(value) == {
        "user_id": "7",
        "order_id": "12",
        "created_at": "1970-01-01T00:00:00Z",
        "items": [{"brand": "Acme", "price": 0}],
        "event_id": "e",
    }


def test_own_values_go_and_come() -> None:
    """Also a number of zero, which is a value."""
    features = (
        Feature("days", "sum", "order.days"),
        Feature("weight", "max", "item.weight"),
        Feature("country", "last", "order.shipping.country"),
    )
    read = fields_read(features, statuses=False)
    own: OwnValues = {"order.days": 0, "order.shipping.country": "Spain"}
    order = Order("7", "12", EPOCH, (Item(own={"item.weight": 0}),), own=own)

    key, value = encode_order(order)

    assert json.loads(value)["days"] == 0
    assert decode_order(key, value, EPOCH, read=read) == order
