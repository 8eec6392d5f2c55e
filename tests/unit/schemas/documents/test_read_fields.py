"""The schemas of `segue schema` take what the worker takes."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas.documents.json_schemas import read_schemas
from schemas.errors import BadEvent
from schemas.features import FEATURES, Feature, declared
from schemas.inputs.decode import decode_order, decode_signup
from schemas.inputs.fields_read import FieldsRead, fields_read
from schemas.times import EPOCH

OWN = declared(
    [
        Feature("income", "attribute", "user.income", type="number"),
        Feature("vip", "attribute", "user.vip", type="boolean"),
        Feature("ship_to", "last", "order.shipping.country"),
        Feature("days", "mean", "order.shipping.days"),
        Feature("weight", "sum", "item.weight"),
    ]
)
SETS = {
    "default": fields_read(FEATURES, statuses=False),
    "own": fields_read(OWN[7:], statuses=False),
    "all": fields_read(OWN, statuses=True),
    "count": fields_read(FEATURES[4:5], statuses=False),
}
WHO = {"user_id": "7", "created_at": "2024-01-31T09:30:00Z"}
SIGNUPS: list[dict[str, Any]] = [
    {},
    {"income": 3},
    {"income": "3"},
    {"vip": True},
    {"vip": "maybe"},
    {"age": "old"},
    {"gender": 1},
    {"created_at": "x"},
]
ORDERS: list[dict[str, Any]] = [
    {},
    {"items": []},
    {"items": [{}]},
    {"items": [{"weight": "x"}]},
    {"items": [{"brand": 1}]},
    {"items": [{}], "shipping": {"country": "AT", "days": 2}},
    {"items": [{}], "shipping": {"country": 1010}},
    {"items": [{}], "shipping": {"days": "2"}},
    {"items": [{}], "shipping": "AT"},
    {"items": [{}], "status": 1},
    {"items": 7},
]


@pytest.mark.parametrize("read", SETS.values(), ids=SETS)
def test_a_schema_takes_what_a_worker_takes(read: FieldsRead) -> None:
    schemas = {name: Draft202012Validator(schema) for name, schema in read_schemas(read).items()}
    for fields in SIGNUPS:
        assert schemas["signup"].is_valid({**WHO, **fields}) == _is_read(
            decode_signup, {**WHO, **fields}, read
        ), fields
    for fields in ORDERS:
        told = {**WHO, "order_id": "1", **fields}
        assert schemas["order"].is_valid(told) == _is_read(decode_order, told, read), fields


def _is_read(decode: Any, fields: dict[str, Any], read: FieldsRead) -> bool:
    try:
        decode(b"7", json.dumps(fields).encode(), EPOCH, read=read)
    except BadEvent:
        return False
    return True
