"""Data that does not fit into memory: texts with bytes, on disk until the command ends.

SQLite keeps a bounded part in memory. The rest goes to a file without a name in the folder for temporary
files. So nothing stays on disk after the process has ended, even after a crash.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from schemas.errors import NoRoom

_MEMORY_KIB = 16_384
# How many rows to read at once.
_ROWS = 1_000


class Spill:
    """A temporary database, created when the first data arrives."""

    def __init__(self) -> None:
        self._database: sqlite3.Connection | None = None
        self._shelves = 0

    def shelf(self) -> "Shelf":
        """A new, empty shelf in this database."""
        self._shelves += 1
        return Shelf(self, f"shelf_{self._shelves}")

    def database(self) -> sqlite3.Connection:
        """The database, created now if there is none."""
        if self._database is None:
            # An empty name means a temporary file. Nothing must survive, so it needs no journal, no commit.
            self._database = sqlite3.connect("", isolation_level=None)
            self._database.execute(f"pragma cache_size = -{_MEMORY_KIB}")
            self._database.execute("pragma journal_mode = off")
        return self._database

    def close(self) -> None:
        """Delete everything."""
        if self._database is not None:
            self._database.close()
            self._database = None


class Shelf:
    """Texts with their bytes, in the order of the texts' first arrival.

    Every method raises :class:`~schemas.errors.NoRoom` if the disk is full or there is no folder to write to.
    """

    def __init__(self, spill: Spill, table: str) -> None:
        self._spill = spill
        self._made = False
        # This class makes the table's name, so it is safe in SQL. A key is stored as bytes, because SQLite
        # compares texts only up to a zero byte.
        self._insert = f"insert or ignore into {table} (key, value) values (?, ?)"  # noqa: S608
        self._upsert = (
            f"insert into {table} (key, value) values (?, ?)"  # noqa: S608
            " on conflict (key) do update set value = excluded.value"
        )
        self._select = f"select value from {table} where key = ?"  # noqa: S608
        self._delete = f"delete from {table} where key = ?"  # noqa: S608
        self._after = (
            f"select number, key, value from {table}"  # noqa: S608
            f" where number > ? order by number limit {_ROWS}"
        )
        self._keys_after = (
            f"select number, key from {table}"  # noqa: S608
            f" where number > ? order by number limit {_ROWS}"
        )
        self._create = f"create table {table} (number integer primary key, key blob unique, value blob)"

    def put(self, entries: Iterable[tuple[str, bytes]]) -> None:
        """Keep these texts and bytes; replaces the bytes of the same texts."""
        with self._writing() as database:
            database.executemany(self._upsert, ((key.encode(), value) for key, value in entries))

    def add(self, keys: Iterable[str]) -> list[str]:
        """Keep these texts without bytes; return the texts that are new."""
        with self._writing() as database:
            return [key for key in keys if database.execute(self._insert, (key.encode(), b"")).rowcount]

    def get(self, key: str) -> bytes | None:
        """The bytes of a text; None if the text is not kept."""
        if not self._made:
            return None
        with _telling():
            row = self._spill.database().execute(self._select, (key.encode(),)).fetchone()
        return None if row is None else row[0]

    def remove(self, key: str) -> None:
        """Delete a text; the next new text may get its number in the order."""
        if self._made:
            with _telling():
                self._spill.database().execute(self._delete, (key.encode(),))

    def batches(self) -> Iterator[list[tuple[str, bytes]]]:
        """All texts with their bytes, in batches; includes texts that are added meanwhile."""
        number = 0
        while rows := self._read(self._after, number):
            number = rows[-1][0]
            yield [(key.decode(), value) for _, key, value in rows]

    def keys_after(self, number: int) -> tuple[int, list[str]]:
        """The next texts after a number in the order of arrival, and the number of the last one.

        Begin with 0.
        """
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
            f"what does not fit into memory cannot be written to the folder for temporary files ({error}):"
            " make room there, or set TMPDIR to a folder that has some"
        ) from None
