"""Debezium's decimals and times; expected values by hand, from its documentation."""

from decimal import Decimal

import pytest

from schemas.errors import BadEvent
from schemas.inputs.forms.connect_values import decimal_of, plain_row


def column(value: object, **schema: object) -> object:
    return plain_row({"x": value}, {"fields": [{"field": "x", **schema}]}, {"x"})["x"]


@pytest.mark.parametrize(
    ("encoded", "scale", "expected"),
    [
        ("BOI=", 2, "12.50"),  # 0x04e2 = 1250
        ("AMg=", 2, "2.00"),  # 0x00c8 = 200, with a byte for the sign
        ("/w==", 2, "-0.01"),
        ("", 2, "0.00"),
        ("AQ==", -3, "1000"),
        ("f////////////////////w==", 0, str(2**127 - 1)),
    ],
)
def test_a_decimal_is_an_unscaled_whole_number_in_bytes(encoded: str, scale: int, expected: str) -> None:
    assert decimal_of(encoded, scale) == Decimal(expected)


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        (19753, "io.debezium.time.Date", "2024-01-31"),
        (19753, "org.apache.kafka.connect.data.Date", "2024-01-31"),
        (-719162, "io.debezium.time.Date", "0001-01-01"),
        (1706693400123, "io.debezium.time.Timestamp", "2024-01-31T09:30:00.123000Z"),
        (1706693400123, "org.apache.kafka.connect.data.Timestamp", "2024-01-31T09:30:00.123000Z"),
        (1706693400123456, "io.debezium.time.MicroTimestamp", "2024-01-31T09:30:00.123456Z"),
        (1706693400123456789, "io.debezium.time.NanoTimestamp", "2024-01-31T09:30:00.123456Z"),
        ("2024-01-31T10:30:00+01:00", "io.debezium.time.ZonedTimestamp", "2024-01-31T10:30:00+01:00"),
        ({"scale": 2, "value": "BOI="}, "io.debezium.data.VariableScaleDecimal", Decimal("12.50")),
        (None, "io.debezium.time.Timestamp", None),
        (7, None, 7),
    ],
)
def test_types_of_the_schema(value: object, name: str | None, expected: object) -> None:
    assert column(value, name=name) == expected


def test_a_decimal_takes_its_scale_from_the_schema() -> None:
    name = "org.apache.kafka.connect.data.Decimal"
    assert column("BOI=", name=name, parameters={"scale": "2"}) == Decimal("12.50")
    assert column(12.5, name=name) == 12.5  # decimal.handling.mode double
    for parameters in (None, {}, {"scale": "x"}, {"scale": "99999999"}):
        with pytest.raises(BadEvent, match=r'^x: "BOI=" is not a value of the type org'):
            column("BOI=", name=name, parameters=parameters)


@pytest.mark.parametrize(
    "schema", [None, {}, {"fields": None}, {"fields": "x"}, {"fields": [1, {"field": 2}]}, []]
)
def test_without_a_schema_values_stay(schema: object) -> None:
    assert plain_row({"x": 19753}, schema, {"x"}) == {"x": 19753}


def test_a_wrong_value_in_a_column_that_nothing_reads_stays() -> None:
    schema = {"fields": [{"field": "x", "name": "org.apache.kafka.connect.data.Decimal"}]}
    assert plain_row({"x": "BOI="}, schema, ()) == {"x": "BOI="}
