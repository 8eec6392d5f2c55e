"""Take an event's fields out of a source's JSON, by a plan: a dictionary in Segue's own form."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from schemas.errors import BadEvent
from schemas.inputs import json_text
from schemas.inputs.field_checks import shown
from schemas.inputs.forms.connect_values import check_available
from schemas.inputs.forms.field_paths import ITEMS, Plan, Wanted
from schemas.inputs.forms.written_numbers import number_in
from schemas.inputs.forms.written_times import date_or_time, rfc3339
from schemas.inputs.own_values import put

Fields = dict[str, Any]


def translated(body: object, plan: Plan, *, json_items: bool = False) -> Fields:
    """Return an event's fields in Segue's own form.

    Text that is a number counts as a number where one is expected. :mod:`schemas.inputs.decode` checks all
    values, as it does for events in Segue's own form.

    Args:
        body: the JSON that the plan's paths lead into.
        plan: where the fields are.
        json_items: whether the items may be JSON in a text, as in a column of a table.

    Raises:
        BadEvent: a path does not lead to a value, or a time is in another form. The error names the source's
            field.
    """
    fields = _taken(body, plan.event, plan, lambda wanted: wanted.shown)
    if plan.items is not None:
        lines = look_up(body, plan.items.path, plan.items.shown)
        check_available(lines, plan.items.shown)
        if json_items and isinstance(lines, str):
            lines = _parsed(lines, plan.items.shown)
        if isinstance(lines, list):
            lines = [_line(number, line, plan, plan.items) for number, line in enumerate(lines)]
        fields[ITEMS] = lines
    return fields


def with_json(row: Mapping[str, object], columns: Iterable[str]) -> Mapping[str, object]:
    """Return a row with the JSON that the texts in some columns hold; text that is no object or array stays.

    >>> with_json({"attrs": '{"city": "Ulm"}', "note": "[x"}, ("attrs", "note"))
    {'attrs': {'city': 'Ulm'}, 'note': '[x'}
    """
    texts = {column: text for column in columns if isinstance(text := row.get(column), str)}
    return {**row, **{column: _structure(text) for column, text in texts.items()}} if texts else row


def look_up(body: object, path: tuple[str, ...], where: str) -> object:
    """Return the value at a path; None if it is not there.

    Raises:
        BadEvent: the path leads into a value that is neither an object nor an array, or that is unavailable.
    """
    inner = body
    for number, part in enumerate(path):
        if inner is None:
            return None
        if isinstance(inner, Mapping):
            if number and part not in inner:
                check_available(inner, where)
            inner = inner.get(part)
        elif isinstance(inner, list) and part.isascii() and part.isdecimal():
            inner = inner[int(part)] if int(part) < len(inner) else None
        else:
            check_available(inner, where)
            before = path[number - 1] if number else "the value"
            raise BadEvent(where, f"cannot be read: {before} is {shown(inner)}, not an object")
    return inner


def other_value(value: object, values: Mapping[str, str]) -> object:
    """Return the value that the settings have for a source's value; a value that is not there stays.

    >>> other_value(7, {"7": "k7"}), other_value(8, {"7": "k7"})
    ('k7', 8)
    """
    return values.get(_as_text(value), value) if values else value


def _structure(text: str) -> object:
    """Return the object, the array or the null in a text of JSON; any other text as it is."""
    try:
        parsed = json_text.load(text.encode())
    except BadEvent:
        return text
    return parsed if isinstance(parsed, Mapping | list | None) else text


def _parsed(text: str, where: str) -> object:
    try:
        return json_text.load(text.encode())
    except BadEvent as error:
        raise BadEvent(where, error.problem) from None


def _line(number: int, line: object, plan: Plan, items: Wanted) -> object:
    if not isinstance(line, Mapping):
        check_available(line, items.shown)
        return line
    return _taken(line, plan.item, plan, lambda wanted: f"{items.shown}[{number}].{wanted.shown}")


def _taken(holder: object, wanted: tuple[Wanted, ...], plan: Plan, where: Callable[[Wanted], str]) -> Fields:
    fields: Fields = {}
    for each in wanted:
        try:
            place = where(each)
            value = look_up(holder, each.path, place)
            if value is None:
                continue
            put(fields, each.into, _value(value, each, plan, place))
        except BadEvent:
            if each.needed:
                raise
    return fields


def _value(value: object, wanted: Wanted, plan: Plan, where: str) -> object:
    value = other_value(value, wanted.values)
    check_available(value, where)
    if wanted.kind == "number" and isinstance(value, str):
        number = number_in(value, plan.decimal)
        if number is None and plan.decimal == "." and number_in(value, ",") is not None:
            problem = (
                f'{shown(value)} is not a number; if it has a decimal comma, set decimal = "," for this topic'
            )
            raise BadEvent(where, problem)
        return value if number is None else number
    if wanted.kind in ("time", "date"):
        try:
            return rfc3339(value, plan.dates) if wanted.kind == "time" else date_or_time(value, plan.days)
        except ValueError as error:
            raise BadEvent(where, f"{shown(value)} {error}") from None
    return value


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | Decimal) else ""
