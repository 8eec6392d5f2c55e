"""Joins tables with the same columns whose names differ in digits only, such as one a year."""

import re
from collections.abc import Iterator, Sequence

from trainer.proposal.looks.desk import Desk
from trainer.proposal.looks.shop_columns import ShopTable

_DIGITS = re.compile(r"[0-9]+")


def grouped(tables: Sequence[ShopTable], desk: Desk) -> Iterator[ShopTable]:
    """Yield the tables; of several that are one table in parts, one with all rows."""
    groups: dict[tuple[str, ...], list[ShopTable]] = {}
    for table in tables:
        digits_out = table.name if _are_numbered(table) else _DIGITS.sub("0", table.name)
        groups.setdefault((digits_out, *(column.name for column in table.columns)), []).append(table)
    for parts in groups.values():
        yield parts[0] if len(parts) == 1 else _joined(parts, desk)


def _are_numbered(table: ShopTable) -> bool:
    """Whether the columns are only numbered, as c_0, c_1 and c_2: then equal names show no equal tables."""
    return len(table.columns) > 1 and len({_DIGITS.sub("0", c.name) for c in table.columns}) == 1


def _joined(parts: Sequence[ShopTable], desk: Desk) -> ShopTable:
    place, first = desk.united([part.place for part in parts]), parts[0]
    rows = desk.rows(place)
    return ShopTable(
        first.name,
        tuple(part.name for part in parts),
        rows,
        tuple(desk.column(place, n, c.name, c.type, rows) for n, c in enumerate(first.columns)),
        place,
        all(part.whole for part in parts),
        tuple(file for part in parts for file in part.files),
        first.is_csv,
    )
