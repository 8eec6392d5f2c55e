"""What does not fit into memory, on disk until the command ends: texts, each with some bytes.

SQLite holds a bounded part of it in memory. Only what is more goes to a file without a name in the folder for
temporary files, so that nothing is left of it when the process has ended, however it ended.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from schemas.errors import NoRoom

_MEMORY_KIB = 16_384
# What is read at once while all is read.
_ROWS = 1_000


class Spill:
    """A temporary database, made when something is first put into it."""

    def __init__(self) -> None:
        self._database: sqlite3.Connection | None = None
        self._shelves = 0

    def shelf(self) -> "Shelf":
        """A new place for texts, beside the others."""
        self._shelves += 1
        return Shelf(self, f"shelf_{self._shelves}")

    def database(self) -> sqlite3.Connection:
        """The database, made now if there is none."""
        if self._database is None:
            # An empty name is that of a temporary file; nothing of it need survive, so it has neither journal nor commit.
            self._database = sqlite3.connect("", isolation_level=None)
            self._database.execute(f"pragma cache_size = -{_MEMORY_KIB}")
            self._database.execute("pragma journal_mode = off")
        return self._database

    def close(self) -> None:
        """Delete all."""
        if self._database is not None:
            self._database.close()
            self._database = None


class Shelf:
    """Texts with their bytes, in the order in which the texts first came.

    Every method raises :class:`~schemas.errors.NoRoom` where the disk is full, or there is no folder to write to.
    """

    def __init__(self, spill: Spill, table: str) -> None:
        self._spill = spill
        self._made = False
        # The name is ours; a key is bytes, since SQLite compares texts only up to a zero.
        self._insert = f"insert or ignore into {table} (key, value) values (?, ?)"  # noqa: S608
        self._upsert = (
            f"insert into {table} (key, value) values (?, ?)"  # noqa: S608
            " on conflict (key) do update set value = excluded.value"
        )
        self._select = f"select value from {table} where key = ?"  # noqa: S608
        self._delete = f"delete from {table} where key = ?"  # noqa: S608
        self._after = f"select number, key, value from {table} where number > ? order by number limit {_ROWS}"  # noqa: S608
        self._keys_after = f"select number, key from {table} where number > ? order by number limit {_ROWS}"  # noqa: S608
        self._create = f"create table {table} (number integer primary key, key blob unique, value blob)"

    def put(self, entries: Iterable[tuple[str, bytes]]) -> None:
        """Keep these, over what there was of the same texts."""
        with self._writing() as database:
            database.executemany(self._upsert, ((key.encode(), value) for key, value in entries))

    def add(self, keys: Iterable[str]) -> list[str]:
        """Keep these texts without bytes; those that were not there."""
        with self._writing() as database:
            return [key for key in keys if database.execute(self._insert, (key.encode(), b"")).rowcount]

    def get(self, key: str) -> bytes | None:
        """What was kept with a text."""
        if not self._made:
            return None
        with _telling():
            row = self._spill.database().execute(self._select, (key.encode(),)).fetchone()
        return None if row is None else row[0]

    def remove(self, key: str) -> None:
        """Keep a text no longer; another that comes next may get its place in the order."""
        if self._made:
            with _telling():
                self._spill.database().execute(self._delete, (key.encode(),))

    def batches(self) -> Iterator[list[tuple[str, bytes]]]:
        """All, some at a time; also those that come meanwhile."""
        number = 0
        while rows := self._read(self._after, number):
            number = rows[-1][0]
            yield [(key.decode(), value) for _, key, value in rows]

    def keys_after(self, number: int) -> tuple[int, list[str]]:
        """The next texts behind a place in the order, 0 being before all, and the place of the last of them."""
        rows = self._read(self._keys_after, number)
        return (rows[-1][0] if rows else number), [row[1].decode() for row in rows]

    def _read(self, query: str, number: int) -> Sequence[tuple[int, bytes, bytes]]:
        if not self._made:
            return ()
        with _telling():
            return self._spill.database().execute(query, (number,)).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with _telling():
            database = self._spill.database()
            if not self._made:
                database.execute(self._create)
                self._made = True
            database.execute("begin")
            yield database
            database.execute("commit")


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise NoRoom(
            f"what does not fit into memory cannot be written to the folder for temporary files ({error}): make room"
            " there, or set TMPDIR to a folder that has some"
        ) from None
