"""Which of a table's columns are read."""

import re
from collections.abc import Mapping

from schemas.errors import BadSetting, BadWarehouse
from trainer.warehouse.layout import TABLES, Column
from trainer.warehouse.names import NONE, Names, nearest

# A double prints 7 as 7.0 in one warehouse and as 7 in the next: which user that is, nobody can say.
_NO_ID_TYPE = re.compile(r"(double|float|real|decimal|numeric|bignumeric|number)(?!.*,\s*0\))", re.IGNORECASE)


def resolve(
    warehouse: str, table: str, columns: Mapping[str, str], names: Names
) -> dict[tuple[str, str], str | None]:
    """How one table's columns are called.

    Args:
        warehouse: what messages call the warehouse.
        table: Segue's name of the table.
        columns: the table's columns, name to type.
        names: what the shop calls them.

    Raises:
        BadWarehouse: a required column is not there, or ids are of a type that can hold fractions.
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
        if found is not None and column.is_id and _NO_ID_TYPE.match(columns[found]):
            raise BadWarehouse(
                f"column {table}.{found} of {warehouse} is {columns[found]}, but ids are text or whole "
                f"numbers: cast it to BIGINT or to text"
            )
        layout[table, own] = found
    return layout


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
    none = "" if column.essential else ' (or "", where there is none)'
    return (
        f"{told} has no column {' or '.join(column.names)}: it has {', '.join(columns)}; name the right one in "
        f'segue.toml, under [columns.{table}] {own} = "…"{none}'
    )
