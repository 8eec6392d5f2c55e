"""A warehouse in DuckDB: a database file, or a folder of Parquet and CSV files."""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from schemas.errors import BadWarehouse
from trainer.warehouse.kinds import csv_files
from trainer.warehouse.kinds import table_files as files_of
from trainer.warehouse.kinds.arrow_batches import ROWS_A_BATCH, of_schema
from trainer.warehouse.kinds.warehouse_source import Row
from trainer.warehouse.tables.reading_rules import Csv
from trainer.warehouse.tables.table_layout import TABLES
from trainer.warehouse.tables.table_names import Names, table_fix
from trainer.warehouse.tables.table_references import references

_ROWS_A_FETCH = 10_000
# A DuckDB file has these bytes from its ninth byte on. Segue checks them before DuckDB opens the file,
# because for a SQLite file DuckDB would look for an extension on the network.
_MAGIC, _MAGIC_AT = b"DUCK", 8
_AFTERWORD = re.compile(r"^(?:Possible |LINE )", re.MULTILINE)
_FILE = re.compile(r"^\s*file = (.+)$", re.MULTILINE)
_MEMORY_MB = 1_000
_MEMORY_OF_A_THREAD_MB = 125  # the minimum in DuckDB's manual

# Tables of the main schema are listed without the schema.
_KNOWN_TABLES = """
    select case table_schema when 'main' then '' else table_schema || '.' end || table_name
    from information_schema.tables
"""


class DuckSource:
    """See :class:`trainer.warehouse.kinds.warehouse_source.Source`."""

    dialect = "duckdb"

    def __init__(
        self,
        name: str,
        database: Path | None,
        names: Names,
        files: Mapping[str, Path] | None = None,
        form: Csv | None = None,
    ) -> None:
        """Open a database.

        Args:
            name: the name of the warehouse in messages.
            database: a file, opened for reading; None: an empty database in memory.
            names: the database's names of the tables.
            files: the file behind each table, by Segue's name of the table.
            form: how CSV files are written.

        Raises:
            BadWarehouse: the file cannot be opened.
            BadSetting: a setting is not a table's name.
        """
        self.name = name
        self.tables = references(names, self.dialect)
        self._names = names
        self._form = form or Csv()
        self.csv_files = {table: path for table, path in (files or {}).items() if path.suffix != ".parquet"}
        with self._failures(name):
            self._connection = duckdb.connect(
                database or ":memory:", read_only=database is not None, config=_config()
            )
        # A time with an offset becomes text in this zone.
        self._connection.execute("set global TimeZone = 'UTC'")
        for table, path in (files or {}).items():
            self._view(table, path)

    def _view(self, table: str, path: Path) -> None:
        try:
            reader = files_of.reader(path, self._form)
            with self._failures(str(path)):
                # Safe: the table's name is Segue's, and the arguments of the call are quoted.
                self._connection.execute(f"create view {table} as select * from {reader}")  # noqa: S608
        except BadWarehouse:
            self.close()
            raise

    def columns(self, table: str) -> Mapping[str, str]:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.columns`."""
        with self._failures(f"table {self._names.describe(table)} of {self.name}"):
            try:
                described = self._connection.execute(f"describe {self.tables[table]}").fetchall()
            except duckdb.CatalogException:
                known = [str(row[0]) for row in self._connection.execute(_KNOWN_TABLES).fetchall()]
                make = "make a table or a view of that name in its main schema"
                fix = table_fix(self._names, table, known, make)
                raise BadWarehouse(f"{self.name} has no table {self._names.describe(table)}: {fix}") from None
        return {str(row[0]): str(row[1]) for row in described}

    def rows(self, query: str) -> Iterator[Row]:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.rows`."""
        with self._failures(self.name), self._cursor() as cursor:
            cursor.execute(query)
            while rows := cursor.fetchmany(_ROWS_A_FETCH):
                yield from rows

    def batches(self, query: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.batches`."""
        with self._failures(self.name), self._cursor() as cursor:
            yield from of_schema(cursor.sql(query).to_arrow_reader(ROWS_A_BATCH), schema)

    def close(self) -> None:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.close`."""
        self._connection.close()

    @contextlib.contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._connection.cursor() as cursor:
            yield cursor
        # DuckDB keeps the memory of a finished query, up to the limit, but the next steps need it. Setting
        # the limit, even to the same value, makes DuckDB release that memory.
        self._connection.execute(f"set memory_limit = '{_MEMORY_MB}MB'")

    @contextlib.contextmanager
    def _failures(self, what: str) -> Iterator[None]:
        try:
            yield
        # An error while Arrow's reader reads is an error of Arrow.
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            message = str(error)
            text = self._csv_trouble(message) or f"{what} cannot be read: {_sentence(message)}"
            raise BadWarehouse(text) from None

    def _csv_trouble(self, message: str) -> str | None:
        """The first error of the CSV file that DuckDB's message names; the message may lack line
        and cause.
        """
        file = _FILE.search(message)
        for path in self.csv_files.values():
            if file is not None and file[1].strip() == str(path):
                with contextlib.suppress(BadWarehouse):
                    return csv_files.trouble(path, self._form)
        return None


def open_file(path: Path, names: Names) -> DuckSource:
    """Open a DuckDB database file for reading.

    Raises:
        BadWarehouse: it is not a DuckDB file, another process writes to it, or its version is not supported.
        BadSetting: a setting is not a table's name.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(_MAGIC_AT + len(_MAGIC))[_MAGIC_AT:]
    except OSError as error:
        raise BadWarehouse(f"warehouse {path} cannot be read: {error.strerror}") from None
    if magic != _MAGIC:
        raise BadWarehouse(
            f"warehouse {path} is not a DuckDB file: name a folder of Parquet or CSV files, a DuckDB file or "
            f"a postgresql:// URL"
        )
    return DuckSource(f"DuckDB file {path}", path, names)


def open_folder(folder: Path, names: Names, form: Csv) -> DuckSource:
    """Open a folder with one Parquet or CSV file for each table; the file is named like the table.

    Raises:
        BadWarehouse: the file of a table is missing, exists twice, or cannot be read.
    """
    found = {table: files_of.find(folder, names, table) for table in TABLES}
    # The views have Segue's names of the tables, whatever the names of the files.
    return DuckSource(f"folder {folder}", None, Names(), found, form)


def _config() -> dict[str, str | bool | int | float | list[str]]:
    """The settings of a connection. They must be equal for all connections of a process that open the same
    file.
    """
    spill = Path(tempfile.gettempdir()) / f"segue-duckdb-{os.getpid()}"
    return {
        # Nothing comes from the network.
        "autoinstall_known_extensions": "false",
        # By default DuckDB would take most of the machine's memory. Above this limit it uses the disk, but
        # not next to the warehouse, which is only read. It creates the directory when needed, and removes it.
        "memory_limit": f"{_MEMORY_MB}MB",
        "temp_directory": str(spill),
        "threads": min(os.cpu_count() or 1, _MEMORY_MB // _MEMORY_OF_A_THREAD_MB),
    }


def _sentence(message: str) -> str:
    """DuckDB's message on one line: error and cause, without the row, advice and settings."""
    lines = [line.strip() for line in _AFTERWORD.split(message, maxsplit=1)[0].splitlines() if line.strip()]
    sentence = "; ".join(dict.fromkeys([lines[0], lines[-1]])) if lines else "no reason given"
    file = _FILE.search(message)
    return sentence + (f" (file {file[1].strip()})" if file else "")
