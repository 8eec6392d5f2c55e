"""Checks the setting ``events``: in which form others send their events."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from schemas.errors import BadSetting
from schemas.event_fields import KNOWN, field_of, short_name
from schemas.inputs.forms.event_form import EventForm, EventForms, FormName, Source
from schemas.inputs.forms.field_paths import EVENT_FIELDS, ITEMS
from schemas.inputs.forms.written_numbers import DecimalMark
from schemas.inputs.forms.written_times import check_dates
from segue.config.setting_texts import table_of

_EXAMPLE = '{ user_id = "customer.id" }'
_TOPICS: tuple[Source, ...] = ("signups", "orders")
_LEVELS = {"signups": "user", "orders": "order"}
_PATH = re.compile(r"[^.\[\]\x00-\x1f\x7f]{1,200}(\.[^.\[\]\x00-\x1f\x7f]{1,200}){0,19}")
_Pairs = tuple[tuple[str, str], ...]


def event_tables(value: object) -> dict[str, dict[str, Any]]:
    """Check the setting ``events`` and return its tables by topic.

    Args:
        value: a table, or text with a JSON object.

    Raises:
        BadSetting: the value is neither, or a table is wrong. The error names the field.
    """
    tables = _tables(value)
    forms_of(tables)
    return tables


def forms_of(tables: Mapping[str, Mapping[str, Any]]) -> EventForms:
    """Return the forms that the tables declare.

    >>> forms_of({"orders": {"user_id": "customer.id", "item": {"brand": "vendor"}}}).orders.paths
    (('brand', 'vendor'), ('user_id', 'customer.id'))

    Raises:
        BadSetting: a table is wrong.
    """
    return EventForms(**{topic: _form(topic, tables[topic]) for topic in _TOPICS if topic in tables})


def _tables(value: object) -> dict[str, dict[str, Any]]:
    try:
        tables = table_of(value, _EXAMPLE)
    except ValueError:
        example = f'form = "{value}"' if value in get_args(FormName) else _EXAMPLE
        fix = f"give tables by topic, such as [events.orders] with {example}, in the environment as JSON"
        raise BadSetting("events", value, fix) from None
    for topic, table in tables.items():
        if topic not in _TOPICS:
            raise BadSetting(f"events.{topic}", "a table", "there are only events.signups and events.orders")
        if not isinstance(table, Mapping):
            raise BadSetting(f"events.{topic}", table, f"give a table of paths, such as {_EXAMPLE}")
    return {topic: dict(table) for topic, table in tables.items() if isinstance(table, Mapping)}


def _form(topic: Source, table: Mapping[str, Any]) -> EventForm:
    setting, rest = f"events.{topic}", dict(table)
    form, dates = rest.pop("form", "mapping"), rest.pop("dates", None)
    if form not in get_args(FormName):
        fix = f"use one of {', '.join(get_args(FormName))}, or map the fields without a form"
        raise BadSetting(f"{setting}.form", form, fix)
    if dates is not None:
        try:
            check_dates(_text(f"{setting}.dates", dates))
        except ValueError as error:
            raise BadSetting(f"{setting}.dates", dates, str(error)) from None
    decimal = rest.pop("decimal", ".")
    if decimal not in get_args(DecimalMark):
        raise BadSetting(f"{setting}.decimal", decimal, 'give "." or ","')
    values = _values(topic, rest.pop("values", {}))
    item = rest.pop("item", {}) if topic == "orders" else {}
    if not isinstance(item, Mapping):
        raise BadSetting(f"{setting}.item", item, 'give a table of paths, such as { brand = "vendor" }')
    named = [(f"{setting}.{name}", _field(topic, name), path) for name, path in _flat(rest)]
    named += [(f"{setting}.item.{name}", _item_field(name), path) for name, path in _flat(item)]
    paths: dict[str, str] = {}
    for where, name, path in named:
        if name in paths:
            raise BadSetting(where, path, f"{name} has the path {paths[name]} already, map it once")
        paths[name] = _path(where, path)
    return EventForm(form, tuple(sorted(paths.items())), values, dates, decimal)


def _flat(table: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield fields with what is said of them: TOML reads a dotted name without quotes as nested tables."""
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", found) for inner, found in _flat(value))
        else:
            yield name, value


def _field(topic: Source, given: str) -> str:
    """Return the name of a field of the event."""
    name = short_name(given)
    level = _LEVELS[topic]
    if name in EVENT_FIELDS[topic] or (topic == "orders" and name == ITEMS):
        return name
    field = field_of(name)
    if field is not None and field.level == level:
        return field.name
    names = [*EVENT_FIELDS[topic], *(known.name for known in KNOWN.values() if known.level == level)]
    names += [ITEMS, "item"] if topic == "orders" else []
    near = get_close_matches(given, [*names, "form", "dates", "decimal", "values"], 1)
    fix = f"did you mean {near[0]}?" if near else f"map {', '.join(names)} or {level}.<field>"
    raise BadSetting(f"events.{topic}.{given}", "a path", f"there is no such field, {fix}")


def _item_field(given: str) -> str:
    """Return the name of a field of an item; a field of a shop's own may come without ``item.``."""
    if given in KNOWN and KNOWN[given].level == "item":
        return given
    name = short_name(given if given.startswith("item.") else f"item.{given}")
    field = field_of(name)
    if field is None or given in KNOWN:
        names = ", ".join(known.name for known in KNOWN.values() if known.level == "item")
        fix = f"there is no such field of an item, map {names} or a field of your own"
        raise BadSetting(f"events.orders.item.{given}", "a path", fix)
    return field.name


def _path(setting: str, path: object) -> str:
    text = _text(setting, path)
    if not _PATH.fullmatch(text):
        fix = "give a path such as customer.id or line_items.0.vendor; it cannot be empty"
        raise BadSetting(setting, path, fix)
    return text


def _text(setting: str, value: object) -> str:
    if not isinstance(value, str):
        raise BadSetting(setting, value, "give text, in quotes")
    return value


def _values(topic: Source, tables: object) -> tuple[tuple[str, _Pairs], ...]:
    setting = f"events.{topic}.values"
    example = f'give a table by field, such as [{setting}.status] with paid = "Complete"'
    if not isinstance(tables, Mapping):
        raise BadSetting(setting, tables, example)
    found: dict[str, _Pairs] = {}
    for given, table in _by_field(tables):
        if not isinstance(table, Mapping):
            raise BadSetting(f"{setting}.{given}", table, example)
        pairs = {str(value): _text(f"{setting}.{given}.{value}", ours) for value, ours in table.items()}
        found[_valued(topic, given)] = tuple(sorted(pairs.items()))
    return tuple(sorted(found.items()))


def _by_field(tables: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for name, table in tables.items():
        if isinstance(table, Mapping) and table and all(isinstance(each, Mapping) for each in table.values()):
            yield from ((f"{name}.{inner}", found) for inner, found in _by_field(table))
        else:
            yield name, table


def _valued(topic: Source, given: str) -> str:
    """Return the name of a field that may have a map of values.

    A user's id may have one, because some shops give all guests one number: as blank text it is missing.
    """
    if given == "user_id":
        return given
    name, field = short_name(given), field_of(short_name(given))
    levels = ("user",) if topic == "signups" else ("order", "item")
    if field is None or field.level not in levels:
        fix = (
            "only a field that a feature can read has a map of values:"
            f" {' or '.join(f'{x}.<field>' for x in levels)}"
        )
        raise BadSetting(f"events.{topic}.values.{given}", "a table", fix)
    return field.name if field.own else name
