"""A warehouse in Snowflake, read with its Python connector."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pyarrow as pa

from schemas.errors import BadSource, BadWarehouse
from trainer.warehouse.kinds.arrow_batches import of_rows
from trainer.warehouse.kinds.drivers import driver
from trainer.warehouse.kinds.warehouse_source import NoTable, Row, check_has, failing, query_hint
from trainer.warehouse.tables.table_names import Names
from trainer.warehouse.tables.table_references import references

SCHEME = "snowflake"

_ROWS_A_FETCH = 10_000
_LOGIN_TIMEOUT_S = 30
_SECRETS = ("password", "passcode", "token", "private_key_file_pwd")

# The SQL state of a table that does not exist, in the connector's messages.
_NO_TABLE = "(42S02)"
# The SQL states of queries that are wrong begin with 42: syntax, unknown tables and columns.
_WRONG_QUERY = re.compile(r"\(42\w{3}\)")

# The text of times must not depend on the account's settings: UTC, all digits, and an offset as in RFC 3339.
_SESSION = (
    "alter session set timezone = 'UTC'",
    "alter session set date_output_format = 'YYYY-MM-DD'",
    "alter session set timestamp_input_format = 'AUTO'",
    "alter session set timestamp_ntz_output_format = 'YYYY-MM-DD HH24:MI:SS.FF9'",
    "alter session set timestamp_ltz_output_format = 'YYYY-MM-DD HH24:MI:SS.FF9TZH:TZM'",
    "alter session set timestamp_tz_output_format = 'YYYY-MM-DD HH24:MI:SS.FF9TZH:TZM'",
    "alter session set quoted_identifiers_ignore_case = false",
)


class SnowflakeSource:
    """See :class:`trainer.warehouse.kinds.warehouse_source.Source`.

    Each query sees the rows at its own time: do not change the tables while a release is trained.
    """

    dialect = "snowflake"
    session = _SESSION

    def __init__(self, url: str, names: Names) -> None:
        """Connect.

        Raises:
            NotInstalled: the connector is not installed.
            BadWarehouse: the URL is wrong, or Snowflake refuses the login.
            BadSetting: a setting is neither a table's name nor a query that only reads.
        """
        self.tables = references(names, self.dialect)
        self._names = names
        self.csv_files: Mapping[str, Path] = {}
        parts = _parts(url)
        self._secrets = [parts[key] for key in _SECRETS if parts.get(key)]
        self.name = f"Snowflake database {parts['database']} of {parts['account']}"
        self._connector = driver("snowflake.connector", SCHEME)
        with self._failures(f"{self.name} does not let us in"):
            self._connection = self._connector.connect(**{"login_timeout": _LOGIN_TIMEOUT_S, **parts})
        with self._failures(f"{self.name} cannot be read"):
            for setting in _SESSION:
                self._execute(setting)

    def columns(self, table: str) -> Mapping[str, str]:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.columns`."""
        check_has(self._names, table, self.name)
        if self._names.query(table) is not None:
            with self._failures(failing(table, self.name), of_a_query=True):
                self._execute(
                    f"select * from {self.tables[table]} as {table}"  # noqa: S608 - checked
                    " limit 0"
                )
                described = list(self._execute("describe result last_query_id()"))
        else:
            what = f"{self.name} has no table {self._names.describe(table)} that can be read"
            with self._failures(what, of_a_table=True):
                described = list(self._execute(f"describe table {self.tables[table]}"))
        return {str(row[0]): str(row[1]) for row in described}

    def rows(self, query: str) -> Iterator[Row]:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.rows`."""
        with self._failures(f"{self.name} cannot be read", hint=query_hint(self._names)):
            yield from self._execute(query)

    def batches(self, query: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.batches`."""
        return of_rows(self.rows(query), schema)

    def close(self) -> None:
        """See :meth:`trainer.warehouse.kinds.warehouse_source.Source.close`."""
        self._connection.close()

    def _execute(self, query: str) -> Iterator[Row]:
        """Run a query now; its rows are fetched one batch at a time."""
        cursor = self._connection.cursor()
        cursor.execute(query)
        return chain.from_iterable(iter(lambda: cursor.fetchmany(_ROWS_A_FETCH), []))

    @contextlib.contextmanager
    def _failures(
        self, what: str, hint: str = "", *, of_a_table: bool = False, of_a_query: bool = False
    ) -> Iterator[None]:
        """Turn the connector's errors into :class:`~schemas.errors.BadWarehouse`: ``what``, reason,
        ``hint``.
        """
        try:
            yield
        except self._connector.Error as error:
            message = " ".join(str(error).split())
            for secret in self._secrets:
                message = message.replace(secret, "***")
            kind = NoTable if of_a_table and _NO_TABLE in message else BadWarehouse
            if of_a_query and _WRONG_QUERY.search(message):
                kind = BadSource
            raise kind(f"{what}: {message}{hint}") from None


def _parts(url: str) -> dict[str, str]:
    """The connector's arguments. No message quotes the URL, because it may have a password."""
    parts = urlsplit(url)
    database, _, schema = parts.path.strip("/").partition("/")
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    account = parts.netloc.rpartition("@")[2]
    if not (account and user and database) or "/" in schema or ":" in account or parts.fragment:
        raise BadSource(
            "the Snowflake URL cannot be read: write it as "
            "snowflake://user@account/database/schema?warehouse=name, and percent-encode : / # ? and @ in "
            "the password"
        )
    named = {
        "account": account,
        "user": user,
        "password": password,
        "database": database,
        "schema": schema,
    }
    arguments = {name: unquote(value) for name, value in named.items() if value}
    return arguments | dict(parse_qsl(parts.query))
