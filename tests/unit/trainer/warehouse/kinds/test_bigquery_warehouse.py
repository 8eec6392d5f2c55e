"""BigQuery through a stand-in for Google's client: what it is asked, what is made of answers and errors."""

import sys
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from schemas.errors import BadSource, BadWarehouse, NotInstalled
from trainer.warehouse import Names, open_warehouse
from trainer.warehouse.kinds.bigquery_warehouse import BigQuerySource
from trainer.warehouse.kinds.warehouse_source import NoTable

URL = "bigquery://my-project/shop?location=EU"


class ApiError(Exception):
    """What the client raises when BigQuery refuses."""


class AuthError(Exception):
    """What it raises without credentials."""


class Client:
    """Stands in for ``google.cloud.bigquery.Client``; the last one made is ``made``."""

    made: "Client"
    failure: Exception | None = None

    def __init__(self, **arguments: Any) -> None:
        if Client.failure is not None:
            raise Client.failure
        self.arguments = arguments
        self.asked: list[str] = []
        self.rows: list[tuple[object, ...]] = []
        self.fields: list[tuple[str, str]] = []
        self.closed = False
        Client.made = self

    def get_table(self, name: str) -> Any:
        self.asked.append(name)
        if not self.fields:
            raise ApiError(f"404 Not found: Table\n{name}")
        return SimpleNamespace(schema=[SimpleNamespace(name=n, field_type=kind) for n, kind in self.fields])

    def query(self, query: str) -> Any:
        self.asked.append(query)
        if "nope" in query:
            raise ApiError("404 Not found: Table nope")
        rows = [SimpleNamespace(values=lambda row=row: row) for row in self.rows]
        schema = [SimpleNamespace(name=n, field_type=kind) for n, kind in self.fields]

        def result(page_size: int | None = None) -> Any:
            return SimpleNamespace(schema=schema) if page_size is None else iter(rows)

        return SimpleNamespace(result=result)

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Client, "failure", None)
    bigquery = SimpleNamespace(Client=Client, QueryJobConfig=lambda **named: named)
    for name, module in {
        "google.cloud.bigquery": bigquery,
        "google.api_core.exceptions": SimpleNamespace(GoogleAPIError=ApiError),
        "google.auth.exceptions": SimpleNamespace(GoogleAuthError=AuthError),
    }.items():
        monkeypatch.setitem(sys.modules, name, module)


def test_the_url_names_project_dataset_and_location() -> None:
    source = BigQuerySource(URL, Names())
    assert Client.made.arguments == {
        "project": "my-project",
        "location": "EU",
        "default_query_job_config": {"default_dataset": "my-project.shop"},
    }
    assert source.name == "BigQuery dataset my-project.shop"
    source.close()
    assert Client.made.closed


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("people", "my-project.shop.people"),
        ("crm.people", "my-project.crm.people"),
        ("other-project.crm.people", "other-project.crm.people"),
    ],
)
def test_columns_of_a_table_wherever_it_is(name: str, full: str) -> None:
    source = BigQuerySource(URL, Names({"users": name}))
    Client.made.fields = [("customer_no", "INTEGER"), ("age", "FLOAT")]
    assert source.columns("users") == {"customer_no": "INTEGER", "age": "FLOAT"}
    assert Client.made.asked == [full]


def test_columns_of_a_query() -> None:
    source = BigQuerySource(URL, Names({"users": "select * from `crm.customers` -- all"}))
    Client.made.fields = [("user_id", "INTEGER"), ("age", "FLOAT")]
    assert source.columns("users") == {"user_id": "INTEGER", "age": "FLOAT"}
    assert Client.made.asked == ["select * from (\nselect * from `crm.customers`\n) as users limit 0"]


def test_a_query_that_fails_names_its_setting() -> None:
    with pytest.raises(BadWarehouse) as caught:
        BigQuerySource(URL, Names({"users": "select * from nope"})).columns("users")
    assert str(caught.value) == (
        "the query of the setting tables.users fails in BigQuery dataset my-project.shop: 404 Not found: "
        "Table nope"
    )
    assert isinstance(caught.value, BadSource)  # the setting is wrong


def test_a_shop_without_a_table() -> None:
    source = BigQuerySource(URL, Names({"inventory_items": ""}))
    for table in ("users", "inventory_items"):
        with pytest.raises(NoTable):
            source.columns(table)


def test_rows_and_batches() -> None:
    source = BigQuerySource(URL, Names())
    Client.made.rows = [(1, "a"), (2, None)]
    assert list(source.rows("select 1")) == [(1, "a"), (2, None)]
    schema = pa.schema([("n", pa.int64()), ("text", pa.string())])
    table = pa.Table.from_batches(source.batches("select 1", schema), schema)
    assert table.to_pylist() == [{"n": 1, "text": "a"}, {"n": 2, "text": None}]


def test_a_table_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(BadWarehouse) as caught:
        open_warehouse(URL, Names({"users": "people"}))
    assert str(caught.value) == (
        "BigQuery dataset my-project.shop has no table people (setting tables.users) that can be read: 404 "
        "Not found: Table my-project.shop.people"
    )
    assert Client.made.closed


def test_without_credentials_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Client, "failure", AuthError("Your default credentials were not found."))
    with pytest.raises(BadWarehouse, match="does not let us in: Your default credentials were not found"):
        open_warehouse(URL)


@pytest.mark.parametrize(
    "url", ["bigquery://project", "bigquery://p/d/t", "bigquery://key@p/d", "bigquery://p/d?credentials=x"]
)
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(BadWarehouse, match=r"^the BigQuery URL cannot be read: write it as bigquery://"):
        open_warehouse(url)


def test_without_the_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.cloud.bigquery", None)
    with pytest.raises(NotInstalled) as caught:
        open_warehouse(URL)
    assert str(caught.value).endswith(f"{sys.executable} -m pip install '.[bigquery]'")
