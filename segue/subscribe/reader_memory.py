"""What a reader has taken: how far in each partition, and what it knows of each user.

It is kept in a file of SQLite, or in memory. If the process ends after the program has handled a change and
before the offset is committed, Kafka delivers the change again. With the file, the reader passes over it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from schemas.errors import BadSetting
from schemas.printable import printable
from segue.subscribe.change_filter import Known

_TABLES = """
CREATE TABLE IF NOT EXISTS about (what TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS reached (
    partition INTEGER PRIMARY KEY, next INTEGER NOT NULL, states_due INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS users (
    partition INTEGER NOT NULL, user_id TEXT NOT NULL, event_id TEXT NOT NULL, held INTEGER,
    PRIMARY KEY (partition, user_id)
) WITHOUT ROWID;
"""


class Reached(Struct, frozen=True):
    """The next offset to read in a partition.

    ``states_due``: the states are not handed out, or not all; ``next`` is where their changes begin.
    """

    next: int
    states_due: bool = False

    def is_behind(self, other: Reached) -> bool:
        """Return whether a reader goes on from here to ``other``: past records, or past the states."""
        return (self.next, not self.states_due) < (other.next, not other.states_due)


class ReaderMemory:
    """What a reader has taken. Only :meth:`save` makes it last.

    Every method raises :class:`~schemas.errors.BadSetting` if the file cannot be read or written.

    Args:
        path: the file, which is made if it is missing; None keeps everything in memory.
        about: what the file belongs to, by name: a file that was written for something else is refused.

    Raises:
        BadSetting: the file cannot be used, or another process uses it.
    """

    def __init__(self, path: Path | None, about: Mapping[str, str]) -> None:
        self._path = path
        with self._usable():
            # Threads may take turns: `changes_async` works in a thread of its own.
            self._sql = sqlite3.connect(path or ":memory:", check_same_thread=False)
            self._sql.execute("PRAGMA locking_mode = EXCLUSIVE")  # a second process is refused at once
            self._sql.execute("PRAGMA journal_mode = WAL")
            # Survives a kill of the process. After a power failure, the last seconds may come again.
            self._sql.execute("PRAGMA synchronous = NORMAL")
            self._sql.executescript(_TABLES)
        self._check(about)

    def _check(self, about: Mapping[str, str]) -> None:
        with self._usable():
            for what, value in about.items():
                self._sql.execute("INSERT OR IGNORE INTO about VALUES (?, ?)", (what, value))
            self._sql.commit()
            written = self._sql.execute("SELECT what, value FROM about").fetchall()
        for what, value in written:
            if about.get(what) != value:
                self.close()
                raise self._bad(
                    f"this file belongs to {what} {value}, and {what} is {about.get(what)} now: name another"
                    " file"
                )

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._bad(f"SQLite cannot use this file ({error})") from None

    def _bad(self, fix: str) -> BadSetting:
        return BadSetting("memory", printable(str(self._path)), printable(fix))

    def reached(self, partition: int) -> Reached | None:
        """Return how far the reader is in a partition; None if it never read the partition."""
        found = self._row("SELECT next, states_due FROM reached WHERE partition = ?", partition)
        return None if found is None else Reached(found[0], bool(found[1]))

    def reach(self, partition: int, reached: Reached) -> None:
        """Keep how far the reader is in a partition."""
        self._write(
            "INSERT OR REPLACE INTO reached VALUES (?, ?, ?)", partition, reached.next, reached.states_due
        )

    def known(self, partition: int, user_id: str) -> Known | None:
        """Return what the reader knows of a user; None if it has not met the user."""
        found = self._row(
            "SELECT event_id, held FROM users WHERE partition = ? AND user_id = ?", partition, user_id
        )
        return None if found is None else Known(*found)

    def learn(self, partition: int, user_id: str, known: Known | None) -> None:
        """Keep what the reader knows of a user; None forgets the user."""
        if known is None:
            self._write("DELETE FROM users WHERE partition = ? AND user_id = ?", partition, user_id)
            return
        self._write(
            "INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?)", partition, user_id, known.event_id, known.held
        )

    def forget(self, partition: int) -> None:
        """Forget the users of a partition, because another reader has gone on with it."""
        self._write("DELETE FROM users WHERE partition = ?", partition)

    def save(self) -> None:
        """Make everything last."""
        with self._usable():
            self._sql.commit()

    def close(self) -> None:
        """Close the file, without what was not saved."""
        self._sql.close()

    def _row(self, query: str, *values: object) -> tuple[Any, ...] | None:
        with self._usable():
            found: tuple[Any, ...] | None = self._sql.execute(query, values).fetchone()
            return found

    def _write(self, statement: str, *values: object) -> None:
        with self._usable():
            self._sql.execute(statement, values)
