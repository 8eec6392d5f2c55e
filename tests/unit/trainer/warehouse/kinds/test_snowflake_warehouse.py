"""Snowflake through a stand-in for its connector: the queries, the answers and the errors."""

import sys
from types import SimpleNamespace

import pyarrow as pa
import pytest

from schemas.errors import BadSource, BadWarehouse, NotInstalled
from trainer.warehouse import Names, open_warehouse
from trainer.warehouse.kinds.snowflake_warehouse import SnowflakeSource
from trainer.warehouse.kinds.warehouse_source import NoTable

URL = "snowflake://segue:p%40ss%2Fhunter2@org-account/shop/crm?warehouse=small&role=reader"


class ConnectorError(Exception):
    """What the connector raises."""


class Cursor:
    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._rows: list[tuple[object, ...]] = []

    def execute(self, query: str) -> None:
        self._connection.asked.append(query)
        for beginning, answer in self._connection.answers.items():
            if query.startswith(beginning):
                if isinstance(answer, Exception):
                    raise answer
                self._rows = list(answer)

    def fetchmany(self, size: int) -> list[tuple[object, ...]]:
        part, self._rows = self._rows[:size], self._rows[size:]
        return part


class Connection:
    def __init__(self) -> None:
        self.arguments: dict[str, object] = {}
        self.asked: list[str] = []
        self.answers: dict[str, list[tuple[object, ...]] | Exception] = {}
        self.closed = False

    def cursor(self) -> Cursor:
        return Cursor(self)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Connection:
    connection = Connection()

    def connect(**arguments: object) -> Connection:
        connection.arguments = arguments
        return connection

    stand_in = SimpleNamespace(connect=connect, Error=ConnectorError)
    monkeypatch.setitem(sys.modules, "snowflake", SimpleNamespace(connector=stand_in))
    monkeypatch.setitem(sys.modules, "snowflake.connector", stand_in)
    return connection


def test_the_url_s_parts_are_the_connector_s_arguments(connection: Connection) -> None:
    source = SnowflakeSource(URL, Names())
    assert connection.arguments == {
        "account": "org-account",
        "user": "segue",
        "password": "p@ss/hunter2",
        "database": "shop",
        "schema": "crm",
        "warehouse": "small",
        "role": "reader",
        "login_timeout": 30,
    }
    assert source.name == "Snowflake database shop of org-account"
    assert connection.asked[0] == "alter session set timezone = 'UTC'"
    assert all(query.startswith("alter session set ") for query in connection.asked)
    source.close()
    assert connection.closed


def test_columns_and_their_types(connection: Connection) -> None:
    connection.answers["describe table"] = [
        ("CUSTOMER_NO", "NUMBER(38,0)", "COLUMN"),
        ("AGE", "FLOAT", "COLUMN"),
    ]
    source = SnowflakeSource(URL, Names({"users": "crm.customers"}))
    assert source.columns("users") == {"CUSTOMER_NO": "NUMBER(38,0)", "AGE": "FLOAT"}
    assert connection.asked[-1] == "describe table crm.customers"


def test_columns_of_a_query(connection: Connection) -> None:
    connection.answers["describe result"] = [("USER_ID", "NUMBER(38,0)"), ("AGE", "FLOAT")]
    source = SnowflakeSource(URL, Names({"users": "select * from crm.customers;"}))
    assert source.columns("users") == {"USER_ID": "NUMBER(38,0)", "AGE": "FLOAT"}
    assert connection.asked[-2:] == [
        "select * from (\nselect * from crm.customers\n) as users limit 0",
        "describe result last_query_id()",
    ]


def test_a_query_that_fails_names_its_setting(connection: Connection) -> None:
    connection.answers["select"] = ConnectorError("002003 (42S02): Object 'NOPE' does not exist")
    with pytest.raises(BadWarehouse) as caught:
        open_warehouse(URL, Names({"users": "select * from nope"}))
    assert str(caught.value) == (
        "the query of the setting tables.users fails in Snowflake database shop of org-account: 002003 "
        "(42S02): Object 'NOPE' does not exist"
    )
    assert isinstance(caught.value, BadSource)  # the setting is wrong
    connection.answers["select"] = ConnectorError("250001 (08001): Failed to connect")
    with pytest.raises(BadWarehouse) as caught:
        open_warehouse(URL, Names({"users": "select * from nope"}))
    assert not isinstance(caught.value, BadSource)


def test_a_table_that_is_not_there_is_told_from_other_failures(connection: Connection) -> None:
    source = SnowflakeSource(URL, Names({"inventory_items": ""}))
    connection.answers["describe table"] = ConnectorError("002003 (42S02): Object 'USERS' does not exist")
    with pytest.raises(NoTable):
        source.columns("users")
    connection.answers["describe table"] = ConnectorError("250001 (08001): Failed to connect")
    with pytest.raises(BadWarehouse) as caught:
        source.columns("users")
    assert not isinstance(caught.value, NoTable)
    with pytest.raises(NoTable):
        source.columns("inventory_items")


def test_rows_and_batches(connection: Connection) -> None:
    connection.answers["select"] = [(number, str(number)) for number in range(25_000)]
    source = SnowflakeSource(URL, Names())
    assert list(source.rows("select 1")) == connection.answers["select"]
    schema = pa.schema([("n", pa.int64()), ("text", pa.string())])
    table = pa.Table.from_batches(source.batches("select 1", schema), schema)
    assert (table.num_rows, table["text"][24_999].as_py()) == (25_000, "24999")


def test_a_failure_is_one_sentence_without_the_password(connection: Connection) -> None:
    connection.answers["describe table"] = ConnectorError(
        "002003 (42S02): Object 'USERS' does not exist\nor not authorized for p@ss/hunter2"
    )
    with pytest.raises(BadWarehouse) as caught:
        open_warehouse(URL, Names({"users": "people"}))
    assert str(caught.value) == (
        "Snowflake database shop of org-account has no table people (setting tables.users) that can be read: "
        "002003 (42S02): Object 'USERS' does not exist or not authorized for ***"
    )
    assert connection.closed


def test_ids_of_a_type_with_fractions_are_refused(connection: Connection) -> None:
    connection.answers["describe table"] = [
        (name, "NUMBER(10,2)") for name in ("ID", "AGE", "GENDER", "COUNTRY", "TRAFFIC_SOURCE", "CREATED_AT")
    ]
    with pytest.raises(
        BadWarehouse, match=r"column users\.ID of Snowflake database .* is NUMBER\(10,2\), but ids"
    ):
        open_warehouse(URL)


@pytest.mark.parametrize(
    "url", ["snowflake://account/db", "snowflake://me:hunter2@account", "snowflake://me:1/hunter2@account/db"]
)
def test_a_url_that_is_none_is_not_repeated(url: str) -> None:
    with pytest.raises(
        BadWarehouse, match=r"^the Snowflake URL cannot be read: write it as snowflake://"
    ) as caught:
        open_warehouse(url)
    assert "hunter2" not in str(caught.value)


def test_without_the_connector_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "snowflake", None)
    monkeypatch.setitem(sys.modules, "snowflake.connector", None)
    with pytest.raises(NotInstalled) as caught:
        open_warehouse(URL)
    assert str(caught.value).endswith(f"{sys.executable} -m pip install '.[snowflake]'")
