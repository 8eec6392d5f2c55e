import json
from typing import Any

import pytest

from schemas.errors import BadEvent
from schemas.features import Feature, declared
from schemas.input_events import Order, Signup
from schemas.inputs.decode import decode_order, decode_signup, encode_order, encode_signup
from schemas.inputs.fields_read import FieldsRead, fields_read
from schemas.times import EPOCH

READ = fields_read(
    declared(
        [
            Feature("income", "attribute", "user.income", type="number"),
            Feature("city", "attribute", "user.address.city"),
            Feature("vip", "attribute", "user.vip", type="boolean"),
            Feature("ship_to", "last", "order.shipping.country"),
            Feature("days", "mean", "order.shipping.days"),
            Feature("weight", "sum", "item.weight"),
            Feature("gift", "last", "item.gift", type="boolean"),
        ]
    ),
    statuses=False,
)


def signup(**fields: Any) -> Signup:
    value = json.dumps({"user_id": "7", "created_at": "2024-01-31T09:30:00Z", **fields}).encode()
    event = decode_signup(b"7", value, EPOCH, read=READ)
    assert isinstance(event, Signup)
    return event


def order(read: FieldsRead = READ, **fields: Any) -> Order:
    told = {"user_id": "7", "order_id": "1", "created_at": "2024-01-31T09:30:00Z", **fields}
    return decode_order(b"7", json.dumps(told).encode(), EPOCH, read=read)


def test_values_are_found_at_their_paths() -> None:
    event = signup(income=1500, vip=True, address={"city": "Ulm", "zip": 1})
    assert event.own == {"user.income": 1500.0, "user.address.city": "Ulm", "user.vip": "true"}
    bought = order(shipping={"country": "AT", "days": 2.5}, items=[{"weight": 0.25, "gift": "false"}])
    assert bought.own == {"order.shipping.country": "AT", "order.shipping.days": 2_500_000}
    assert bought.items[0].own == {"item.weight": 250_000, "item.gift": "false"}


def test_a_whole_number_is_a_text_where_a_text_is_read() -> None:
    assert signup(address={"city": 1010}).own == {"user.address.city": "1010"}


def test_a_time_is_a_date_in_the_zone() -> None:
    born = Feature("days_since_birth", "days_since", "user.born")
    in_kolkata = fields_read((born,), statuses=False, time_zone="Asia/Kolkata")
    for written, read in (
        ("1990-05-01", "1990-05-01"),
        ("1990-05-01T18:29:59.9Z", "1990-05-01"),
        ("1990-05-01T18:30:00Z", "1990-05-02"),
        ("1990-05-02T00:00:00+05:30", "1990-05-02"),
    ):
        value = json.dumps({"user_id": "7", "created_at": "2024-01-31T09:30:00Z", "born": written}).encode()
        event = decode_signup(b"7", value, EPOCH, read=in_kolkata)
        assert isinstance(event, Signup)
        assert event.own == {"user.born": read}
        assert decode_signup(*encode_signup(event), EPOCH, read=in_kolkata) == event


@pytest.mark.parametrize("written", ["1990-02-30", "1990-05-01T00:00:00", "May 1st", 19900501])
def test_what_is_no_date(written: object) -> None:
    read = fields_read((Feature("days_since_birth", "days_since", "user.born"),), statuses=False)
    value = json.dumps({"user_id": "7", "created_at": "2024-01-31T09:30:00Z", "born": written}).encode()
    told = json.dumps(written)
    reason = f"born: {told} is neither a date such as 2024-01-31 nor a time with an offset"
    with pytest.raises(BadEvent) as caught:
        decode_signup(b"7", value, EPOCH, read=read)
    assert str(caught.value) == reason


def test_nothing_is_no_value() -> None:
    assert signup(income=None, vip="", address=None).own == {}
    assert order(items=[{"weight": 1e13, "gift": " "}]).items[0].own == {}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"income": "much"}, 'income: "much" is not a number'),
        ({"income": 1e-320}, "income: 1E-320 is neither 0 nor from 1e-307 to below 1e308"),
        ({"vip": []}, 'vip: an array is neither true nor false: give true, false, "true" or "false"'),
        ({"vip": {}}, 'vip: an object is neither true nor false: give true, false, "true" or "false"'),
        ({"vip": "tak"}, 'vip: "tak" is neither true nor false: give true, false, "true" or "false"'),
        ({"vip": 1}, 'vip: 1 is neither true nor false: give true, false, "true" or "false"'),
        ({"address": "Ulm"}, 'address.city: cannot be read: address is "Ulm", not an object'),
        ({"address": {"city": ["Ulm"]}}, "address.city: an array is not text"),
        (
            {"address": {"city": True}},
            'address.city: true is not text: declare its feature with type = "boolean"',
        ),
    ],
)
def test_a_wrong_value_names_the_path(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadEvent) as caught:
        signup(**fields)
    assert str(caught.value) == reason


def test_a_wrong_value_of_an_item_names_the_item() -> None:
    with pytest.raises(BadEvent, match=r'^items\[1\]\.weight: "x" is not a number$'):
        order(items=[{}, {"weight": "x"}])


def test_where_no_feature_reads_items_an_order_needs_none() -> None:
    read = fields_read(declared()[4:5], statuses=False)
    assert order(read).items == order(read, items="none").items == ()


def test_what_is_written_is_read_again() -> None:
    event = signup(income=0.1, vip=False, address={"city": "Ulm"})
    assert decode_signup(*encode_signup(event), EPOCH, read=READ) == event
    bought = order(
        shipping={"country": "AT", "days": 2.5}, items=[{"weight": 0.1, "quantity": 2}, {"gift": True}]
    )
    assert decode_order(*encode_order(bought), EPOCH, read=READ) == bought
