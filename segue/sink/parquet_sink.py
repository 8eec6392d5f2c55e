"""The tables as Parquet files in a folder: a DuckDB file holds them, and each generation is written whole."""

from __future__ import annotations

import glob
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from schemas.errors import DISK_FULL, BadWarehouse, NoRoom
from segue.sink.segment_tables import (
    CURRENT,
    HISTORY,
    Place,
    Position,
    SegmentTables,
    check_positions,
    types_of,
)
from segue.sink.sink_address import check_folder
from segue.sink.sink_rows import Batch

LATEST = "latest"
"""A symbolic link to the newest generation."""
_STATE = "state.duckdb"
_GENERATION = "generation-"
_LOCKED = "Could not set lock on file"
_EVERY_S = 60.0
# After a write, wait at least this many times as long as the write took.
_REST = 10.0

_ARROW = {
    "text": pa.string(),
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "boolean": pa.bool_(),
    "timestamptz": pa.timestamp("us", "UTC"),
}


class ParquetSink:
    """An open sink.

    The DuckDB file ``state.duckdb`` holds the tables and Kafka's offsets, and one transaction writes both.
    DuckDB locks the file, so no second sink writes to the folder. From it, :meth:`publish` writes a
    *generation*: a folder with both tables as Parquet. When its files are whole, the link ``latest`` is
    replaced by a rename: a reader sees a whole generation, before or after.

    Every method raises :class:`~schemas.errors.BadWarehouse` if the folder cannot be written, and
    :class:`~schemas.errors.NoRoom` if its disk is full.
    """

    def __init__(self, folder: Path, prefix: str) -> None:
        """Open the folder, and create what is missing.

        Args:
            folder: the folder.
            prefix: the setting ``topic_prefix``.

        Raises:
            BadWarehouse: the folder cannot be used, or another sink writes to it.
        """
        self.name = f"folder {folder}"
        self._folder = folder
        with self._failures():
            check_folder(folder)
            folder.mkdir(parents=True, exist_ok=True)
            foreign = [path.name for path in folder.iterdir()]
            if foreign and not (folder / _STATE).exists():
                raise BadWarehouse(
                    f"{self.name} holds other files ({min(foreign)!r}): give `segue sink` a folder of its own"
                )
            self._connection = duckdb.connect(folder / _STATE)
        try:
            self.run("set time zone 'UTC'")
            self._tables = SegmentTables(self, "main", prefix, keyed=False)
            self._tables.prepare()
        except BaseException:
            self._connection.close()
            raise
        self._changed = True
        self._is_clean = False
        self._next_s = time.monotonic() if not (folder / LATEST).exists() else time.monotonic() + _EVERY_S

    def start(self, topic_ids: Mapping[str, str], begins: Mapping[Place, int]) -> dict[Place, int]:
        """See :meth:`segue.sink.postgres_sink.PostgresSink.start`."""
        stored = self._tables.positions()
        check_positions(stored, topic_ids, begins, self.name)
        return {place: position.next_offset for place, position in stored.items()}

    def apply(self, batch: Batch, positions: Mapping[Place, Position]) -> None:
        """Commit a batch with its offsets."""
        self._tables.apply(batch, positions)
        self._changed = self._changed or bool(batch.rows or batch.erasures)

    def counts(self) -> tuple[int, int]:
        """The numbers of users and of rows of the history."""
        return self._tables.counts()

    def publish(self, *, last: bool) -> None:
        """Write a generation if it is time, and remove older ones.

        The generation before stays for its readers until the next one. If one of its rows was erased since,
        it goes after a minute without changes, or at the end of the run.

        Args:
            last: write it now if anything changed, because the run ends.
        """
        if last or time.monotonic() >= self._next_s:
            began_s = time.monotonic()
            with self._failures():
                changed = self._changed
                if changed:
                    self._write()
                    self._changed = self._is_clean = False
                old = self._old()
                if old and ((changed and not last) or self._has_no_erased_row(old[-1])):
                    old.pop()
                for path in old:
                    shutil.rmtree(path)
            took_s = time.monotonic() - began_s
            self._next_s = time.monotonic() + max(_EVERY_S, _REST * took_s)

    def _write(self) -> None:
        number = max((_number(path) for path in self._generations()), default=0) + 1
        made = self._folder / f"{_GENERATION}{number:08}"
        unfinished = self._folder / f".{made.name}"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        for table, order in ((CURRENT, "user_id"), (HISTORY, "user_id, sequence")):
            self.run(
                # Names of our own, and the user's folder.
                f"copy (select * from {table} order by {order}) to "  # noqa: S608
                f"'{_quoted(unfinished / table)}.parquet' (format parquet, compression zstd)"
            )
        for file in unfinished.iterdir():
            _to_disk(file)
        unfinished.rename(made)
        link = self._folder / f".{LATEST}"
        link.unlink(missing_ok=True)
        link.symlink_to(made.name)
        link.replace(self._folder / LATEST)
        _to_disk(self._folder)

    def _old(self) -> list[Path]:
        """The generations before the newest."""
        newest = _number((self._folder / LATEST).resolve()) if (self._folder / LATEST).exists() else 0
        return [path for path in self._generations() if _number(path) < newest]

    def _has_no_erased_row(self, generation: Path) -> bool:
        """Whether the tables have all rows of the generation before; asked once after each write."""
        history = generation / f"{HISTORY}.parquet"
        if not self._is_clean:
            self._is_clean = history.exists() and not self.rows(
                "select 1 from "  # noqa: S608 - as above
                f"read_parquet('{_quoted(Path(glob.escape(str(history))))}') "
                f"anti join {HISTORY} using (user_id, sequence, event_id) limit 1"
            )
        return self._is_clean

    def _generations(self) -> list[Path]:
        # Somebody's copy, such as generation-00000007.bak, is none.
        found = self._folder.glob(f"{_GENERATION}*")
        return sorted(path for path in found if path.name.removeprefix(_GENERATION).isdecimal())

    def close(self) -> None:
        """Close the DuckDB file."""
        with suppress(duckdb.Error):
            self._connection.close()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """See :class:`segue.sink.segment_tables.Database`."""
        with self._failures():
            return self._connection.execute(statement).fetchall()

    def run(self, statement: str) -> None:
        """See :class:`segue.sink.segment_tables.Database`."""
        with self._failures():
            self._connection.execute(statement)

    def load(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """See :class:`segue.sink.segment_tables.Database`."""
        schema = pa.schema(
            [(name, _ARROW[kind]) for name, kind in zip(columns, types_of(columns), strict=True)]
        )
        by_column = list(zip(*rows, strict=True)) or [() for _ in columns]
        loaded = pa.table(
            [pa.array(values, field.type) for values, field in zip(by_column, schema, strict=True)], schema
        )
        self.run(f"delete from {table}")  # noqa: S608 - as below
        with self._failures():
            self._connection.register("loaded", loaded)
            self._connection.execute(f"insert into {table} select * from loaded")  # noqa: S608 - our own name
            self._connection.unregister("loaded")

    def transaction(self) -> AbstractContextManager[object]:
        """See :class:`segue.sink.segment_tables.Database`."""
        return self._transaction()

    def stored(self, user_id: str) -> str:
        """See :class:`segue.sink.segment_tables.Database`."""
        return user_id

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.run("begin")
        try:
            yield
            self.run("commit")
        except BaseException:
            with suppress(duckdb.Error):
                self._connection.execute("rollback")
            raise

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.Error, OSError) as error:
            words = error.strerror or "" if isinstance(error, OSError) else " ".join(str(error).split())
            if _LOCKED in words:
                raise BadWarehouse(
                    f"another process holds {self.name}, perhaps a `segue sink`: end it first"
                ) from None
            full = isinstance(error, OSError) and error.errno in DISK_FULL
            if full or any(os.strerror(number) in words for number in DISK_FULL):
                raise NoRoom(
                    f"no room in {self.name} ({words}): make room; the next start continues"
                ) from None
            raise BadWarehouse(f"{self.name} cannot be written: {words}") from None


def _number(generation: Path) -> int:
    return int(generation.name.removeprefix(_GENERATION))


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _to_disk(path: Path) -> None:
    """Wait until a file's bytes, or a folder's names, survive a loss of power."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
