"""The interface to a warehouse, with one implementation for each kind of warehouse."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from schemas.errors import BadWarehouse
from trainer.warehouse.tables.table_layout import TABLES
from trainer.warehouse.tables.table_names import Names

Row = tuple[object, ...]


class NoTable(BadWarehouse):
    """The warehouse does not have a table."""


def check_has(names: Names, table: str, warehouse: str) -> None:
    """Check that the settings do not say that the shop lacks a table.

    Args:
        names: the shop's names of tables.
        table: Segue's name of the table.
        warehouse: the name of the warehouse in messages.

    Raises:
        NoTable: they do.
    """
    if not names.has(table):
        raise NoTable(
            f'{warehouse} has no table {table}, as tables.{table} = "" in segue.toml says: give its name or '
            "a query there, or leave out the features that read it"
        )


def query_hint(names: Names) -> str:
    """What to look at first if a query fails, for the end of a message; empty without queries of the shop."""
    queries = [f"tables.{table}" for table in TABLES if names.query(table) is not None]
    return f" (look first at the query of the setting {' or '.join(queries)})" if queries else ""


def failing(table: str, warehouse: str) -> str:
    """The beginning of a message: a table's query cannot be run; the reason follows."""
    return f"the query of the setting tables.{table} fails in {warehouse}"


class Source(Protocol):
    """An open connection that only reads."""

    @property
    def name(self) -> str:
        """The name of the warehouse in messages; without secrets."""

    @property
    def dialect(self) -> str:
        """The SQL dialect, by sqlglot's name."""

    @property
    def session(self) -> Sequence[str]:
        """The statements that ran before all queries, and without which values become other texts."""

    @property
    def tables(self) -> Mapping[str, str]:
        """The reference to each table in a query, by Segue's name of the table: a name, or a subquery in
        brackets. A table that the shop does not have is missing.
        """

    @property
    def csv_files(self) -> Mapping[str, Path]:
        """The CSV file of each table that is one, by Segue's name of the table; only those whose columns were
        asked for.
        """

    def columns(self, table: str) -> Mapping[str, str]:
        """The columns of a table (Segue's name), name to type, in the table's order.

        Raises:
            NoTable: there is no such table.
            BadWarehouse: it cannot be read, or its query fails.
        """

    def rows(self, query: str) -> Iterator[Row]:
        """Yield the rows of a query, fetched in batches; several queries may be open at once.

        Raises:
            BadWarehouse: the warehouse refused the query or failed while reading.
        """

    def batches(self, query: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a query as record batches; the schema's columns are in the query's order.

        Raises:
            BadWarehouse: as :meth:`rows`.
        """

    def close(self) -> None:
        """Close the connection."""
