"""A DuckDB warehouse with queries in another dialect: sqlglot translates each query back before it runs.

The tests cannot run Snowflake's or BigQuery's SQL. The translation shows that sqlglot can parse the query in
that dialect, and that the query still gives the result of DuckDB's own query.
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import sqlglot
from sqlglot import exp

from trainer.warehouse import Names, Warehouse
from trainer.warehouse.kinds.duckdb_warehouse import DuckSource, open_file
from trainer.warehouse.kinds.warehouse_source import Row


class TranslatedSource:
    """See :class:`trainer.warehouse.kinds.warehouse_source.Source`."""

    def __init__(self, source: DuckSource, dialect: str) -> None:
        self._source = source
        self.dialect = dialect
        self.name = source.name
        self.session = source.session
        self.tables = source.tables
        self.csv_files = source.csv_files
        self.columns = source.columns
        self.close = source.close

    def rows(self, query: str) -> Iterator[Row]:
        return self._source.rows(self._back(query))

    def batches(self, query: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        return self._source.batches(self._back(query), schema)

    def _back(self, query: str) -> str:
        tree = sqlglot.parse_one(query, read=self.dialect)
        # In DuckDB, a time outside the range of years is no error; BigQuery needs SAFE. for that.
        for safe in list(tree.find_all(exp.SafeFunc)):
            safe.replace(safe.this)
        # The argument is a text, but sqlglot cannot know that it is not bytes.
        for length in list(tree.find_all(exp.ByteLength)):
            length.replace(exp.Anonymous(this="strlen", expressions=[length.this]))
        return tree.sql("duckdb")


def open_translated(path: Path, dialect: str) -> Warehouse:
    """Open a DuckDB file as a warehouse with queries in a dialect."""
    return Warehouse(TranslatedSource(open_file(path, Names()), dialect), Names())
