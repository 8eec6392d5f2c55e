"""Parquet and CSV files, as DuckDB's table functions."""

import csv
import gzip
from pathlib import Path

from schemas.errors import BadWarehouse
from trainer.warehouse.names import Names, table_fix

SUFFIXES = (".parquet", ".csv", ".csv.gz")


def find(folder: Path, names: Names, table: str) -> Path:
    """The file of one table.

    Args:
        folder: where it lies.
        names: what the shop calls its tables.
        table: Segue's name of the table.

    Raises:
        BadWarehouse: there is none, or more than one.
    """
    possible = [names.table(table) + suffix for suffix in SUFFIXES]
    found = [folder / name for name in possible if (folder / name).is_file()]
    told = names.told(table)
    if not found:
        there = [path.name.partition(".")[0] for path in folder.iterdir() if path.name.endswith(SUFFIXES)]
        fix = table_fix(names, table, there, f"it should be a file {', '.join(possible)}")
        raise BadWarehouse(f"folder {folder} has no table {told}: {fix}")
    if len(found) > 1:
        several = ", ".join(path.name for path in found)
        raise BadWarehouse(f"folder {folder} has table {told} more than once ({several}): keep one of them")
    return found[0]


def reader(path: Path) -> str:
    """The call of DuckDB's table function that reads the file; in CSV all columns are text.

    Raises:
        BadWarehouse: a CSV file without a line of column names.
    """
    if path.suffix == ".parquet":
        return f"read_parquet({_literal(_no_pattern(path))})"
    columns = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in _header(path))
    compression = "gzip" if path.suffix == ".gz" else "none"
    # Nothing is detected: a delimiter or a type that depends on the rows would change with the rows.
    return (
        f"read_csv({_literal(_no_pattern(path))}, auto_detect = false, header = true, delim = ',', "
        f"quote = '\"', escape = '\"', compression = '{compression}', columns = {{{columns}}})"
    )


def _header(path: Path) -> list[str]:
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        # More than the first line is decoded; what is wrong behind it, DuckDB tells with its line.
        with opened(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            names = next(csv.reader(file), [])
    except (OSError, EOFError, csv.Error) as error:
        raise BadWarehouse(f"{path} cannot be read: {error}") from None
    if any("\udc80" <= character <= "\udcff" for name in names for character in name):
        raise BadWarehouse(f"{path} is not UTF-8: its column names cannot be read")
    if not names:
        raise BadWarehouse(f"{path} has no line of column names")
    # pandas writes its index as a first column without a name.
    names = [name or f"column {place}" for place, name in enumerate(names, start=1)]
    lower = [name.lower() for name in names]
    if twice := [name for name in names if lower.count(name.lower()) > 1]:
        raise BadWarehouse(f"{path} has column {twice[0]} more than once (case does not count)")
    return names


def _no_pattern(path: Path) -> str:
    """The path as a pattern that only it matches."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in str(path))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
