"""A warehouse in PostgreSQL, read with psycopg."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import conninfo

from schemas.errors import BadSource, BadWarehouse
from trainer.warehouse.kinds.arrow_batches import of_rows
from trainer.warehouse.kinds.warehouse_source import NoTable, Row, check_has, failing, query_hint
from trainer.warehouse.tables.table_names import Names, table_fix
from trainer.warehouse.tables.table_references import references

SCHEMES = ("postgresql://", "postgres://")

_ROWS_A_FETCH = 10_000
_CONNECT_TIMEOUT_S = 10
_SECRETS = ("password", "sslpassword")
# Words of a server that answered, or of libpq about the login.
_OF_A_LOGIN = re.compile(r"FATAL|password|authentication|SSL|GSSAPI|certificate")
# libpq's other form of an address, also with the semicolons of other drivers.
_KEYWORDS = re.compile(r"(?:^|[\s;])(?:host|hostaddr|dbname|user|password|service)\s*=", re.IGNORECASE)

# By SQLSTATE: the setting of the login that ended a query or the connection.
_TIMEOUTS = {"57014": "statement_timeout", "25P03": "idle_in_transaction_session_timeout"}
_CANCELED_BY_HAND = "user request"

# The text of times and numbers must not depend on the server's settings.
_SESSION = (
    "set time zone 'UTC'",
    "set datestyle to 'ISO, YMD'",
    "set extra_float_digits to 1",
    "set standard_conforming_strings to on",
)
# The cursors read all rows, so plans for the first rows are wrong. JIT compilation costs more time than it
# saves.
_PLANS = ("set cursor_tuple_fraction to 1", "set jit to off")


def columns_sql(which: str) -> str:
    """Return a query for the tables, columns and types of the relations that a condition on pg_class selects.

    A domain has the type that it is made from. An enumeration has a name of its own, so its type is `enum`.
    """
    return f"""
        with recursive columns as (
            select relname, attname, attnum, atttypid as type, atttypmod as modifier
            from pg_attribute inner join pg_class on pg_class.oid = attrelid
            where {which} and attnum > 0 and not attisdropped
            union all
            select relname, attname, attnum, typbasetype, typtypmod
            from columns inner join pg_type on pg_type.oid = columns.type
            where typtype = 'd'
        )
        select relname::text, attname::text,
            case typtype when 'e' then 'enum' else format_type(type, modifier) end
        from columns inner join pg_type on pg_type.oid = type
        where typtype <> 'd'
        order by relname, attnum
    """  # noqa: S608 - the conditions are constants


_COLUMNS = columns_sql("pg_class.oid = to_regclass(%s)")

# The server tells a domain as the type that it is made from.
_TYPES = """
    select oid, case typtype when 'e' then 'enum' else format_type(oid, null) end
    from pg_type
    where oid = any(%s)
"""

# Tables on the search path are listed without the schema.
_KNOWN_TABLES = """
    select case when pg_table_is_visible(oid) then relname else relnamespace::regnamespace || '.' || relname
    end from pg_class
    where relkind in ('r', 'p', 'v', 'm', 'f') and relnamespace::regnamespace::text not like 'pg\\_%%'
"""


class PostgresSource:
    """See :class:`trainer.warehouse.kinds.warehouse_source.Source`.

    All queries see the same rows: they run in one read-only transaction, which ends with the source.
    """

    dialect = "postgres"
    session = _SESSION

    def __init__(self, url: str, names: Names) -> None:
        """Connect.

        Raises:
            BadSetting: a setting is neither a table's name nor a query that only reads.
            BadWarehouse: the URL is wrong, the server does not answer or refuses, or its database is not
                in UTF-8.
        """
        self._names = names
        self.csv_files: Mapping[str, Path] = {}
        self.tables = references(names, self.dialect)
        self._url = url
        parts = parts_of(url)
        self._secrets = [str(parts[key]) for key in _SECRETS if parts.get(key)]
        where = f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}"
        self.name = f"PostgreSQL database {parts.get('dbname', '')} at {where}"
        timeout = parts.get("connect_timeout", _CONNECT_TIMEOUT_S)
        with self._failures("does not let us in", "does not answer"):
            self._connection = psycopg.connect(url, client_encoding="utf8", connect_timeout=timeout)
        encoding = self._connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            self._connection.close()
            raise BadWarehouse(f"{self.name} is in {encoding}: Segue reads databases in UTF8")
        self._cursors = count(1)
        self._connection.read_only = True
        self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with self._failures("cannot be read"):
            self._connection.execute("; ".join((*_SESSION, *_PLANS)).encode())

    def columns(self, table: str) -> Mapping[str, str]:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.columns`."""
        check_has(self._names, table, self.name)
        if self._names.query(table) is not None:
            return self._columns_of_query(table)
        with self._failures("cannot be read"):
            described = self._connection.execute(_COLUMNS, [self.tables[table]]).fetchall()
            if not described:
                known = [str(name) for (name,) in self._connection.execute(_KNOWN_TABLES)]
                make = (
                    f"make a table or a view of that name, or {option_advice(self._url, 'search_path%3D…')}"
                )
                raise NoTable(
                    f"{self.name} has no table {self._names.describe(table)} on its search path: "
                    f"{table_fix(self._names, table, known, make)}"
                )
        return {str(name): str(kind) for _, name, kind in described}

    def _columns_of_query(self, table: str) -> Mapping[str, str]:
        query = f"select * from {self.tables[table]} as {table} limit 0"  # noqa: S608 - checked
        with self._failures(whole=failing(table, self.name)):
            found = self._connection.execute(query.encode()).description or []
            oids = [column.type_code for column in found]
            types = {oid: str(kind) for oid, kind in self._connection.execute(_TYPES, [oids])}
        names = [column.name for column in found]
        if twice := [name for name in names if names.count(name) > 1]:
            raise BadSource(
                f"{failing(table, self.name)}: it has column {twice[0]} more than once: name the columns "
                "that Segue reads"
            )
        return {column.name: _type_of(column, types[column.type_code]) for column in found}

    def rows(self, query: str) -> Iterator[Row]:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.rows`."""
        with (
            self._failures("cannot be read", hint=query_hint(self._names)),
            self._connection.cursor(name=f"segue_{next(self._cursors)}") as cursor,
        ):
            cursor.itersize = _ROWS_A_FETCH
            yield from cursor.execute(query.encode())

    def batches(self, query: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.batches`."""
        return of_rows(self.rows(query), schema)

    @contextlib.contextmanager
    def apart(self) -> Iterator[None]:
        """After a failure in the block, later queries see the same rows as before it.

        Raises:
            BadWarehouse: the server failed before or after the block.
        """
        with self._failures("cannot be read"), self._connection.transaction():
            yield

    def close(self) -> None:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.close`."""
        self._connection.close()

    @contextlib.contextmanager
    def _failures(
        self, what: str = "", unanswered: str | None = None, *, whole: str | None = None, hint: str = ""
    ) -> Iterator[None]:
        """Turn the driver's errors into :class:`~schemas.errors.BadWarehouse`.

        Args:
            what: the words after the warehouse's name.
            unanswered: the words instead of ``what`` if no server answered the login.
            whole: the words before the reason, instead of the warehouse's name and ``what``.
            hint: the words after the reason.
        """
        try:
            yield
        except psycopg.Error as error:
            # Without the line of SQL in the server's message: it is Segue's and does not help the reader.
            message = " ".join((error.diag.message_primary or str(error)).split())
            for secret in self._secrets:
                message = message.replace(secret, "***")
            words = what if unanswered is None or _OF_A_LOGIN.search(message) else unanswered
            wrong_query = whole is not None and isinstance(error, psycopg.ProgrammingError)
            kind = BadSource if wrong_query else BadWarehouse
            timeout = None if _CANCELED_BY_HAND in message else _TIMEOUTS.get(error.sqlstate or "")
            if timeout is not None:
                off = option_advice(self._url, f"{timeout}%3D0")
                hint = f" (raise {timeout} of this login, or {off})"
            raise kind(f"{whole or f'{self.name} {words}'}: {message}{hint}") from None


def _type_of(column: psycopg.Column, kind: str) -> str:
    """The type of a query's column; a number with its digits, which decide whether it may be an id."""
    if kind == "numeric" and column.precision is not None:
        return f"numeric({column.precision},{column.scale})"
    return kind


def check_no_keywords(address: str) -> None:
    """Check that an address is not written as libpq's keywords, such as ``host=… dbname=…``.

    A folder of such a name can be given as ``./host=a``.

    Raises:
        BadSource: it is. The message does not quote it, because it may have a password.
    """
    if _KEYWORDS.search(address):
        raise BadSource(
            "the address is in keywords of PostgreSQL (such as host=… dbname=…): write it as "
            "postgresql://user:password@host:port/dbname"
        )


def option_advice(url: str, setting: str) -> str:
    """Say how a URL gets a setting of the session. It has the parameter ``options`` once, for all settings.

    >>> option_advice("postgresql://me@db/shop", "jit%3Doff")
    'add ?options=-cjit%3Doff to the URL'
    >>> option_advice("postgresql://me@db/shop?options=-cjit%3Doff", "search_path%3Dshop")
    'add %20-csearch_path%3Dshop to the end of options in the URL'

    Args:
        url: the URL, without the setting.
        setting: the setting with its value, percent-encoded.
    """
    if "options" in parts_of(url):
        return f"add %20-c{setting} to the end of options in the URL"
    return f"add {'&' if '?' in url else '?'}options=-c{setting} to the URL"


def parts_of(url: str) -> Mapping[str, Any]:
    """The parameters of a URL. No message quotes the URL, because it may have a password.

    Raises:
        BadSource: the URL cannot be read.
    """
    cannot = "the PostgreSQL URL cannot be read: write it as postgresql://user@host:5432/database"
    try:
        parts = conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        raise BadSource(cannot) from None
    # A / or @ in a password breaks the URL: the rest of the password becomes the host or the database.
    if any("@" in value and value in url for value in (str(parts.get("host")), str(parts.get("dbname")))):
        raise BadSource(f"{cannot}, and percent-encode / and @ in the password")
    return parts
