"""Which of a table's columns are read."""

import json
from collections.abc import Mapping

from schemas.errors import BadSetting, BadWarehouse
from trainer.warehouse.tables.column_types import Form, form_of
from trainer.warehouse.tables.reading_rules import Reading
from trainer.warehouse.tables.table_layout import TABLES, Column, is_read
from trainer.warehouse.tables.table_names import A_VIEW, NONE, Names, nearest


def resolve(
    warehouse: str,
    table: str,
    columns: Mapping[str, str],
    names: Names,
    reading: Reading,
    *,
    decodes: bool = True,
) -> dict[tuple[str, str], str | None]:
    """How one table's columns are called.

    Args:
        warehouse: what messages call the warehouse.
        table: Segue's name of the table.
        columns: the table's columns, name to type.
        names: what the shop calls them.
        reading: how the rows are read. A column that no feature reads is passed over where its type cannot be.
        decodes: whether the warehouse's bytes can be decoded.

    Raises:
        BadWarehouse: a required column is not there, its type has no text form, or ids may be fractions.
        BadSetting: a column that the settings name is not there.
    """
    # A name in small letters wins over the same name in others.
    by_lower = {name.lower(): name for name in columns} | {name: name for name in columns if name.islower()}
    named = names.columns.get(table, {})
    told = f"table {names.told(table)} of {warehouse}"
    layout: dict[tuple[str, str], str | None] = {}
    for column in TABLES[table]:
        own = column.names[0]
        if own in named:
            found = _named(table, own, named[own], columns, told)
        else:
            found = next((by_lower[name] for name in column.names if name in by_lower), None)
            if found is None and column.required:
                raise BadWarehouse(_missing(table, column, columns, told))
        if found is not None:
            problem = _problem(table, column, columns[found], reading, decodes=decodes)
            if problem is not None and is_read(table, own, reading.fields):
                raise BadWarehouse(
                    f"column {names.column(table, found)} of {warehouse} is {columns[found]}, {problem}"
                )
            found = found if problem is None else None
        layout[table, own] = found
    return layout


def _problem(table: str, column: Column, kind: str, reading: Reading, *, decodes: bool) -> str | None:
    """Why a column of this type cannot be read, and what to do."""
    form = form_of(kind)
    leave = (
        "" if column.essential else f', or set {column.names[0]} = "" under [columns.{table}] in segue.toml'
    )
    if form is Form.NONE:
        return f"which is no text, number or time: make it one of them {A_VIEW}{leave}"
    if form is Form.BYTES and not decodes:
        return f"bytes that Segue cannot decode here: make them text {A_VIEW}{leave}"
    if not column.is_id or form in (Form.TEXT, Form.BYTES, Form.WHOLE):
        return None
    if form is Form.OTHER:
        return "but ids are text or whole numbers: cast it to text"
    if reading.whole_ids:
        return None
    # A double prints 7 as 7.0 in one warehouse and as 7 in the next.
    return (
        "but ids are text or whole numbers: cast it to BIGINT or to text, or set whole_ids = true in segue.toml where "
        "they are whole"
    )


def _named(table: str, own: str, name: str, columns: Mapping[str, str], told: str) -> str | None:
    """The column that the settings name: as it is written there, else the only one in another case."""
    if name == NONE:
        return None
    if name in columns:
        return name
    in_other_case = [column for column in columns if column.lower() == name.lower()]
    if len(in_other_case) == 1:
        return in_other_case[0]
    near = nearest(name, columns)
    has = f"it has {', '.join(columns)}"
    fix = f"{told} has no such column, {near or has}"
    raise BadSetting(f"columns.{table}.{own}", name, fix)


def _missing(table: str, column: Column, columns: Mapping[str, str], told: str) -> str:
    own = column.names[0]
    blank = next(
        (name for name in columns if name != name.strip() and name.strip().lower() in column.names), None
    )
    if blank is not None:
        return (
            f"{told} has no column {own}, but {blank!r}: take the blanks out of its name, or set {own} = "
            f"{json.dumps(blank)} under [columns.{table}] in segue.toml"
        )
    none = "" if column.essential else ' (or "", where there is none)'
    has = ", ".join(name if name == name.strip() else repr(name) for name in columns)
    return (
        f"{told} has no column {' or '.join(column.names)}: it has {has}; name the right one in "
        f'segue.toml, under [columns.{table}] {own} = "…"{none}'
    )
