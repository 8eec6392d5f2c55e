"""What a warehouse must be able to do; one implementation a kind of warehouse."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pyarrow as pa

Row = tuple[object, ...]


class Source(Protocol):
    """An open connection that reads, and never writes."""

    @property
    def name(self) -> str:
        """What messages call the warehouse; holds no secret."""

    @property
    def dialect(self) -> str:
        """The name that sqlglot has for its SQL."""

    @property
    def tables(self) -> Mapping[str, str]:
        """By Segue's name of a table, how a query refers to it."""

    @property
    def csv_files(self) -> Mapping[str, Path]:
        """By Segue's name of a table, the CSV file that it is; without those that are none."""

    def columns(self, table: str) -> Mapping[str, str]:
        """The columns of a table (Segue's name), name to type, in the table's order.

        Raises:
            BadWarehouse: there is no such table, or it cannot be read.
        """

    def rows(self, query: str) -> Iterator[Row]:
        """The rows of a query, fetched as they are asked for; several queries may be open at once.

        Raises:
            BadWarehouse: the warehouse refused the query or failed on the way.
        """

    def batches(self, query: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The rows of a query as record batches of a schema, whose columns are in the query's order.

        Raises:
            BadWarehouse: as :meth:`rows`.
        """

    def close(self) -> None:
        """Let go of the connection."""
