"""The interface to a warehouse, with one implementation for each kind of warehouse."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from schemas.errors import BadWarehouse

Row = tuple[object, ...]


class NoTable(BadWarehouse):
    """The warehouse does not have a table."""


class Source(Protocol):
    """An open connection that only reads."""

    @property
    def name(self) -> str:
        """The name of the warehouse in messages; without secrets."""

    @property
    def dialect(self) -> str:
        """The SQL dialect, by sqlglot's name."""

    @property
    def tables(self) -> Mapping[str, str]:
        """The reference to each table in a query, by Segue's name of the table."""

    @property
    def csv_files(self) -> Mapping[str, Path]:
        """The CSV file of each table that is one, by Segue's name of the table."""

    def columns(self, table: str) -> Mapping[str, str]:
        """The columns of a table (Segue's name), name to type, in the table's order.

        Raises:
            NoTable: there is no such table.
            BadWarehouse: it cannot be read.
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
