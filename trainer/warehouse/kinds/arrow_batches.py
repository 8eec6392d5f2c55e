"""Turns rows into Arrow record batches, so that memory stays small for any number of rows."""

from collections.abc import Iterable, Iterator
from itertools import islice

import pyarrow as pa

from trainer.warehouse.kinds.warehouse_source import Row

ROWS_A_BATCH = 50_000


def of_rows(rows: Iterable[Row], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Record batches from rows of Python values; the columns are in the schema's order."""
    remaining = iter(rows)
    while part := list(islice(remaining, ROWS_A_BATCH)):
        columns = zip(*part, strict=True)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
        yield pa.record_batch(arrays, schema=schema)


def of_schema(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Cast a driver's batches to the schema, by column position: drivers differ in types and in the case of
    names.

    Raises:
        pyarrow.ArrowInvalid: a value does not fit into its type.
    """
    for batch in batches:
        arrays = [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)]
        yield pa.record_batch(arrays, schema=schema)
