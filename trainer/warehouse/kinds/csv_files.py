"""Reads from a CSV file its header, its first error, and the line numbers of rows."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from schemas.errors import BadWarehouse
from schemas.inputs.field_checks import FLOAT_ID
from trainer.warehouse.kinds.csv_records import Broken, records
from trainer.warehouse.tables.reading_rules import Csv

# Other usual separators: of Excel in many countries, and of databases.
_SEPARATORS = (",", ";", "\t", "|")
_SHOWN = 60
_ROWS_LOOKED_AT = 1_000_000
MAX_SHOWN = 256  # queries return at most this many characters of a value
_ENDS = {"\n": "LF", "\r\n": "CR LF", "\r": "CR"}


def header(path: Path, form: Csv) -> list[str]:
    """The names of the columns; a column without a name gets its position as a name.

    Raises:
        BadWarehouse: the file has no line of column names, or it cannot be read.
    """
    try:
        first = next(records(path, form), None)
    except Broken as broken:
        raise BadWarehouse(f"{path}: {broken}") from None
    if first is None:
        raise BadWarehouse(f"{path} is empty: its first line must have the column names")
    names = first.fields
    other = next((one for one in _SEPARATORS if one in names[0]), None) if len(names) == 1 else None
    if other is not None:
        written = "\\t" if other == "\t" else other
        raise BadWarehouse(
            f"{path}, line {first.line}, has one column, {names[0][:_SHOWN]!r}, by the separator "
            f"{form.separator!r}: set "
            f'separator = "{written}" under [csv] in segue.toml'
        )
    # pandas writes its index as a first column without a name.
    names = [name or f"column {place}" for place, name in enumerate(names, start=1)]
    lower = [name.lower() for name in names]
    if twice := [name for name in names if lower.count(name.lower()) > 1]:
        raise BadWarehouse(
            f"{path}, line {first.line}, has column {twice[0]} more than once (case does not count):"
            " give each column its own name there"
        )
    return names


def trouble(path: Path, form: Csv) -> str | None:
    """A sentence with the first error of the file and its line; None if there is no error."""
    try:
        found = records(path, form)
        first = next(found)
        for record in found:
            if len(record.fields) != len(first.fields):
                return (
                    f"{path}, line {record.line}, has {_count(len(record.fields), 'field')} and line "
                    f"{first.line} names {_count(len(first.fields), 'column')}"
                )
            if record.end not in (first.end, ""):
                return (
                    f"{path}, line {record.line}, ends with {_ENDS[record.end]} and line {first.line} with "
                    f"{_ENDS[first.end]}: let all lines end alike, for example by dos2unix"
                )
    except Broken as broken:
        return f"{path}: {broken}"
    return None


def lines_of(
    path: Path, form: Csv, wanted: Sequence[Mapping[str, str | None]], whole: Collection[str] = ()
) -> list[int | None]:
    """The line number of the first row that has the wanted values, for each wanted row.

    Args:
        path: the file.
        form: how it is written.
        wanted: for each row to find, the values by column. None matches a blank field or a text for a missing
            value. A value of :data:`MAX_SHOWN` characters also matches a longer field that begins with it.
        whole: columns with ids that may be written as floats; ``wanted`` has the whole number.

    Returns:
        A line number for each wanted row; None if it is not among the first million rows.
    """
    lines: list[int | None] = [None] * len(wanted)
    left = dict(enumerate(wanted))
    # An error in the file was reported before, or DuckDB accepts it.
    with suppress(Broken):
        found = records(path, form)
        places = {name: place for place, name in enumerate(header(path, form))}
        next(found)
        for record in islice(found, _ROWS_LOOKED_AT):
            if not left:
                break
            for number, row in list(left.items()):
                if all(
                    _is(record.fields, places[n], value, form, whole=n in whole) for n, value in row.items()
                ):
                    lines[number] = record.line
                    del left[number]
    return lines


def _is(fields: Sequence[str], place: int, value: str | None, form: Csv, *, whole: bool) -> bool:
    field = fields[place] if place < len(fields) else ""
    if whole and (as_float := FLOAT_ID.fullmatch(field)) is not None:
        field = as_float[1]
    if value is None:
        return not field.strip() or field in form.nulls
    return field == value or (len(value) == MAX_SHOWN and field.startswith(value))


def _count(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
