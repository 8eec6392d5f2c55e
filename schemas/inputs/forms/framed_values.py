"""Values with the frame of a Confluent Schema Registry: a byte 0, four bytes with the schema's id, the value.

JSON never begins with the byte 0, so a frame is certain. The schemas are in the registry, so a function that
reaches it is handed in.
"""

import base64
import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from schemas import times
from schemas.errors import BadEvent

MAGIC_BYTE = 0
FRAME_BYTES = 5

Unframe = Callable[[bytes], object]
"""Parses a framed value to what JSON would give. It raises BadEvent if the value does not fit its schema, and
Unreachable if the registry does not answer: then the record is not at fault."""


def is_framed(value: bytes) -> bool:
    """Return whether a value begins with the frame."""
    return len(value) > FRAME_BYTES and value[0] == MAGIC_BYTE


def schema_id(value: bytes) -> int:
    """Return the id of a framed value's schema.

    >>> schema_id(bytes([0, 0, 0, 0, 12]) + b"{}")
    12
    """
    return int.from_bytes(value[1:FRAME_BYTES], "big")


def without_registry(value: bytes) -> object:
    """Refuse a framed value: no registry is set."""
    raise BadEvent(
        "",
        f"the value has the frame of a Schema Registry (schema {schema_id(value)}): set schema_registry to"
        " the registry's address",
    )


def as_json(value: object) -> object:
    """Return a value of Avro's Python types as JSON would give it: times as RFC 3339, no digit lost.

    >>> as_json({"at": datetime(2024, 1, 31, tzinfo=UTC), "price": 12.5})
    {'at': '2024-01-31T00:00:00Z', 'price': Decimal('12.5')}
    """
    if isinstance(value, Mapping):
        return {str(name): as_json(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(inner) for inner in value]
    if isinstance(value, datetime):
        return times.text(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return Decimal(repr(value)) if math.isfinite(value) else value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if value is None or isinstance(value, bool | int | str | Decimal):
        return value
    return str(value)  # a UUID
