"""A warehouse in a DuckDB database."""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from schemas.errors import BadSource, BadWarehouse
from trainer.warehouse.kinds.arrow_batches import ROWS_A_BATCH, of_schema
from trainer.warehouse.kinds.warehouse_source import NoTable, Row, check_has, failing, query_hint
from trainer.warehouse.tables.table_names import Names, table_fix
from trainer.warehouse.tables.table_references import references

_ROWS_A_FETCH = 10_000
# A DuckDB file has these bytes from its ninth byte on. Segue checks them before DuckDB opens the file,
# because for a SQLite file DuckDB would look for an extension on the network.
_MAGIC, _MAGIC_AT = b"DUCK", 8
_AFTERWORD = re.compile(r"^(?:Possible |LINE |Column )", re.MULTILINE)
_FILE = re.compile(r"^\s*file = (.+)$", re.MULTILINE)
# A time with an offset becomes text in this zone.
_IN_UTC = "set global TimeZone = 'UTC'"
_MEMORY_MB = 1_000
_MEMORY_OF_A_THREAD_MB = 125  # the minimum in DuckDB's manual

# Tables of the main schema are listed without the schema.
_WRONG_QUERY = (duckdb.CatalogException, duckdb.BinderException, duckdb.ParserException)
_KNOWN_TABLES = """
    select case table_schema when 'main' then '' else table_schema || '.' end || table_name
    from information_schema.tables
"""


class DuckSource:
    """See :class:`trainer.warehouse.kinds.warehouse_source.Source`."""

    dialect = "duckdb"
    session = (_IN_UTC,)

    def __init__(self, name: str, database: Path | None, names: Names) -> None:
        """Open a database.

        Args:
            name: the name of the warehouse in messages.
            database: a file, opened for reading; None: an empty database in memory.
            names: the database's names of the tables.

        Raises:
            BadWarehouse: the file cannot be opened.
            BadSetting: a setting is neither a table's name nor a query that only reads.
        """
        self.name = name
        self.tables: Mapping[str, str] = references(names, self.dialect)
        self.csv_files: Mapping[str, Path] = {}
        self._names = names
        with self._failures(f"{name} cannot be read"):
            self._connection = duckdb.connect(
                database or ":memory:", read_only=database is not None, config=connection_settings()
            )
        self._connection.execute(_IN_UTC)

    def columns(self, table: str) -> Mapping[str, str]:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.columns`."""
        check_has(self._names, table, self.name)
        if self._names.query(table) is not None:
            with self._failures(failing(table, self.name)):
                try:
                    self._check_once(table)
                    return self._described(table)
                except _WRONG_QUERY as error:
                    raise BadSource(f"{failing(table, self.name)}: {self._no_table(error)}") from None
        with self._failures(f"table {self._names.describe(table)} of {self.name} cannot be read"):
            try:
                return self._described(table)
            except duckdb.CatalogException:
                known = [str(row[0]) for row in self._connection.execute(_KNOWN_TABLES).fetchall()]
                make = "make a table or a view of that name in its main schema"
                fix = table_fix(self._names, table, known, make)
                raise NoTable(f"{self.name} has no table {self._names.describe(table)}: {fix}") from None

    def _no_table(self, error: duckdb.Error) -> str:
        """Why a query fails, for example because it names a table that is not there."""
        return _sentence(str(error), None)

    def _check_once(self, table: str) -> None:
        """Refuse a query with two columns of one name: only one of them could be read."""
        described = self._connection.execute(f"describe {self._names.query(table)}").fetchall()
        names = [str(row[0]).lower() for row in described]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise BadSource(
                f"the query of the setting tables.{table} has column {twice} more than once (case does not"
                " count): give each column its own name"
            )

    def _described(self, table: str) -> Mapping[str, str]:
        # Of two columns with one name, a subquery gives the second another name.
        query = f"describe select * from {self.tables[table]} as {table}"  # noqa: S608 - checked
        described = self._connection.execute(query)
        return {str(row[0]): str(row[1]) for row in described.fetchall()}

    def rows(self, query: str) -> Iterator[Row]:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.rows`."""
        with self._reading(), self._cursor() as cursor:
            cursor.execute(query)
            while rows := cursor.fetchmany(_ROWS_A_FETCH):
                yield from rows

    def batches(self, query: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.batches`."""
        with self._reading(), self._cursor() as cursor:
            yield from of_schema(cursor.sql(query).to_arrow_reader(ROWS_A_BATCH), schema)

    def apart(self) -> contextlib.AbstractContextManager[None]:
        """A failure in the block does not concern later queries: DuckDB has no transaction to end."""
        return contextlib.nullcontext()

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

    def _reading(self) -> contextlib.AbstractContextManager[None]:
        return self._failures(f"{self.name} cannot be read", query_hint(self._names))

    @contextlib.contextmanager
    def _failures(self, what: str, hint: str = "") -> Iterator[None]:
        """Turn DuckDB's errors into :class:`~schemas.errors.BadWarehouse`: ``what``, the reason, ``hint``."""
        try:
            yield
        # An error while Arrow's reader reads is an error of Arrow.
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            message = str(error)
            found = _FILE.search(message)
            file = None if found is None else self._file(Path(found[1].strip()))
            trouble = None if file is None else self._trouble(file)
            raise BadWarehouse(trouble or f"{what}: {_sentence(message, file)}{hint}") from None

    def _file(self, path: Path) -> Path:
        """The shop's file that DuckDB's message means."""
        return path

    def _trouble(self, path: Path) -> str | None:  # noqa: ARG002 - a database has no files
        """What is wrong with a file that DuckDB's message names; None: the message says it."""
        return None


def open_file(path: Path, names: Names) -> DuckSource:
    """Open a DuckDB database file for reading.

    Raises:
        BadWarehouse: it is not a DuckDB file, another process writes to it, or its version is not supported.
        BadSetting: a setting is neither a table's name nor a query that only reads.
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


def connection_settings() -> dict[str, str | bool | int | float | list[str]]:
    """The settings of a connection. They must be equal for all connections of a process that open the same
    file.
    """
    spill = Path(tempfile.gettempdir()) / f"segue-duckdb-{os.getpid()}"
    return {
        # Nothing comes from the network, and a name in a shop's query is no variable of this program.
        "autoinstall_known_extensions": "false",
        "python_enable_replacements": "false",
        # By default DuckDB would take most of the machine's memory. Above this limit it uses the disk, but
        # not next to the warehouse, which is only read. It creates the directory when needed, and removes it.
        "memory_limit": f"{_MEMORY_MB}MB",
        "temp_directory": str(spill),
        "threads": min(os.cpu_count() or 1, _MEMORY_MB // _MEMORY_OF_A_THREAD_MB),
    }


def _sentence(message: str, file: Path | None) -> str:
    """DuckDB's message on one line: error and cause, without the row, advice and settings."""
    lines = [line.strip() for line in _AFTERWORD.split(message, maxsplit=1)[0].splitlines() if line.strip()]
    sentence = "; ".join(dict.fromkeys([lines[0], lines[-1]])) if lines else "no reason given"
    return sentence + (f" (file {file})" if file else "")
