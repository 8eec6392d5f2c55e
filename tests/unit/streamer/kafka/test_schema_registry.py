"""Framed values: read by their schemas; who is at fault, the record or the registry."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import fastavro
import pytest

from schemas.errors import BadEvent, LoginRefused, Unreachable
from streamer.kafka.schema_registry import SchemaRegistry
from tests.support.servers.fake_registry import FakeRegistry, fake_registry, framed

ORDER: dict[str, Any] = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "user_id", "type": "long"},
        {"name": "created_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "weight", "type": ["null", "double"]},
    ],
}
STRICT = json.dumps({"type": "object", "properties": {"price": {"type": "string"}}})
SCHEMAS = {1: ("JSON", STRICT), 2: ("AVRO", json.dumps(ORDER)), 3: ("PROTOBUF", 'syntax = "proto3";')}
AT = datetime(2024, 1, 31, 9, 30, tzinfo=UTC)


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with fake_registry(SCHEMAS) as made:
        yield made


def avro(**fields: object) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(ORDER), fields)
    return framed(2, out.getvalue())


def test_json_keeps_every_digit_and_segue_s_own_rules_decide(registry: FakeRegistry) -> None:
    read = SchemaRegistry(registry.url, {})
    value = framed(1, b'{"price": 9007199254740993.0}')
    assert read(value) == {"price": Decimal("9007199254740993.0")}


def test_avro_s_types_become_those_of_json(registry: FakeRegistry) -> None:
    value = avro(user_id=2**60 + 1, created_at=AT, price=Decimal("12.50"), weight=0.1)
    assert SchemaRegistry(registry.url, {})(value) == {
        "user_id": 2**60 + 1,
        "created_at": "2024-01-31T09:30:00Z",
        "price": Decimal("12.50"),
        "weight": Decimal("0.1"),
    }


def test_the_registry_is_asked_once_for_a_schema(registry: FakeRegistry) -> None:
    read = SchemaRegistry(registry.url, {})
    value = avro(user_id=7, created_at=AT, price=Decimal(1), weight=None)
    assert [read(value), read(value)][0] == read(value)
    assert [path.partition("?")[0] for path in registry.asked] == ["/schemas/ids/2"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (framed(1, b'{"price'), "the value is not valid JSON: Input data was truncated"),
        (framed(2, b"\1"), r"the value does not fit schema 2 \("),
        (framed(3, b"x"), "schema 3 of the value is PROTOBUF: only AVRO and JSON are read"),
        (framed(4, b"x"), "schema 4 of the value is not in the Schema Registry at http://127"),
    ],
)
def test_a_record_that_does_not_fit_is_at_fault(registry: FakeRegistry, value: bytes, reason: str) -> None:
    with pytest.raises(BadEvent, match=reason):
        SchemaRegistry(registry.url, {})(value)


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_a_registry_in_trouble_is_no_fault_of_the_record(registry: FakeRegistry, status: int) -> None:
    read = SchemaRegistry(registry.url, {})
    registry.answers = status
    value = avro(user_id=7, created_at=AT, price=Decimal(1), weight=None)
    with pytest.raises(Unreachable, match=f"answers with {status}"):
        read(value)
    registry.answers = None
    assert read(value)


def test_a_registry_that_does_not_answer_is_no_fault_of_the_record() -> None:
    with fake_registry(SCHEMAS) as gone:
        pass
    with pytest.raises(Unreachable, match=f"the Schema Registry at {gone.url} does not answer"):
        SchemaRegistry(gone.url, {})(framed(1, b"{}"))


def test_the_login_is_sent_and_a_refused_one_is_named() -> None:
    with fake_registry(SCHEMAS, login="segue:secret") as asking:
        assert SchemaRegistry(asking.url, {"basic.auth.user.info": "segue:secret"})(framed(1, b"{}")) == {}
        with pytest.raises(LoginRefused, match=r"basic\.auth\.user\.info") as refused:
            SchemaRegistry(asking.url, {"basic.auth.user.info": "segue:wrong"})(framed(1, b"{}"))
        assert "wrong" not in str(refused.value)
