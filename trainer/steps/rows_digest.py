"""A hash of training rows: equal rows have the same hash, whichever warehouse they come from."""

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_TEXTS = 65_536  # texts at a time: a million Python strings take more memory than all the rest


def digest(rows: pa.Table) -> str:
    """SHA-256, in hex, over the columns' names and values; texts and numbers, without nulls."""
    sha256 = hashlib.sha256()
    for name in rows.column_names:
        column = rows[name]
        sha256.update(f"{name}\n".encode())
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            # With the lengths, one text and two texts cannot give the same bytes.
            sha256.update(np.asarray(pc.binary_length(column), dtype="<i8").tobytes())
            for begin in range(0, len(column), _TEXTS):
                sha256.update("".join(column.slice(begin, _TEXTS).to_pylist()).encode())
        else:
            sha256.update(np.asarray(column, dtype="<f8").tobytes())
    return sha256.hexdigest()
