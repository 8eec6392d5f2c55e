"""Read and write the values of a shop's own fields in the JSON of an event."""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any

from schemas.errors import BadEvent
from schemas.event_fields import Field
from schemas.input_events import OwnProfile, OwnValues
from schemas.inputs import field_checks
from schemas.inputs.amounts import MAX_PRICE, amount, millionths


def own_profile(event: Mapping[str, object], fields: tuple[Field, ...], zone: tzinfo) -> OwnProfile:
    """Return a signup's values of these fields, by name; a field without a value is left out.

    Args:
        event: the signup's JSON.
        fields: the fields to read.
        zone: the zone in which a time becomes a date.

    Raises:
        BadEvent: a value is of another type than the field's.
    """
    return {field.name: value for field in fields if (value := _value(event, field, zone)) is not None}


def own_values(holder: Mapping[str, object], fields: tuple[Field, ...]) -> OwnValues:
    """Return the values of these fields of an order or an item, by name.

    A number is in millionths. A number beyond :data:`~schemas.inputs.amounts.MAX_PRICE` is left out, as such
    a price adds nothing.

    Raises:
        BadEvent: a value is of another type than the field's.
    """
    values: OwnValues = {}
    for field in fields:
        value = _value(holder, field)
        if isinstance(value, str):
            values[field.name] = value
        elif value is not None and abs(value) <= MAX_PRICE:
            values[field.name] = millionths(value)
    return values


def with_own(event: dict[str, Any], own: Mapping[str, str | float], *, amounts: bool) -> dict[str, Any]:
    """Put own values into an event's or an item's JSON, at their paths.

    Args:
        event: the JSON, which is changed.
        own: the values by the fields' names.
        amounts: whether a whole number is in millionths.
    """
    for name, value in own.items():
        put(event, name.split(".")[1:], amount(value) if amounts and isinstance(value, int) else value)
    return event


def put(holder: dict[str, Any], path: Sequence[str], value: object) -> None:
    """Put a value at a path in JSON; objects on the way are made."""
    *parts, last = path
    for part in parts:
        if not isinstance(holder.get(part), dict):
            holder[part] = {}
        holder = holder[part]
    holder[last] = value


def _value(holder: Mapping[str, object], field: Field, zone: tzinfo = UTC) -> str | float | None:
    inner = holder
    for part in field.path[:-1]:
        within = inner.get(part)
        if within is None:
            return None
        if not isinstance(within, Mapping):
            raise BadEvent(
                field.column, f"cannot be read: {part} is {field_checks.shown(within)}, not an object"
            )
        inner = within
    try:
        if field.type == "date":
            return field_checks.optional_date(inner, field.path[-1], zone)
        return _CHECKS[field.type](inner, field.path[-1])
    except BadEvent as error:
        raise BadEvent(field.column, error.problem) from None


_CHECKS = {
    "text": field_checks.text_or_whole,
    "number": field_checks.number,
    "boolean": field_checks.boolean,
}
