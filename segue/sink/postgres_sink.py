"""The tables in PostgreSQL: rows and Kafka's offsets in one transaction."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
from psycopg import errors

from schemas.errors import BadWarehouse, LoginRefused
from segue.sink.segment_tables import Place, Position, SegmentTables, SinkLost, check_positions
from segue.sink.sink_address import server_parts
from segue.sink.sink_rows import Batch

_CONNECT_TIMEOUT_S = 10
# A sink that was killed may hold the lock until the server notices.
_LOCK_S = 2.0
_RETRY_S = 0.5
_OF_A_LOGIN = re.compile(r"password|authentication|role .* does not exist|no pg_hba")
# libpq's words about a parameter of the URL, such as sslmode: no server was asked.
_OF_A_PARAMETER = re.compile(r"connection is bad: (invalid |could not match )")
# A deadlock, or a conflict of transactions: a repeat helps.
_OF_A_ROLLBACK = "40"
# PostgreSQL's texts hold every character but this one.
_NUL, _SHOWN_NUL = "\x00", "\u2400"


class PostgresSink:
    """An open sink. It holds an advisory lock, so no second sink writes to the schema.

    Every method raises:
        BadWarehouse: the server refuses a statement.
        SinkLost: the server does not answer, or has ended the connection or the transaction.
    """

    def __init__(self, url: str, schema: str, prefix: str) -> None:
        """Connect, take the lock, and create what is missing.

        Args:
            url: a ``postgresql://`` URL.
            schema: the schema of the tables; checked.
            prefix: the setting ``topic_prefix``.

        Raises:
            BadWarehouse: the URL cannot be used, the database is not in UTF-8, or another sink writes there.
            LoginRefused: the server refuses the login.
            SinkLost: no server answers.
        """
        parts = server_parts(url)
        self._secrets = [str(parts[key]) for key in ("password", "sslpassword") if parts.get(key)]
        where = f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}"
        self._server = f"PostgreSQL database {parts.get('dbname', '')} at {where}"
        self.name = f"schema {schema} of {self._server}"
        with self._failures():
            self._connection = psycopg.connect(
                url,
                autocommit=True,
                client_encoding="utf8",
                connect_timeout=parts.get("connect_timeout", _CONNECT_TIMEOUT_S),
                application_name="segue sink",
            )
        try:
            self._begin(schema)
            self._tables = SegmentTables(self, schema, prefix, keyed=True)
            self._tables.prepare()
        except BaseException:
            self._connection.close()
            raise

    def _begin(self, schema: str) -> None:
        if self._connection.info.parameter_status("server_encoding") != "UTF8":
            raise BadWarehouse(
                f"{self._server} is not in UTF8: the tables hold any text, so give one that is"
            )
        self.run("set time zone 'UTC'")
        self._take_lock(schema)
        if not self.rows(f"select 1 from pg_namespace where nspname = '{schema}'"):  # noqa: S608 - checked
            self.run(f'create schema "{schema}"')

    def _take_lock(self, schema: str) -> None:
        lock = f"select pg_try_advisory_lock(hashtextextended('segue sink {schema}', 0))"
        end_s = time.monotonic() + _LOCK_S
        while not self.rows(lock)[0][0]:
            if time.monotonic() >= end_s:
                raise BadWarehouse(f"another `segue sink` writes to {self.name}: end it first")
            time.sleep(_RETRY_S)

    def start(self, topic_ids: Mapping[str, str], begins: Mapping[Place, int]) -> dict[Place, int]:
        """The offsets to go on from; empty at the first start.

        Raises:
            BadTopics: see :func:`segue.sink.segment_tables.check_positions`.
        """
        stored = self._tables.positions()
        check_positions(stored, topic_ids, begins, self.name)
        return {place: position.next_offset for place, position in stored.items()}

    def apply(self, batch: Batch, positions: Mapping[Place, Position]) -> None:
        """Commit a batch with its offsets."""
        self._tables.apply(batch, positions)

    def counts(self) -> tuple[int, int]:
        """The numbers of users and of rows of the history."""
        return self._tables.counts()

    def publish(self, *, last: bool) -> None:
        """Do nothing: what is committed can be read."""

    def close(self) -> None:
        """End the connection, which frees the lock."""
        self._connection.close()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """See :class:`segue.sink.segment_tables.Database`."""
        with self._failures():
            return self._connection.execute(statement.encode()).fetchall()

    def run(self, statement: str) -> None:
        """See :class:`segue.sink.segment_tables.Database`."""
        with self._failures():
            self._connection.execute(statement.encode())

    def load(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """See :class:`segue.sink.segment_tables.Database`."""
        self.run(f"truncate {table}")
        copy = f"copy {table} ({', '.join(columns)}) from stdin"
        with self._failures(), self._connection.cursor().copy(copy.encode()) as out:
            for row in rows:
                out.write_row([_storable(value) for value in row])

    def transaction(self) -> AbstractContextManager[object]:
        """See :class:`segue.sink.segment_tables.Database`."""
        return self._transaction()

    def stored(self, user_id: str) -> str:
        """See :class:`segue.sink.segment_tables.Database`."""
        return user_id.replace(_NUL, _SHOWN_NUL)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._failures(), self._connection.transaction():
            yield

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            # Neither the statement, which is Segue's own, nor a row, which may be a person's.
            said = (error.diag.message_primary or str(error)).strip().splitlines() or [type(error).__name__]
            words = said[0]  # libpq goes on with advice about the server
            for secret in self._secrets:
                words = words.replace(secret, "***")
            if isinstance(error, errors.InvalidPassword | errors.InvalidAuthorizationSpecification) or (
                isinstance(error, psycopg.OperationalError) and _OF_A_LOGIN.search(words)
            ):
                raise LoginRefused(f"{self._server} does not let us in: {words}") from None
            if (error.sqlstate or "").startswith(_OF_A_ROLLBACK):
                raise SinkLost(f"{self._server} has ended the transaction: {words}") from None
            if _is_lost(error, words):
                raise SinkLost(f"{self._server} does not answer: {words}") from None
            raise BadWarehouse(f"{self._server} cannot be written: {words}") from None


def _is_lost(error: psycopg.Error, words: str) -> bool:
    """Whether the server is away, stops or starts, or has no connection left; else it refuses a statement."""
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    if error.sqlstate is None:  # a refused login too has no code
        return "does not exist" not in words and not _OF_A_PARAMETER.match(words)
    return error.sqlstate.startswith(("08", "57P", "53300"))


def _storable(value: object) -> object:
    return value.replace(_NUL, _SHOWN_NUL) if isinstance(value, str) else value
