"""The committed JSON Schemas are fresh and valid, and agree with the code that reads and writes."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from schemas import generate
from schemas.documents.json_schemas import READ, WRITTEN
from schemas.inputs.decode import decode_order, decode_signup
from schemas.outputs.segment_change import Cause, SegmentChange, SimilarUser, UserErasedChange
from schemas.outputs.wire import encode_change, encode_release
from schemas.times import EPOCH
from tests.support.inputs.bad_events import BAD_RECORDS, BAD_WHERE_READ, ORDER, SIGNUP, BadRecord
from tests.support.worlds.made_up_release import a_release

FOLDER = Path(generate.__file__).parent
SCHEMAS = {
    name: json.loads((FOLDER / "json" / f"{name}.schema.json").read_text(encoding="utf-8"))
    for name in (*READ, *WRITTEN)
}
AT = datetime(2024, 1, 31, 9, 30, 0, 123456, tzinfo=UTC)
CHANGE = SegmentChange(
    kind="moved",
    event_id="0" * 32,
    user_id="7",
    sequence=2,
    previous_segment=None,
    segment=0,
    segment_name="young buyers of jeans",
    model_version="0123456789ab",
    activation=3,
    occurred_at=AT,
    emitted_at=AT,
    provisional=True,
    missing=("gender",),
    features={"age": 25, "gender": None, "country": "España", "total_orders": 1},
    components=(0.5, -1.0),
    distance=0.25,
    margin=0.5,
    similar_users=(SimilarUser("8", 1.0, 0), SimilarUser("9", -1.0, None)),
    cause=Cause("order", "orders", 0, 5, "e1", {"signups": 3, "orders": 6}),
)
ERASED = UserErasedChange(
    event_id="1" * 32, user_id="7", sequence=3, occurred_at=AT, emitted_at=AT, cause=CHANGE.cause
)

GOOD_SIGNUPS = [
    SIGNUP,
    SIGNUP | {"user_id": 7, "age": 25.0, "gender": "", "country": None, "unknown": {"a": [1]}},
    SIGNUP | {"user_id": 7.0, "age": 0, "traffic_source": " ", "event_id": 2**64 - 1},
    SIGNUP | {"created_at": "2024-01-31 09:30:00.123456789+01:00", "type": "signup"},
]
GOOD_ERASURES = [
    {"type": "user.erased", "user_id": "7"},
    {"type": "user.erased", "user_id": 7, "erased_at": "2024-01-31T09:30:00Z", "event_id": None},
]
GOOD_ORDERS = [
    ORDER,
    ORDER | {"items": [{}, {"quantity": 2.0, "price": -1e300, "product_id": -(2**63), "sku": "x"}]},
    ORDER | {"items": [{}] * 1000, "status": "Complete", "updated_at": "2024-02-01T00:00:00Z"},
]


def _is_valid(name: str, fields: Any) -> bool:
    return Draft202012Validator(SCHEMAS[name]).is_valid(fields)


def test_the_generated_documents_are_fresh() -> None:
    assert generate.stale(FOLDER) == [], "run python -m schemas.generate"


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_a_valid_schema(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("fields", GOOD_SIGNUPS)
def test_a_good_signup_is_good_to_both(fields: dict[str, Any]) -> None:
    assert decode_signup(b"7", json.dumps(fields).encode(), EPOCH).user_id == "7"
    assert _is_valid("signup", fields)


@pytest.mark.parametrize("fields", GOOD_ERASURES)
def test_a_good_erasure_is_good_to_both_and_no_signup(fields: dict[str, Any]) -> None:
    assert decode_signup(b"7", json.dumps(fields).encode(), EPOCH).user_id == "7"
    assert _is_valid("user-erased", fields)
    assert not _is_valid("signup", fields | SIGNUP)


@pytest.mark.parametrize("fields", GOOD_ORDERS)
def test_a_good_order_is_good_to_both(fields: dict[str, Any]) -> None:
    assert decode_order(b"7", json.dumps(fields).encode(), EPOCH).order_id == "12"
    assert _is_valid("order", fields)


@pytest.mark.parametrize(
    "bad", [bad for bad in [*BAD_RECORDS, *BAD_WHERE_READ] if bad.told_by_schema], ids=lambda bad: bad.kind
)
def test_a_bad_event_is_bad_to_the_schema(bad: BadRecord) -> None:
    assert bad.value is not None
    fields = json.loads(bad.value)
    names = ("signup", "user-erased") if bad.topic == "signups" else ("order",)
    assert not any(_is_valid(name, fields) for name in names)


@pytest.mark.parametrize(
    "change", [CHANGE, replace(CHANGE, kind="confirmed", previous_segment=0, cause=Cause("model"))]
)
def test_a_change_is_as_its_schema_says(change: SegmentChange) -> None:
    fields = json.loads(encode_change(change))
    assert _is_valid("segment-change", fields)
    for name in fields:
        assert not _is_valid("segment-change", {n: v for n, v in fields.items() if n != name}), name
    for name, wrong in (("kind", "erased"), ("segment", "0"), ("components", [None]), ("provisional", 1)):
        assert not _is_valid("segment-change", fields | {name: wrong}), name


def test_an_erased_users_change_is_as_its_schema_says() -> None:
    fields = json.loads(encode_change(ERASED))
    assert _is_valid("user-erased-change", fields)
    assert not _is_valid("user-erased-change", fields | {"kind": "moved"})
    for name in fields:
        assert not _is_valid("user-erased-change", {n: v for n, v in fields.items() if n != name}), name
    assert fields["kind"] == "erased"


def test_a_release_is_as_its_schema_says() -> None:
    fields = json.loads(encode_release(a_release()))
    assert _is_valid("model-release", fields)
    assert not _is_valid("model-release", fields | {"mean": ["1"]})
    assert not _is_valid("model-release", fields | {"features": [{"name": "age", "encoding": "hash"}]})
