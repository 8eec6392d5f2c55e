"""DuckDB gives rows in batches, and spills where its memory ends."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from schemas.errors import BadWarehouse
from tests.support.inputs.shops import Shop, write_csv, write_duckdb
from trainer.warehouse import Names
from trainer.warehouse.kinds import duckdb_warehouse
from trainer.warehouse.kinds.arrow_batches import ROWS_A_BATCH
from trainer.warehouse.kinds.duckdb_warehouse import DuckSource, open_file

ROOT = Path(__file__).parents[5]
SCHEMA = pa.schema([pa.field("n", pa.int64(), nullable=False), ("text", pa.string()), ("half", pa.float64())])


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DuckSource]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "spill"))
    (tmp_path / "spill").mkdir()
    source = open_file(write_duckdb(Shop().user("u"), tmp_path / "shop.duckdb"), Names())
    yield source
    source.close()


def test_batches_have_the_schema_whatever_the_query_s_types_and_names(source: DuckSource) -> None:
    rows = ROWS_A_BATCH * 2 + 1
    query = (
        f"select i::hugeint as N, i::varchar, (i / 2)::decimal(18, 1) from range({rows}) as r(i) order by i"
    )
    batches = list(source.batches(query, SCHEMA))
    assert all(batch.schema.equals(SCHEMA) for batch in batches)
    assert max(batch.num_rows for batch in batches) <= ROWS_A_BATCH
    table = pa.Table.from_batches(batches)
    assert table.num_rows == rows
    assert table.slice(rows - 1).to_pylist() == [{"n": rows - 1, "text": "100000", "half": 50000.0}]


def test_no_rows_are_a_table_all_the_same(source: DuckSource) -> None:
    batches = list(source.batches("select 1, 'a', 0.5 where false", SCHEMA))
    assert pa.Table.from_batches(batches, SCHEMA).num_rows == 0


@pytest.mark.parametrize(
    "query",
    [
        "select nothing, 1, 1 from users",
        (
            f"select case when i = {ROWS_A_BATCH + 1} then error('late') else i end, 'a', 1 from "
            "range(200000) as r(i)"
        ),
        "select 1.5, 'a', 1",
    ],
    ids=["at once", "on the way", "a value that does not fit"],
)
def test_a_failure_is_one_sentence(source: DuckSource, query: str) -> None:
    with pytest.raises(BadWarehouse) as caught:
        list(source.batches(query, SCHEMA))
    assert str(caught.value).startswith(f"{source.name} cannot be read: ")
    assert "\n" not in str(caught.value)


def setting(source: DuckSource, name: str) -> object:
    (row,) = source.rows(f"select current_setting('{name}')")
    return row[0]


def test_memory_is_limited_and_the_rest_goes_to_a_directory_of_the_process_s_own(
    source: DuckSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert setting(source, "memory_limit") == "953.6 MiB"  # 1,000 million bytes
    spill = Path(str(setting(source, "temp_directory")))
    assert spill.parent == tmp_path / "spill"
    monkeypatch.setattr(duckdb_warehouse, "_MEMORY_MB", 80)
    assert list(source.rows("select 1")) == [(1,)]  # after which the limit is set again
    rows = source.rows("select md5(i::varchar), md5((-i)::varchar) from range(1000000) as r(i) order by 1")
    assert sum(1 for _ in rows) == 1_000_000
    assert spill.is_dir()
    source.close()
    assert list((tmp_path / "spill").iterdir()) == []


def test_a_file_can_be_opened_twice(source: DuckSource, tmp_path: Path) -> None:
    other = open_file(tmp_path / "shop.duckdb", Names())
    assert list(other.rows("select 1")) == [(1,)]
    other.close()


def test_a_query_that_has_ended_holds_no_memory(tmp_path: Path) -> None:
    write_csv(Shop().user("u"), tmp_path)
    code = f"""
import re
from pathlib import Path
import pyarrow as pa
from trainer.warehouse import open_warehouse

def resident_mb(what):
    return int(re.search(what + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1e3

source = open_warehouse({str(tmp_path)!r})._source
texts = "select md5(x::text) as text from range(2000000) as t(x) order by text"
before = resident_mb("VmRSS")
for _ in source.batches(texts, pa.schema([("text", pa.string())])): pass
print(resident_mb("VmHWM") - before, resident_mb("VmRSS") - before)
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    most, left = map(float, run.stdout.split())
    # Two million texts of 32 bytes are sorted as a whole.
    assert most > 64
    assert left < most / 2
