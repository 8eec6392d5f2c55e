"""Finds the columns of a table that Segue reads."""

import json
from collections.abc import Mapping

from schemas.errors import BadSetting, BadWarehouse
from trainer.warehouse.tables.column_types import Form, form_of
from trainer.warehouse.tables.reading_rules import Reading
from trainer.warehouse.tables.table_layout import Column, columns_of, is_read
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
    """Find the warehouse's names of one table's columns.

    Args:
        warehouse: the name of the warehouse in messages.
        table: Segue's name of the table.
        columns: the table's columns, name to type.
        names: the shop's names of tables and columns.
        reading: the rules for reading rows. A column with an unreadable type is left out if no feature reads
            it.
        decodes: whether the warehouse can decode bytes.

    Returns:
        The warehouse's name of each column, by (table, the column's name in the queries); None if the column
        is not read.

    Raises:
        BadWarehouse: a column is missing that a feature reads, its type cannot become text, or ids may be
            fractions.
        BadSetting: the table does not have a column that the settings name.
    """
    read = columns_of(table, reading.fields)
    # If names differ only in case, the name in small letters wins.
    by_lower = {name.lower(): name for name in columns} | {name: name for name in columns if name.islower()}
    named = names.columns.get(table, {})
    described = f"table {names.describe(table)} of {warehouse}"
    layout: dict[tuple[str, str], str | None] = {}
    for column in read:
        own, needed = column.names[0], is_read(table, column.key, reading.fields)
        if own in named:
            found = _named(table, own, named[own], columns, described)
        else:
            found = next((by_lower[name.lower()] for name in column.names if name.lower() in by_lower), None)
            if found is None and column.required and needed:
                raise BadWarehouse(_missing(table, column, columns, described))
        if found is not None:
            problem = _problem(table, column, columns[found], reading, decodes=decodes)
            if problem is not None and needed:
                raise BadWarehouse(
                    f"column {names.column(table, found)} of {warehouse} is {columns[found]}, {problem}"
                )
            found = found if problem is None else None
        layout[table, column.key] = found
    return layout


def _problem(table: str, column: Column, kind: str, reading: Reading, *, decodes: bool) -> str | None:
    """Why a column of this type cannot be read, and what to do; None if it can."""
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
    # A double 7 becomes the text 7.0 in one warehouse and 7 in another.
    return (
        "but ids are text or whole numbers: cast it to BIGINT or to text, or set whole_ids = true in "
        "segue.toml where they are whole"
    )


def _named(table: str, own: str, name: str, columns: Mapping[str, str], described: str) -> str | None:
    """The column that the settings name: with exactly this name, or the only one that differs in case."""
    if name == NONE:
        return None
    if name in columns:
        return name
    in_other_case = [column for column in columns if column.lower() == name.lower()]
    if len(in_other_case) == 1:
        return in_other_case[0]
    near = nearest(name, columns)
    has = f"it has {', '.join(columns)}"
    fix = f"{described} has no such column, {near or has}"
    raise BadSetting(f"columns.{table}.{own}", name, fix)


def _missing(table: str, column: Column, columns: Mapping[str, str], described: str) -> str:
    own = column.names[0]
    blank = next(
        (name for name in columns if name != name.strip() and name.strip().lower() in column.names), None
    )
    if blank is not None:
        return (
            f"{described} has no column {own}, but {blank!r}: take the blanks out of its name, or set {own} "
            f"= {json.dumps(blank)} under [columns.{table}] in segue.toml"
        )
    none = "" if column.essential else ' (or "", where there is none)'
    has = ", ".join(name if name == name.strip() else repr(name) for name in columns)
    return (
        f"{described} has no column {' or '.join(column.names)}: it has {has}; name the right one in "
        f'segue.toml, under [columns.{table}] {own} = "…"{none}'
    )
