"""Rows as Arrow's record batches: what is on its way at once stays small, however many rows there are."""

from collections.abc import Iterable, Iterator
from itertools import islice

import pyarrow as pa

from trainer.warehouse.kinds.warehouse_source import Row

ROWS_A_BATCH = 50_000


def of_rows(rows: Iterable[Row], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Rows of Python values, their columns in the schema's order."""
    remaining = iter(rows)
    while part := list(islice(remaining, ROWS_A_BATCH)):
        columns = zip(*part, strict=True)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
        yield pa.record_batch(arrays, schema=schema)


def of_schema(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """A driver's batches, by the place of their columns: types and the case of names differ among drivers.

    Raises:
        pyarrow.ArrowInvalid: a value does not fit into its type.
    """
    for batch in batches:
        arrays = [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)]
        yield pa.record_batch(arrays, schema=schema)
