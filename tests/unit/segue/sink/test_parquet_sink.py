"""A folder of Parquet shows whole generations, and keeps none that holds an erased user for long."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import duckdb
import msgspec
import pyarrow.parquet as pq
import pytest

from schemas.errors import BadWarehouse, NoRoom
from schemas.topics import Topics
from segue.sink import parquet_sink
from segue.sink.parquet_sink import ParquetSink
from segue.sink.sink_rows import Erased, Row, batch_of, read_entry
from streamer.batch.change_records import change_records
from tests.support.inputs.made_change import AT, a_change


def a_row(**fields: object) -> Row:
    record, _ = change_records(a_change(**fields), Topics(), 0, "models", None)
    entry = read_entry(record.key, record.value, record.headers, 0)
    assert entry is not None
    assert isinstance(entry.step, Row)
    return entry.step


FIRST = a_row(sequence=1, event_id="1" * 32)


def users_in(folder: Path, table: str = "current_segments") -> list[str]:
    file = folder.resolve() / f"{table}.parquet"
    return [str(user) for user in pq.read_table(file)["user_id"].to_pylist()]


def test_generations(tmp_path: Path) -> None:
    folder = tmp_path / "it's [1]*"
    sink = ParquetSink(folder, "")
    sink.publish(last=False)
    empty = (folder / "latest").resolve()
    assert users_in(folder / "latest") == []
    sink.apply(batch_of([FIRST], ""), {})
    sink.publish(last=False)
    assert (folder / "latest").resolve() == empty  # not yet a minute ago
    sink.publish(last=True)
    assert users_in(folder / "latest") == users_in(folder / "latest", "segment_history") == ["7"]
    full = (folder / "latest").resolve()
    sink.publish(last=True)
    assert (folder / "latest").resolve() == full  # nothing changed
    assert empty.exists()  # perhaps someone reads it
    sink.apply(batch_of([Erased("7", None)], ""), {})
    sink.publish(last=True)
    assert users_in(folder / "latest") == users_in(folder / "latest", "segment_history") == []
    sink.close()
    assert sorted(path.name for path in folder.iterdir()) == ["generation-00000003", "latest", "state.duckdb"]


def test_the_end_of_a_run_leaves_the_generation_before_only_without_erased_rows(tmp_path: Path) -> None:
    other = msgspec.structs.replace(FIRST, user_id="8")
    again = msgspec.structs.replace(FIRST, event_id="f" * 32)  # the user was erased unseen
    left = []
    for steps in ([FIRST], [other], [], [Erased("8", None)], [other], [again]):  # runs of `segue sink --once`
        sink = ParquetSink(tmp_path / "a", "")
        sink.publish(last=False)
        sink.apply(batch_of(steps, ""), {})
        sink.publish(last=True)
        sink.close()
        left.append([int(path.name[-2:]) for path in sorted((tmp_path / "a").glob("generation-*"))])
    assert left == [[1, 2], [2, 3], [3, 4], [5], [5, 6], [7]]


def test_in_a_quiet_time_the_generation_before_stays_unless_it_has_erased_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 0.0
    monkeypatch.setattr(parquet_sink, "time", SimpleNamespace(monotonic=lambda: now_s))
    other = msgspec.structs.replace(FIRST, user_id="8")
    sink = ParquetSink(tmp_path / "a", "")
    left = []
    for steps in ([FIRST], [other], [], [], [Erased("8", None)], []):
        sink.apply(batch_of(steps, ""), {})
        sink.publish(last=False)
        left.append([int(path.name[-2:]) for path in sorted((tmp_path / "a").glob("generation-*"))])
        now_s += 60.0
    sink.close()
    assert left == [[1], [1, 2], [1, 2], [1, 2], [2, 3], [3]]


def test_a_generation_that_was_not_finished_is_no_ones(tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path / "a", "")
    sink.apply(batch_of([FIRST], ""), {})
    (tmp_path / "a" / ".generation-00000001").mkdir()
    (tmp_path / "a" / ".generation-00000001" / "current_segments.parquet").write_text("half")
    (tmp_path / "a" / ".latest").symlink_to("nowhere")
    sink.publish(last=True)
    assert users_in(tmp_path / "a" / "latest") == ["7"]
    sink.close()


def test_a_copy_of_a_generation_is_left_alone(tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path / "a", "")
    copy = tmp_path / "a" / "generation-00000001.bak"
    copy.mkdir()
    sink.apply(batch_of([FIRST], ""), {})
    sink.publish(last=True)
    sink.close()
    assert users_in(tmp_path / "a" / "latest") == ["7"]
    assert copy.exists()


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    rows = [msgspec.structs.replace(FIRST, user_id=user, event_id=user * 32) for user in "abc"]
    written = []
    for name, order in (("one", rows), ("two", rows[::-1])):
        sink = ParquetSink(tmp_path / name, "")
        for row in order:
            sink.apply(batch_of([row], ""), {})
        sink.publish(last=True)
        sink.close()
        files = sorted((tmp_path / name / "latest").resolve().iterdir())
        written.append([file.read_bytes() for file in files])
    assert written[0] == written[1]


def test_since_is_when_the_user_entered_the_segment(tmp_path: Path) -> None:
    nine, ten = AT.replace(hour=21), AT.replace(hour=22)
    moved = a_row(segment=1, sequence=2, event_id="2" * 32, emitted_at=nine)
    confirmed = a_row(kind="confirmed", segment=1, sequence=3, event_id="3" * 32, emitted_at=ten)
    sink = ParquetSink(tmp_path / "a", "")
    sink.apply(batch_of([FIRST, moved, confirmed], ""), {})
    (row,) = sink.rows("select epoch_us(since), sequence from current_segments")
    assert row == (int(nine.timestamp() * 1e6), 3)
    sink.close()


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").touch()
    with pytest.raises(BadWarehouse, match=r"holds other files \('mine.csv'\): give `segue sink` a folder"):
        ParquetSink(tmp_path, "")
    file = tmp_path / "mine.csv"
    with pytest.raises(BadWarehouse, match="is a file, so name another folder"):
        ParquetSink(file, "")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            duckdb.IOException(
                'IO Error: Could not set lock on file "state.duckdb": Conflicting lock is held'
            ),
            "another process holds folder .*: end it first",
        ),
        (
            duckdb.OutOfMemoryException("Out of Memory Error: could not allocate block of size 256.0 KiB"),
            "cannot be written: Out of Memory Error: could not allocate block of size 256.0 KiB",
        ),
    ],
)
def test_only_a_lock_means_another_process(error: duckdb.Error, words: str, tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path / "sink", "")
    with pytest.raises(BadWarehouse, match=words), sink._failures():
        raise error
    sink.close()


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        duckdb.IOException('IO Error: Could not write file "state.duckdb": Disk quota exceeded'),
    ],
)
def test_a_full_disk_has_its_own_exit_code(error: Exception, tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path / "sink", "")
    with (
        pytest.raises(NoRoom, match=r"no room in folder .*: make room; the next start continues"),
        sink._failures(),
    ):
        raise error
    sink.close()
