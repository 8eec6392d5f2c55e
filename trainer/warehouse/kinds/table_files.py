"""Finds the Parquet and CSV files of the tables, and makes DuckDB's calls that read them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from schemas.errors import BadWarehouse
from trainer.warehouse.kinds.csv_files import header
from trainer.warehouse.kinds.csv_records import has_excels_line
from trainer.warehouse.kinds.warehouse_source import NoTable
from trainer.warehouse.tables.reading_rules import Csv
from trainer.warehouse.tables.sql_literals import literal
from trainer.warehouse.tables.table_names import Names, table_fix

SUFFIXES = (".parquet", ".csv", ".csv.gz")


def find(folder: Path, names: Names, table: str) -> Path:
    """The file of one table.

    Args:
        folder: the folder of the warehouse.
        names: the shop's names of the tables.
        table: Segue's name of the table.

    Raises:
        NoTable: there is no file of this table.
        BadWarehouse: there is more than one.
    """
    possible = [names.table(table) + suffix for suffix in SUFFIXES]
    found = [folder / name for name in possible if (folder / name).is_file()]
    files = files_of(folder)
    described = names.describe(table)
    found = found or list(files.get(names.table(table), ()))
    if not found:
        fix = table_fix(names, table, files, f"it should be a file {', '.join(possible)}")
        raise NoTable(f"folder {folder} has no table {described}: {fix}")
    return only(folder, described, found)


def files_of(folder: Path) -> Mapping[str, Sequence[Path]]:
    """The files of a folder that are tables, by the name of the table."""
    files: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        # Windows writes an ending in capitals, too.
        suffix = next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), None)
        if suffix is not None and path.is_file():
            files.setdefault(path.name[: -len(suffix)], []).append(path)
    return files


def only(folder: Path, described: str, found: Sequence[Path]) -> Path:
    """The only one of the files found for a table.

    Raises:
        BadWarehouse: there are several.
    """
    if len(found) > 1:
        several = ", ".join(path.name for path in found)
        raise BadWarehouse(
            f"folder {folder} has table {described} more than once ({several}): keep one of them"
        )
    return found[0]


def reader(path: Path, copy: Path, form: Csv) -> str:
    """The call of DuckDB's table function that reads a file; in CSV all columns are text.

    Args:
        path: the file.
        copy: the file, or its copy in UTF-8.
        form: how CSV files are written.

    Raises:
        BadWarehouse: the CSV file has no line of column names.
    """
    if path.suffix.lower() == ".parquet":
        return f"read_parquet({literal(no_pattern(path))})"
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header(path, form))
    compression = "gzip" if copy.suffix.lower() == ".gz" else "none"
    nulls = ", ".join(map(literal, ("", *form.nulls)))
    skip = "skip = 1, " if has_excels_line(path, form) else ""
    # Nothing is detected automatically: a detected delimiter or type could change with the rows.
    return (
        f"read_csv({literal(no_pattern(copy))}, auto_detect = false, header = true, {skip}"
        f"delim = {literal(form.separator)}, quote = '\"', escape = '\"', nullstr = [{nulls}], "
        f"compression = '{compression}', columns = {{{columns}}})"
    )


def no_pattern(path: Path) -> str:
    """The path as a pattern that matches only this path."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in str(path))
