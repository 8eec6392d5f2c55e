"""Opens a shop's warehouse and copies its tables to a desk, whatever their names are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from schemas.errors import BadSource, BadWarehouse
from schemas.printable import printable_cell
from trainer.proposal.looks import postgres_tables
from trainer.proposal.looks.csv_guess import CENTRAL_EUROPE, can_be, csv_form, word_beyond_ascii
from trainer.proposal.looks.desk import A_VALUE, MOST_ROWS, Desk
from trainer.proposal.looks.same_tables import grouped
from trainer.proposal.looks.shop_columns import ShopTable
from trainer.proposal.looks.sql_names import quoted
from trainer.warehouse.checks.quoted_values import quoted as quoted_value
from trainer.warehouse.kinds import csv_files, duckdb_warehouse, postgres_warehouse, table_files
from trainer.warehouse.kinds.csv_records import is_utf8
from trainer.warehouse.kinds.utf8_copies import Utf8Copies
from trainer.warehouse.kinds.warehouse_source import Source
from trainer.warehouse.shop_warehouse import existing_path
from trainer.warehouse.tables.column_types import Form, form_of
from trainer.warehouse.tables.reading_rules import Csv
from trainer.warehouse.tables.sql_literals import literal
from trainer.warehouse.tables.table_names import Names

_Database = duckdb_warehouse.DuckSource | postgres_warehouse.PostgresSource
_DATABASE_ROWS = 200_000
_OTHER_ENDS = (".tsv", ".txt", ".tab", ".xlsx", ".xls", ".json", ".jsonl", ".csv.zip", ".zip")
_ENCODINGS = {CENTRAL_EUROPE: "Central Europe", "cp1251": "Cyrillic", "gb18030": "Chinese"}
_DUCKDB_TABLES = """
    select table_name, column_name, data_type from information_schema.columns
    where table_schema = 'main' and table_catalog = current_database()
    order by table_name, ordinal_position
"""


@dataclass(frozen=True, slots=True)
class ShopTables:
    """What is in a warehouse.

    Attributes:
        name: the warehouse in messages.
        dialect: its SQL.
        tables: its tables.
        form: how its CSV files are written.
        notes: sentences about files that are not read.
    """

    name: str
    dialect: str
    tables: tuple[ShopTable, ...]
    form: Csv
    notes: tuple[str, ...] = ()


def open_tables(
    path_or_url: str, desk: Desk, declared: Mapping[str, str], *, may_be_empty: bool = False
) -> ShopTables:
    """Copy the tables of a folder, a DuckDB file or PostgreSQL to a desk, and look at their columns.

    Args:
        path_or_url: the warehouse.
        desk: gets the copies.
        declared: the separator and the encoding of CSV files, as far as the settings name them.
        may_be_empty: whether a database in which no table is found is no error, but a note.

    Raises:
        BadWarehouse: there is no such warehouse, it cannot be read, or it has no table with columns.
    """
    if path_or_url.startswith(postgres_warehouse.SCHEMES):
        source: _Database = postgres_warehouse.PostgresSource(path_or_url, Names())
        return _of_database(source, path_or_url, desk, may_be_empty=may_be_empty)
    if "://" in path_or_url:
        scheme = path_or_url.partition("://")[0]
        raise BadSource(
            f"the tables of a {scheme}:// warehouse cannot be looked at: name a folder, a DuckDB file or a"
            " postgresql:// URL, or write segue.toml by hand (docs/your-data.md)"
        )
    path = existing_path(path_or_url)
    if path.is_dir():
        return _of_folder(path, desk, declared)
    source = duckdb_warehouse.open_file(path, Names())
    return _of_database(source, path_or_url, desk, may_be_empty=may_be_empty)


def _of_database(source: _Database, path_or_url: str, desk: Desk, *, may_be_empty: bool) -> ShopTables:
    of_postgres = source.dialect == "postgres"
    try:
        tables: dict[str, dict[str, str]] = {}
        for table, column, kind in source.rows(postgres_tables.TABLES if of_postgres else _DUCKDB_TABLES):
            tables.setdefault(str(table), {})[str(column)] = str(kind)
        notes = list(postgres_tables.not_listed(source, tables, path_or_url)) if of_postgres else []
        found = []
        for name, columns in tables.items():
            try:
                with source.apart():
                    found.append(_copied(source, name, columns, desk))
            except BadWarehouse as error:
                if not _answers(source):
                    raise
                why = str(error).removeprefix(f"{source.name} cannot be read: ")
                notes.append(f"{printable_cell(name)}: not read: {printable_cell(why)}")
        if not found:
            why = f" ({'; '.join(notes)})" if notes else ""
            notes = [f"{source.name} has no table that can be read{why}"]
            if not may_be_empty:
                raise BadWarehouse(notes[0])
    finally:
        source.close()
    return ShopTables(source.name, source.dialect, tuple(grouped(found, desk)), Csv(), tuple(notes))


def _answers(source: Source) -> bool:
    """Whether a database still answers; else no other table can be read either."""
    try:
        return bool(list(source.rows("select 1")))
    except BadWarehouse:
        return False


def _text_of(column: str, kind: str, dialect: str) -> str:
    """A column as text; of a type without a text only whether there is a value."""
    name = quoted(column, dialect)
    if form_of(kind) is Form.NONE:
        return f"case when {name} is null then null else {literal(A_VALUE)} end"
    return f"cast({name} as text)"


def _copied(source: Source, name: str, columns: Mapping[str, str], desk: Desk) -> ShopTable:
    values = [_text_of(column, kind, source.dialect) for column, kind in columns.items()]
    # The names of the columns do not have to be unique in Arrow.
    query = (
        f"select {', '.join(values)} from {quoted(name, source.dialect)}"  # noqa: S608
        f" limit {_DATABASE_ROWS + 1}"
    )
    schema = pa.schema([(f"c{number}", pa.string()) for number in range(len(values))])
    read = pa.Table.from_batches(source.batches(query, schema), schema)
    place = desk.add(read.slice(0, _DATABASE_ROWS))
    return _table(name, columns, place, desk, whole=read.num_rows <= _DATABASE_ROWS)


def _of_folder(folder: Path, desk: Desk, declared: Mapping[str, str]) -> ShopTables:
    try:
        files = table_files.files_of(folder)
        others = sorted(p.name for p in folder.iterdir() if p.name.lower().endswith(_OTHER_ENDS))
    except OSError as error:
        raise BadWarehouse(f"warehouse {folder} cannot be read: {error.strerror}") from None
    notes = [_other(name) for name in others]
    all_forms = {
        p: csv_form(p, declared) for all_ in files.values() for p in all_ if p.suffix.lower() != ".parquet"
    }
    form, forms, of_forms = _common_form(all_forms)
    notes += of_forms
    if "encoding" not in declared and not is_utf8(form.encoding):
        shows = (path for path, (one, shows) in all_forms.items() if shows and one.encoding == form.encoding)
        notes.append(_guessed(form.encoding, next(shows)))
    copies, found = Utf8Copies(form), []
    try:
        for name, paths in files.items():
            try:
                path = table_files.only(folder, name, paths)
                if path.suffix.lower() != ".parquet" and path not in forms:
                    continue
                found.append(_of_file(name, path, form, copies, desk))
            except BadWarehouse as error:
                notes.append(f"not read: {error}")
    finally:
        copies.close()
    if not found:
        why = f" ({'; '.join(notes)})" if notes else ""
        raise BadWarehouse(
            f"folder {folder} has no table that can be read, as .parquet, .csv or .csv.gz{why}"
        )
    return ShopTables(f"folder {folder}", "duckdb", tuple(grouped(found, desk)), form, tuple(notes))


def _of_file(name: str, path: Path, form: Csv, copies: Utf8Copies, desk: Desk) -> ShopTable:
    if path.suffix.lower() == ".parquet":
        reader = table_files.reader(path, path, form)
        columns = desk.types_of(reader)
        texts = ", ".join(_text_of(column, kind, "duckdb") for column, kind in columns.items())
        reader = f"(select {texts} from {reader})"  # noqa: S608 - quoted
    else:
        columns = dict.fromkeys(csv_files.header(path, form), "")
        reader = table_files.reader(path, copies.of(path), form)
    try:
        place = desk.read(reader, len(columns))
    except BadWarehouse as error:
        trouble = None if path.suffix.lower() == ".parquet" else csv_files.trouble(path, form)
        raise BadWarehouse(trouble or f"{path}: {error}") from None
    table = _table(name, columns, place, desk, whole=desk.rows(place) < MOST_ROWS)
    return replace(table, files=(path.name,), is_csv=path.suffix.lower() != ".parquet")


def _table(name: str, columns: Mapping[str, str], place: str, desk: Desk, *, whole: bool) -> ShopTable:
    rows = desk.rows(place)
    found = tuple(desk.column(place, n, c, kind, rows) for n, (c, kind) in enumerate(columns.items()))
    return ShopTable(name, (name,), rows, found, place, whole)


def _common_form(found: Mapping[Path, tuple[Csv, bool]]) -> tuple[Csv, list[Path], list[str]]:
    """The form that most bytes are in; the files that have it; sentences about the others.

    Segue reads all CSV files of a folder in one form.
    """
    if not found:
        return Csv(), [], []
    sizes = {path: path.stat().st_size for path in found}

    def heaviest(values: Iterator[tuple[str, Path]]) -> str:
        weights: dict[str, int] = {}
        for value, path in values:
            weights[value] = weights.get(value, 0) + sizes[path]
        return max(weights, key=lambda value: weights[value])

    separator = heaviest((form.separator, path) for path, (form, _) in found.items())
    shown = [(form.encoding, path) for path, (form, shows) in found.items() if shows]
    encoding = heaviest(iter(shown)) if shown else "utf-8"
    # A file without the letters that tell the two apart looks like one of Western Europe.
    if encoding == "cp1252" and any(one == CENTRAL_EUROPE for one, _ in shown):
        encoding = CENTRAL_EUROPE
    common, notes = [], []
    for path, (form, shows) in found.items():
        if form.separator != separator and _columns(path, form) > 1:
            notes.append(
                f"not read: {path.name} has the separator {form.separator!r} and other files {separator!r}: "
                "Segue reads all files of a folder with one separator, so save them alike"
            )
        elif shows and form.encoding != encoding and not _fits_too(path, form.encoding, encoding):
            notes.append(
                f"not read: {path.name} is in {form.encoding} and other files are in {encoding}: Segue reads "
                "all files of a folder in one encoding, so save them alike"
            )
        else:
            common.append(path)
    return Csv(separator, encoding=encoding), common, notes


def _fits_too(path: Path, guessed: str, encoding: str) -> bool:
    """Whether a file of Western Europe's encoding may also be in that of Central Europe."""
    return guessed == "cp1252" and encoding == CENTRAL_EUROPE and can_be(path, encoding)


def _guessed(encoding: str, path: Path) -> str:
    word = quoted_value(word_beyond_ascii(path, encoding))
    others = " or ".join(f'"{other}" for {where}' for other, where in _ENCODINGS.items() if other != encoding)
    return (
        f"CHECK: encoding {encoding} is a guess: {word} should read right; else set another under [csv] in "
        f"segue.toml, such as encoding = {others}, and propose again"
    )


def _columns(path: Path, form: Csv) -> int:
    try:
        return len(csv_files.header(path, form))
    except BadWarehouse:
        return 0


def _other(name: str) -> str:
    if name.lower().endswith((".tsv", ".tab", ".txt")):
        return f"not read: {name}: if it is a table of text, give its name the ending .csv"
    return f"not read: {name}: save it as CSV or Parquet"
