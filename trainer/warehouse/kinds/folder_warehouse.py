"""A warehouse that is a folder of Parquet and CSV files, read by DuckDB."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
from sqlglot import exp

from schemas.errors import BadWarehouse
from trainer.warehouse.kinds import csv_files, table_files
from trainer.warehouse.kinds.duckdb_warehouse import DuckSource
from trainer.warehouse.kinds.utf8_copies import Utf8Copies
from trainer.warehouse.kinds.warehouse_source import NoTable, check_has
from trainer.warehouse.tables.reading_rules import Csv
from trainer.warehouse.tables.sql_literals import literal
from trainer.warehouse.tables.table_layout import TABLES
from trainer.warehouse.tables.table_names import Names, nearest
from trainer.warehouse.tables.table_queries import tables_in
from trainer.warehouse.tables.table_references import name_of

_MISSING = re.compile(r"Table with name (.+) does not exist")


class FolderSource(DuckSource):
    """See :class:`trainer.warehouse.kinds.warehouse_source.Source`.

    Each file that is read is a view, named like the file. A file is looked at when the columns of its table
    are asked for: one that no table and no query reads may have any content.
    """

    def __init__(self, folder: Path, names: Names, form: Csv) -> None:
        """Look at no file yet.

        Args:
            folder: has one Parquet or CSV file for each table, named like the table.
            names: the shop's names of the tables.
            form: how CSV files are written.

        Raises:
            BadSetting: a setting is neither a table's name nor a query that only reads.
        """
        # Names of files are no SQL.
        queries = {table: text for table, text in names.tables.items() if names.query(table) or not text}
        super().__init__(f"folder {folder}", None, Names(queries))
        self._names = names
        self.tables = {
            table: reference if names.query(table) else _quoted(names.table(table))
            for table, reference in self.tables.items()
        }
        self.csv_files: dict[str, Path] = {}
        self._folder = folder
        self._form = form
        self._copies = Utf8Copies(form)
        self._views: dict[str, Path] = {}
        self._queries = any(queries.values())
        self._confined = False

    def columns(self, table: str) -> Mapping[str, str]:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.columns`."""
        check_has(self._names, table, self.name)
        try:
            if self._queries and not self._confined:
                self._confine()
            self._open(table)
        except OSError as error:
            raise BadWarehouse(f"warehouse {self._folder} cannot be read: {error.strerror}") from None
        return super().columns(table)

    def _confine(self) -> None:
        """Let queries read the files of the folder, and nothing else of the machine or the network.

        The settings may come from somebody else.
        """
        files = [path for found in table_files.files_of(self._folder).values() for path in found]
        forms = {form for path in files for form in (path, path.resolve(), table_files.no_pattern(path))}
        allowed = ", ".join(literal(str(form)) for form in sorted(forms, key=str))
        directory = literal(str(self._copies.directory))
        self._connection.execute(f"set allowed_paths = [{allowed}]")
        self._connection.execute(f"set allowed_directories = [{directory}]")
        self._connection.execute("set enable_external_access = false")
        self._confined = True

    def _open(self, table: str) -> None:
        """Make the views that a table needs."""
        if self._names.query(table) is None:
            try:
                path = table_files.find(self._folder, self._names, table)
            except NoTable:
                if any(map(str.isspace, self._names.table(table))):
                    name_of(table, self._names.table(table), self.dialect)  # more likely SQL than a file
                raise
            self._view(self._names.table(table), path)
            if path.suffix.lower() != ".parquet":
                self.csv_files[table] = path
        else:
            for name, path in self._files_in(self.tables[table]):
                self._view(name, path)

    def close(self) -> None:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.close`."""
        super().close()
        self._copies.close()

    def _files_in(self, query: str) -> Iterator[tuple[str, Path]]:
        """The files that a query names, in any case, as SQL's names have none."""
        wanted = {name.lower() for name in tables_in(query, self.dialect)}
        files = table_files.files_of(self._folder)
        for name in sorted(files):
            if name.lower() in wanted:
                yield name, table_files.only(self._folder, name, files[name])

    def _view(self, name: str, path: Path) -> None:
        known = self._views.setdefault(name.lower(), path)
        if known != path:
            raise BadWarehouse(
                f"{self.name} has {known.name} and {path.name}, which are one table in a query: rename one "
                "of them"
            )
        with self._failures(f"{path} cannot be read"):
            reader = table_files.reader(path, self._copies.of(path), self._form)
            # Safe: the name and the arguments of the call are quoted.
            self._connection.execute(
                f"create or replace view {_quoted(name)}"  # noqa: S608
                f" as select * from {reader}"
            )

    def _file(self, path: Path) -> Path:
        return self._copies.original(path)

    def _trouble(self, path: Path) -> str | None:
        if path in self._views.values() and path.suffix.lower() != ".parquet":
            with contextlib.suppress(BadWarehouse):
                return csv_files.trouble(path, self._form)
        return None

    def _no_table(self, error: duckdb.Error) -> str:
        missing = _MISSING.search(str(error))
        if missing is None:
            return super()._no_table(error)
        files = sorted(table_files.files_of(self._folder))
        near = nearest(missing[1], files) or f"the files are {', '.join(files)}"
        return f"there is no file {missing[1]}, {near}"


def _quoted(name: str) -> str:
    # Segue's own names are no words of SQL.
    return name if name in TABLES else exp.to_identifier(name, quoted=True).sql("duckdb")
