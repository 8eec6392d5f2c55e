"""Paths of Debezium's form lead into columns of JSON, which Debezium sends as text."""

import json
from typing import Any
from unittest.mock import patch

import pytest

from schemas.errors import BadEvent
from schemas.features import Feature
from schemas.input_events import Order, Signup, UserErased
from schemas.inputs import json_text
from schemas.inputs.decode import decode_order, decode_signup
from schemas.inputs.fields_read import fields_read
from schemas.inputs.forms.event_form import EventForm
from schemas.times import EPOCH

READ = fields_read(
    (
        Feature("city", "attribute", "user.city"),
        Feature("plan", "attribute", "user.plan"),
        Feature("note", "attribute", "user.note"),
        Feature("brand", "most_frequent", "brand"),
    ),
    statuses=False,
)
PATHS = (("user.city", "attrs.address.city"), ("user.plan", "attrs.plans.0"))
FORM = EventForm("debezium", PATHS)
ATTRS = '{"address": {"city": "Ulm"}, "plans": ["gold"]}'


def signup(row: dict[str, Any], form: EventForm = FORM, op: str = "c") -> Signup | UserErased:
    change = {"op": op, "before" if op == "d" else "after": row, "source": {"ts_ms": 1_706_693_401_000}}
    return decode_signup(None, json.dumps(change).encode(), EPOCH, check_key=False, read=READ, form=form)


@pytest.mark.parametrize(
    ("attrs", "own"),
    [
        (ATTRS, {"user.city": "Ulm", "user.plan": "gold"}),
        (json.loads(ATTRS), {"user.city": "Ulm", "user.plan": "gold"}),
        ("{}", {}),
        ("null", {}),
        (None, {}),
    ],
)
def test_a_path_leads_into_a_column_of_json(attrs: object, own: dict[str, str]) -> None:
    event = signup({"user_id": 7, "attrs": attrs})
    assert isinstance(event, Signup)
    assert event.own == own


def test_a_column_is_parsed_once_a_record_and_only_if_a_path_leads_into_it() -> None:
    with patch.object(json_text, "load", wraps=json_text.load) as load:
        event = signup({"user_id": 7, "attrs": ATTRS, "note": "[]"})
    assert [each.args[0] for each in load.call_args_list[1:]] == [ATTRS.encode()]
    assert isinstance(event, Signup)
    assert event.own["user.note"] == "[]"


@pytest.mark.parametrize("attrs", ["Ulm", '{"address"', '"Ulm"', "7", ""])
def test_text_that_is_no_json_object_is_refused(attrs: str) -> None:
    with pytest.raises(BadEvent) as error:
        signup({"user_id": 7, "attrs": attrs})
    said = f"cannot be read: attrs is {json.dumps(attrs)}, not an object"
    assert str(error.value) == f"after.attrs.address.city: {said}"


@pytest.mark.parametrize(
    "attrs",
    [
        "__debezium_unavailable_value",
        '{"__debezium_unavailable_value":"__debezium_unavailable_value"}',  # of an hstore
    ],
)
def test_a_placeholder_in_a_column_of_json_is_named(attrs: str) -> None:
    with pytest.raises(BadEvent, match=r"^after.attrs.address.city: .*_value.* stands for a large value"):
        signup({"user_id": 7, "attrs": attrs})


def test_the_user_and_the_items_may_be_in_a_column_of_json() -> None:
    form = EventForm("debezium", (("user_id", "doc.id"), ("items", "doc.lines")))
    doc = json.dumps({"id": 7, "lines": [{"brand": "Acme"}]})
    erased = signup({"doc": doc}, form, "d")
    assert isinstance(erased, UserErased)
    assert erased.user_id == "7"
    row = {"order_id": 1, "created_at": "2024-01-31T09:30:00Z", "updated_at": None, "doc": doc}
    order = decode_order(None, json.dumps(row).encode(), EPOCH, check_key=False, read=READ, form=form)
    assert isinstance(order, Order)
    assert (order.user_id, order.items[0].brand) == ("7", "Acme")


def test_a_mapping_does_not_look_into_text() -> None:
    record = {"user_id": 7, "created_at": "2024-01-31T09:30:00Z", "attrs": ATTRS}
    with pytest.raises(BadEvent, match=r"attrs is .*, not an object"):
        decode_signup(b"7", json.dumps(record).encode(), EPOCH, read=READ, form=EventForm(paths=PATHS))
