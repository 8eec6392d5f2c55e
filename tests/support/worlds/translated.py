"""A DuckDB warehouse that is asked in another dialect: each query is translated back before it runs.

What cannot be run here, Snowflake's SQL and BigQuery's, is at least read by sqlglot as those dialects, and
says then what the query in DuckDB's own dialect says.
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
        # DuckDB's arithmetic leaves its years without an error; BigQuery must be asked to.
        for safe in list(tree.find_all(exp.SafeFunc)):
            safe.replace(safe.this)
        # Of a text; sqlglot cannot know that it is none of bytes.
        for length in list(tree.find_all(exp.ByteLength)):
            length.replace(exp.Anonymous(this="strlen", expressions=[length.this]))
        return tree.sql("duckdb")


def open_translated(path: Path, dialect: str) -> Warehouse:
    """A DuckDB file, asked in a dialect."""
    return Warehouse(TranslatedSource(open_file(path, Names()), dialect), Names())
