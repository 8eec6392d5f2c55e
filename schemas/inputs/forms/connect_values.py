"""Values of Kafka Connect and Debezium in JSON, by the types in their schema: decimals and times.

Sources: Debezium's "Data type mappings" (io.debezium.time, io.debezium.data) and "Toasted values", and Kafka
Connect's logical types (org.apache.kafka.connect.data).
"""

import base64
import binascii
from collections.abc import Collection, Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from schemas.errors import BadEvent
from schemas.inputs.field_checks import shown
from schemas.inputs.forms.written_times import UNITS, since_1970

_NANOS = 1_000
_DATES = frozenset({"io.debezium.time.Date", "org.apache.kafka.connect.data.Date"})
_DATE_LENGTH = len("2024-01-31")
_UNITS: dict[object, timedelta] = {
    "io.debezium.time.Timestamp": UNITS["unix_ms"],
    "org.apache.kafka.connect.data.Timestamp": UNITS["unix_ms"],
    "io.debezium.time.MicroTimestamp": UNITS["unix_us"],
}
_NANO = "io.debezium.time.NanoTimestamp"
_DECIMAL = "org.apache.kafka.connect.data.Decimal"
_VARIABLE = frozenset({"scale", "value"})
_MAX_BYTES = 128
_MAX_SCALE = 400
# What Debezium sends for a large value of PostgreSQL that the change did not touch: as text, as bytes in the
# modes base64 and hex, and as an hstore, which has it as a key.
_UNAVAILABLE = "__debezium_unavailable_value"
_UNAVAILABLE_WRITTEN = frozenset(
    {
        _UNAVAILABLE,
        base64.b64encode(_UNAVAILABLE.encode()).decode(),
        _UNAVAILABLE.encode().hex(),
        f'{{"{_UNAVAILABLE}":"{_UNAVAILABLE}"}}',
    }
)


def plain_row(
    row: Mapping[str, object], schema: object, needed: Collection[str], shown_before: str = ""
) -> Mapping[str, object]:
    """Return a row with decimals as numbers and times as RFC 3339 text, where its schema says their types.

    A date is a text such as 2024-01-31: as a time it would be another date in another time zone.

    Args:
        row: values by column.
        schema: the row's schema, as Kafka Connect's JsonConverter writes it; None if there is none.
        needed: the columns that must have values of their types; in another column a wrong value stays.
        shown_before: what errors put before a column's name.

    Raises:
        BadEvent: a value is not of its type.
    """
    fields = schema.get("fields") if isinstance(schema, Mapping) else None
    known = fields if isinstance(fields, list) else ()
    types = {f["field"]: f for f in known if isinstance(f, Mapping) and isinstance(f.get("field"), str)}
    plain = dict(row)
    for column, value in row.items():
        try:
            plain[column] = _plain(value, types.get(column))
        except (ValueError, TypeError, binascii.Error, InvalidOperation):
            if column in needed:
                name = types.get(column, {}).get("name")
                problem = f"{shown(value)} is not a value of the type {name}"
                raise BadEvent(shown_before + column, problem) from None
    return plain


def check_available(value: object, where: str) -> None:
    """Check that a value is not Debezium's placeholder.

    Raises:
        BadEvent: it is, so that the record does not have the value.
    """
    if isinstance(value, str):
        unavailable = value in _UNAVAILABLE_WRITTEN
    else:
        unavailable = isinstance(value, dict) and _UNAVAILABLE in value
    if unavailable:
        meaning = "" if value == _UNAVAILABLE else f" ({_UNAVAILABLE})"
        raise BadEvent(
            where,
            f"{shown(value)}{meaning} stands for a large value that the change does not have:"
            " set REPLICA IDENTITY FULL for the table in PostgreSQL, or let no feature read this column",
        )


def decimal_of(encoded: str, scale: int) -> Decimal:
    """Return a decimal: its unscaled value is a whole number in bytes, big-endian in two's complement.

    >>> decimal_of("BOI=", 2)
    Decimal('12.50')

    Raises:
        ValueError: the text is not base64, or the number is too long.
    """
    data = base64.b64decode(encoded, validate=True)
    if len(data) > _MAX_BYTES or abs(scale) > _MAX_SCALE:
        raise ValueError("too long")
    # Exact: the precision of the context does not limit a decimal that is made from text.
    return Decimal(f"{int.from_bytes(data, 'big', signed=True)}E{-scale}")


def _plain(value: object, schema: Mapping[str, object] | None) -> object:
    if isinstance(value, Mapping) and value.keys() == _VARIABLE:
        return _decimal(value["value"], value["scale"])
    if value is None or schema is None:
        return value
    name = schema.get("name")
    if name == _DECIMAL and isinstance(value, str):
        parameters = schema.get("parameters")
        return _decimal(value, parameters.get("scale") if isinstance(parameters, Mapping) else None)
    if isinstance(value, int) and name in _DATES:
        return since_1970(value, UNITS["unix_days"])[:_DATE_LENGTH]
    if isinstance(value, int) and name in _UNITS:
        return since_1970(value, _UNITS[name])
    if isinstance(value, int) and name == _NANO:
        return since_1970(value // _NANOS, UNITS["unix_us"])
    return value


def _decimal(encoded: object, scale: object) -> Decimal:
    if not isinstance(encoded, str) or not isinstance(scale, str | int):
        raise ValueError("no decimal")  # noqa: TRY004 - one error for all that is no decimal
    return decimal_of(encoded, int(scale))
