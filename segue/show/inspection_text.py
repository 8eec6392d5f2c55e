"""Shows the tables of a warehouse and what is proposed for them, in lines of at most 80 characters."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from schemas.inputs.field_checks import shown
from schemas.printable import printable_cell

if TYPE_CHECKING:
    from trainer.proposal.looks.open_tables import ShopTables
    from trainer.proposal.looks.shop_columns import ShopColumn, ShopTable

WIDTH = 80
_NAME, _LOOK, _EMPTY = 24, 22, 5


def tables_text(found: ShopTables) -> Iterator[str]:
    """Yield the lines about all tables: each column with what its values are, empty values and samples."""
    for table in found.tables:
        yield from _table(table)
        yield ""
    if any(table.is_csv for table in found.tables):
        yield f"CSV files: separator {shown(found.form.separator)}, encoding {found.form.encoding}"
    for note in found.notes:
        yield from wrapped(note)


def wrapped(sentence: str, indent: str = "") -> list[str]:
    """A sentence in lines."""
    return textwrap.wrap(
        printable_cell(sentence),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_on_hyphens=False,
    )


def tables_as_json(found: ShopTables) -> list[dict[str, object]]:
    """The same for programs."""
    return [
        {
            "name": table.name,
            "parts": table.parts,
            "rows": table.rows,
            "all_rows": table.whole,
            "columns": [
                {
                    "name": column.name,
                    "type": column.type or None,
                    "values": column.kind,
                    "dates": list(column.date.forms) if column.date is not None else None,
                    "decimal": column.number.decimal if column.kind == "number" else None,
                    "empty": round(column.empty_share, 6),
                    "different": column.distinct,
                    "samples": column.samples,
                }
                for column in table.columns
            ],
        }
        for table in found.tables
    ]


def look_of(column: ShopColumn) -> str:
    """What the values of a column are, in a few words."""
    if column.kind == "date" and column.date is not None and column.date.forms:
        return f"date {column.date.forms[0]}" + ("?" if column.date.other else "")
    if column.kind == "number" and column.number.decimal == ",":
        return "number 1.234,5"
    if column.kind == "number" and column.number.signs:
        return "number with signs"
    if column.kind == "unreadable":
        return column.type
    return "number as 7.0" if column.float_ids and column.float_ids == column.filled else column.kind


def _table(table: ShopTable) -> Iterator[str]:
    more = "" if table.whole else "+"
    yield from wrapped(f"{' + '.join(table.parts)}: {table.rows:,}{more} rows")
    for column in table.columns:
        cells = (_cut(column.name, _NAME), _cut(look_of(column), _LOOK), f"{column.empty_share:.0%}")
        begin = f"  {cells[0]:<{_NAME}} {cells[1]:<{_LOOK}} {cells[2]:>{_EMPTY}} "
        yield (begin + _samples(column.samples, WIDTH - len(begin))).rstrip()


def _samples(samples: Iterable[str], width: int) -> str:
    shown = ""
    for value in samples:
        cell = _cut(value, 20)
        joined = f"{shown}, {cell}" if shown else cell
        if len(joined) > width:
            break
        shown = joined
    return shown


def _cut(text: str, width: int) -> str:
    safe = printable_cell(text)
    return safe if len(safe) <= width else f"{safe[: width - 1]}…"
