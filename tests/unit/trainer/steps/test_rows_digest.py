from __future__ import annotations

import hashlib
import struct

import pyarrow as pa

from trainer.steps.rows_digest import digest

ROWS = pa.table({"user_id": ["a", "ö"], "age": [1.0, 2.5], "orders": pa.array([3, 4], pa.int64())})


def test_the_digest_by_hand() -> None:
    content = b"user_id\n" + struct.pack("<qq", 1, 2) + "aö".encode()
    content += b"age\n" + struct.pack("<dd", 1.0, 2.5) + b"orders\n" + struct.pack("<dd", 3.0, 4.0)
    assert digest(ROWS) == hashlib.sha256(content).hexdigest()


def test_how_the_rows_are_held_does_not_matter() -> None:
    halves = pa.concat_tables([ROWS.slice(0, 1), ROWS.slice(1)])
    assert halves["age"].num_chunks == 2
    large = ROWS.set_column(0, "user_id", ROWS["user_id"].cast(pa.large_string()))
    assert digest(halves) == digest(large) == digest(ROWS)


def test_texts_are_not_run_together() -> None:
    assert digest(pa.table({"f": ["ab", "c"]})) != digest(pa.table({"f": ["a", "bc"]}))


def test_order_and_names_count() -> None:
    assert digest(ROWS.take([1, 0])) != digest(ROWS)
    assert digest(ROWS.rename_columns(["user_id", "age", "buys"])) != digest(ROWS)
