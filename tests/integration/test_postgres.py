"""A real PostgreSQL gives what DuckDB gives, whatever its locale and settings are."""

import random
import socket
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segue
from schemas.errors import BadWarehouse
from schemas.features import Feature
from schemas.input_events import Order, Signup
from streamer.user.order_rules import Rules
from tests.support.checks.by_fold import from_fold, recorded
from tests.support.inputs.hostile_values import NO_NUMBERS, NO_TIMES, NUMBERS, TIMES, ZEROS
from tests.support.inputs.laws import examples
from tests.support.inputs.shops import (
    COLUMNS,
    Shop,
    everything,
    features_by_user,
    renamed,
    renaming,
    write_csv,
    write_duckdb,
    write_postgres,
)
from tests.support.servers.postgres import Postgres, running_postgres
from tests.support.strategies.features import ZONES, days, of_declared
from tests.support.strategies.warehouse import AS_OFS, EXCLUDED, shops
from trainer.warehouse import Names, Reading, open_warehouse


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def database(postgres: Postgres) -> str:
    """The URL of an empty database of the test's own."""
    return postgres.new_database()


def execute(database: str, *statements: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database) as connection:
        rows: list[tuple[object, ...]] = []
        for statement in statements:
            cursor = connection.execute(statement.encode())
            rows = cursor.fetchall() if cursor.description else []
        return rows


def refusal(url: str) -> str:
    with pytest.raises(BadWarehouse) as caught:
        open_warehouse(url)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_server_sorts_and_writes_unlike_us(database: str) -> None:
    """Else the tests below would prove nothing."""
    letters = "select x from (values ('b'), ('B'), ('a'), ('é'), ('z')) as t(x) order by x"
    assert [row[0] for row in execute(database, letters)] == ["a", "b", "B", "é", "z"]
    settings = execute(database, "select current_setting('timezone'), current_setting('datestyle')")
    assert settings == [("Europe/Madrid", "SQL, DMY")]


def test_bytes_decide_and_not_the_locale(database: str, tmp_path: Path) -> None:
    """Order of users, the larger value, the smallest brand of an inventory row, the newest version."""
    shop = Shop()
    for user in ("b", "B", "a", "é", "z"):
        shop.user(user)
    shop.user("a", gender="b", country="Z").user("a", gender="B", country="a")
    shop.order("1", "a", status="b").order("1", "a", [], status="B")
    shop.inventory_items[0]["product_brand"] = "b"
    shop.inventory_items.append(shop.inventory_items[0] | {"product_brand": "B"})
    rows = features_by_user(write_postgres(shop, database), exclude_statuses=("B",))
    assert list(rows) == ["B", "a", "b", "z", "é"]
    assert (rows["a"]["gender"], rows["a"]["country"]) == ("b", "a")
    assert (rows["a"]["total_orders"], rows["a"]["most_frequent_brand"]) == (1, "B")
    assert everything(database) == everything(write_csv(shop, tmp_path))


def test_hostile_texts_are_read_or_rejected_and_stop_nothing(database: str, tmp_path: Path) -> None:
    """A cast that fails would end the whole query."""
    shop = Shop()
    for number, text in enumerate([*TIMES, *NO_TIMES]):
        shop.user(f"t{number}", text).order(f"t{number}", "u", created_at=text)
    for number, text in enumerate([*NUMBERS, *NO_NUMBERS, *ZEROS]):
        shop.user(f"n{number}", age=text)
        shop.order(f"p{number}", "u", [{"sale_price": text}]).order(f"q{number}", "u", [{"quantity": text}])
    write_postgres(shop, database)
    with open_warehouse(database) as warehouse:
        assert warehouse.rejected().counts == {
            ("users", "created_at is not a time"): len(NO_TIMES),
            ("orders", "created_at is not a time"): len(NO_TIMES),
            ("users", "age is not a number"): len(NO_NUMBERS),
            ("orders", "an item's price is not a finite number"): len(NO_NUMBERS),
            ("orders", "an item's quantity is not a whole number of at least 1"): len([*NO_NUMBERS, *ZEROS]),
        }
    assert everything(database) == everything(write_csv(shop, tmp_path))


@pytest.fixture(scope="module")
def random_shop(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    return write_postgres(Shop(), postgres.new_database()), tmp_path_factory.mktemp("shop")


@examples(2)
@given(shop=shops(), as_of=AS_OFS, excluded=EXCLUDED)
def test_random_shops_are_the_same_in_both(
    random_shop: tuple[str, Path], shop: Shop, as_of: datetime | None, excluded: tuple[str, ...]
) -> None:
    database, folder = random_shop
    execute(database, *(f"drop table {table}" for table in COLUMNS))
    write_postgres(shop, database)
    assert everything(database, as_of, excluded) == everything(write_csv(shop, folder), as_of, excluded)


@examples(2)
@given(
    shop=shops(own=True),
    as_of=AS_OFS,
    excluded=EXCLUDED,
    declared=of_declared(),
    day=days(),
    time_zone=st.sampled_from(ZONES),
    seed=st.integers(0, 2**32),
)
def test_any_features_over_any_fields_are_those_of_the_fold(
    random_shop: tuple[str, Path],
    shop: Shop,
    as_of: datetime | None,
    excluded: tuple[str, ...],
    declared: tuple[Feature, ...],
    day: date,
    time_zone: str,
    seed: int,
) -> None:
    """As tests/property/test_sql_fold.py has it for files."""
    database, _ = random_shop
    execute(database, *(f"drop table {table}" for table in COLUMNS))
    write_postgres(shop, database)
    reading = Reading(features=declared, statuses=bool(excluded), time_zone=time_zone)
    with open_warehouse(database, reading=reading) as warehouse:
        facts = [recorded(fact, reading.fields) for fact in warehouse.events(as_of=as_of)]
        rows = warehouse.features(as_of, excluded, declared, day=day).to_pylist()
    by_sql = {row.pop("user_id"): row for row in rows}
    shuffled = random.Random(seed).sample(facts * 2, len(facts) * 2)
    rules = Rules(exclude_statuses=frozenset(excluded), features=declared, time_zone=time_zone)
    by_fold = from_fold(shuffled, rules, day)
    assert by_fold == {user_id: row for user_id, row in by_sql.items() if user_id in by_fold}
    assert all(set(by_sql[user_id].values()) <= {None} for user_id in by_sql.keys() - by_fold.keys())


@pytest.mark.wide
def test_thelook_is_the_same_in_both(database: str) -> None:
    folder = Path(segue.__file__).parent / "data" / "thelook"
    types = {
        "int64": "bigint",
        "string": "varchar(200)",
        "double": "double precision",
        "timestamp[us, tz=UTC]": "timestamptz",
    }
    with psycopg.connect(database) as connection, connection.cursor() as cursor:
        for table in COLUMNS:
            rows = pq.read_table(folder / f"{table}.parquet")
            declared = ", ".join(f"{column.name} {types[str(column.type)]}" for column in rows.schema)
            cursor.execute(f"create table {table} ({declared})".encode())
            with cursor.copy(f"copy {table} from stdin".encode()) as copy:
                for row in rows.to_pylist():
                    copy.write_row(list(row.values()))
    as_of = datetime(2024, 7, 1, tzinfo=UTC)
    assert everything(database, as_of, ("Cancelled",)) == everything(folder, as_of, ("Cancelled",))


def test_typed_columns_obey_the_rules_of_texts(database: str) -> None:
    shop = (
        Shop()
        .user("1", "1969-12-31 23:59:59.123456", age="25.5", country="Spain  ")
        .user("2", "infinity", age="1")
    )
    shop.user("3", age="NaN").user("4", "0044-03-15 BC").user("5", "10000-01-01", age="1").user(
        "6", age="Infinity"
    )
    shop.order("7", "1", [{"quantity": "3", "sale_price": "1e-300"}], "2024-01-01 01:00:00+01:00")
    write_postgres(shop, database)
    execute(
        database,
        "alter table users alter id type bigint using id::bigint, alter age type double precision using "
        "age::float8, alter created_at type timestamp using created_at::timestamp, alter country type "
        "char(20)",
        "alter table orders alter order_id type smallint using order_id::smallint, "
        "alter user_id type numeric(20, 0) using user_id::numeric, "
        "alter created_at type timestamptz using created_at::timestamptz",
        "alter table order_items alter quantity type numeric using quantity::numeric, "
        "alter sale_price type double precision using sale_price::float8",
    )
    with open_warehouse(database) as warehouse:
        assert warehouse.rejected().counts == {
            ("users", "age is not a number"): 2,
            ("users", "created_at is not a time"): 3,
        }
        signup, order = warehouse.events()
    assert isinstance(signup, Signup)
    assert isinstance(order, Order)
    assert (signup.user_id, signup.age, signup.country) == ("1", 25.5, "Spain")
    assert signup.created_at == datetime(1969, 12, 31, 23, 59, 59, 123456, UTC)
    assert (order.user_id, order.order_id, order.created_at) == ("1", "7", datetime(2024, 1, 1, tzinfo=UTC))
    assert (order.items[0].quantity, order.items[0].price) == (3, 1e-300)


@pytest.mark.parametrize("kind", ["numeric", "numeric(10,2)", "real", "double precision"])
def test_ids_that_may_be_fractions(database: str, kind: str) -> None:
    write_postgres(Shop().user("7"), database)
    execute(database, f"alter table users alter id type {kind} using id::{kind}")
    assert f"column users.id of PostgreSQL database {name(database)}" in refusal(database)
    assert f" is {kind}, but ids are text or whole numbers" in refusal(database)


def test_ids_that_may_be_fractions_are_read_whole_by_a_setting(database: str) -> None:
    write_postgres(Shop().user("7").user("NaN").order("1.0", "7"), database)
    execute(
        database,
        "alter table users alter id type double precision using id::float8",
        "alter table orders alter user_id type numeric(10,2) using user_id::numeric",
        "alter table order_items alter order_id type bytea using convert_to('1', 'UTF8')",
    )
    with open_warehouse(database, reading=Reading(whole_ids=True)) as warehouse:
        assert [row["total_orders"] for row in warehouse.features().to_pylist()] == [1]
        assert warehouse.rejected().counts == {("users", "user_id is missing"): 1}
    execute(database, "insert into users (id) values (7.5)")
    with pytest.raises(BadWarehouse, match=r"1 of 3 ids are no whole numbers up to 2\^53, for example 7\.5"):
        open_warehouse(database, reading=Reading(whole_ids=True))


def test_a_row_that_lies_ahead_is_left_out(database: str) -> None:
    shop = Shop().user("7", "2024-06-02 00:00:00.000001").order("1", "7", created_at="2024-06-02")
    write_postgres(shop, database)
    with open_warehouse(database, reading=Reading(latest=datetime(2024, 6, 2, tzinfo=UTC))) as warehouse:
        assert warehouse.rejected().counts == {
            ("users", "created_at is ahead of now by more than max_ahead"): 1
        }
        assert warehouse.features()["total_orders"].to_pylist() == [1]


def test_an_excluded_status_that_no_order_has_is_said(database: str) -> None:
    write_postgres(Shop().user("7").order("1", "7", status="cancelled").order("2", "7"), database)
    with open_warehouse(database, reading=Reading(statuses=True)) as warehouse:
        (note,) = warehouse.notes(None, ("Cancelled", "Complete"))
        assert note.endswith(
            'the status "Cancelled" of exclude_statuses: orders have "cancelled", "Complete"'
        )


def test_a_float_s_text_is_no_id(database: str) -> None:
    write_postgres(Shop().user("7").order("1", "7.0"), database)
    assert "user_id of PostgreSQL database" in refusal(database)
    assert '1 of 1 ids are whole numbers written as floats, for example "7.0"' in refusal(database)


def test_bytes_and_domains_and_enumerations_become_text(database: str) -> None:
    write_postgres(Shop().user("7", gender="F", country="España", age="30").order("1", "7"), database)
    execute(
        database,
        "create type sex as enum ('F', 'M')",
        "create domain land as bytea",
        "create domain years as numeric(5, 2)",
        "create domain age as years",
        "alter table users alter gender type sex using gender::sex, alter age type age using age::age, "
        "alter country type land using convert_to(country, 'UTF8')",
    )
    assert features_by_user(database)["7"]["country"] == "España"
    assert (features_by_user(database)["7"]["gender"], features_by_user(database)["7"]["age"]) == ("F", 30)
    execute(database, r"update users set country = '\xf1'")
    assert "column users.country of PostgreSQL" in refusal(database)
    assert "is bytes that are not all UTF-8" in refusal(database)
    reads_gender = Reading(features=(Feature("gender", "attribute", "gender"),))
    with open_warehouse(database, reading=reads_gender) as warehouse:
        assert warehouse.features()["country"].to_pylist() == [None]


@pytest.mark.parametrize(
    "kind", ["text[]", "json", "jsonb", "int4range", "interval", "money", "point", "orders"]
)
def test_a_type_that_is_no_text_names_its_column(database: str, kind: str) -> None:
    write_postgres(Shop().user("7"), database)
    execute(database, f"alter table users drop country, add country {kind}")
    assert f"column users.country of PostgreSQL database {name(database)}" in refusal(database)
    assert f"is {kind}, which is no text, number or time" in refusal(database)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("char(8)", "Spain", "Spain"),
        ("uuid", "A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("boolean", "true", "true"),
        ("numeric", "7.50", "7.50"),
        ("date", "2024-01-31", "2024-01-31"),
    ],
)
def test_a_type_that_has_a_text(database: str, kind: str, value: str, text: str) -> None:
    write_postgres(Shop().user("7", country=value), database)
    execute(database, f"alter table users alter country type {kind} using country::{kind}")
    assert features_by_user(database)["7"]["country"] == text


def name(url: str) -> str:
    return url.partition("@/")[2].partition("?")[0]


def test_a_missing_table_and_a_missing_column(database: str) -> None:
    shop = Shop().user("u").order("1", "u")
    write_postgres(shop, database, without={"users": ("traffic_source",)})
    assert "has no column traffic_source: it has id, age, gender, country, created_at" in refusal(database)
    execute(database, "drop table order_items", "alter table users add traffic_source text")
    assert "has no table order_items on its search path: make a table or a view of that name" in refusal(
        database
    )


def test_no_users(database: str) -> None:
    assert "has no rows" in refusal(write_postgres(Shop(), database))


def test_tables_of_another_schema_are_found_on_the_search_path(database: str) -> None:
    write_postgres(Shop().user("u"), database)
    execute(database, "create schema shop", *(f"alter table {table} set schema shop" for table in COLUMNS))
    assert "or add &options=-csearch_path%3D… to the URL" in refusal(database)
    other = f"{database}&options=-cjit%3Doff"
    assert "or add %20-csearch_path%3D… to the end of options in the URL" in refusal(other)
    assert set(features_by_user(f"{other}%20-csearch_path%3Dshop")) == {"u"}
    assert set(features_by_user(f"{database}&options=-csearch_path%3Dshop")) == {"u"}


NAMES = Names(
    {"users": "crm.customers", "orders": '"Sales"', "inventory_items": "inventory"},
    {
        "users": {"user_id": "Customer No", "created_at": "registered"},
        "orders": {"order_id": "no", "user_id": "customer_no"},
        "order_items": {"order_id": "sale", "inventory_item_id": "sku"},
        "inventory_items": {"id": "sku", "product_brand": "maker"},
    },
)


def test_another_shop_s_names_tell_the_same(database: str, postgres: Postgres, tmp_path: Path) -> None:
    shop = Shop().user("7", age="30", country="Spain").user("x", age="old").order("1", "7", ["a/b", "A/b"])
    plain = everything(write_csv(shop, tmp_path))
    assert everything(write_postgres(shop, database)) == plain
    execute(database, *renaming(NAMES))
    assert everything(database, names=NAMES) == plain
    duck = renamed(write_duckdb(shop, tmp_path / "shop.duckdb"), NAMES)
    assert everything(duck, names=NAMES) == plain


def test_a_table_that_the_settings_name_is_not_there(database: str) -> None:
    write_postgres(Shop().user("u"), database)
    execute(database, *renaming(NAMES))
    with pytest.raises(BadWarehouse) as caught:
        open_warehouse(database, Names({"users": "crm.custmers"}))
    assert (
        "has no table crm.custmers (setting tables.users) on its search path: did you mean crm.customers? "
        "Else make" in str(caught.value)
    )


def test_quoted_names_and_views(database: str) -> None:
    write_postgres(Shop().user("u", country="Spain"), database)
    execute(
        database,
        'alter table users rename country to "Country"',
        "alter table users rename to people",
        "create view users as select * from people",
    )
    assert features_by_user(database)["u"]["country"] == "Spain"


def test_a_table_that_may_not_be_read(database: str) -> None:
    write_postgres(Shop().user("u"), database)
    role = f"reader_of_{name(database)}"
    execute(database, f"create role {role} login")
    assert "permission denied for table users" in refusal(database.replace("segue@", f"{role}@"))


def test_a_database_in_another_encoding(postgres: Postgres) -> None:
    url = postgres.new_database("encoding latin1 locale_provider libc locale 'C' template template0")
    assert "is in LATIN1: Segue reads databases in UTF8" in refusal(url)


def test_a_refused_connection_tells_the_place_and_no_secret() -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        port = nobody_listens.getsockname()[1]
        message = refusal(f"postgresql://me:s3cret@127.0.0.1:{port}/shop")
    assert message.startswith(f"PostgreSQL database shop at 127.0.0.1:{port} does not answer: ")
    assert "s3cret" not in message


def test_no_message_holds_the_password(database: str) -> None:
    secret = "s3cret"
    assert secret not in refusal("postgresql://me:s3cret@127.0.0.1:port/shop")
    with_password = database.replace("segue@", f"nobody:{secret}@")
    message = refusal(with_password)
    assert 'role "nobody" does not exist' in message
    assert secret not in message
    write_postgres(Shop().user("u"), database)
    with open_warehouse(database.replace("segue@", f"segue:{secret}@")) as warehouse:
        assert secret not in warehouse.name
        assert secret not in warehouse.feature_query()


def test_rows_come_as_they_are_asked_for(database: str) -> None:
    """25,000 users, and other queries while the events are read."""
    write_postgres(Shop(), database)
    execute(
        database,
        "insert into users select lpad(n::text, 5, '0'), null, null, null, null, null from "
        "generate_series(1, 25000) n",
    )
    with open_warehouse(database) as warehouse:
        events = warehouse.events()
        assert [event.user_id for event in islice(events, 2)] == ["00001", "00002"]
        assert warehouse.counts().users == 25_000
        assert sum(1 for _ in events) == 24_998


def test_all_queries_see_the_rows_of_one_moment(database: str) -> None:
    write_postgres(Shop().user("u"), database)
    with open_warehouse(database) as warehouse:
        execute(database, "insert into users (id) values ('v')")
        assert warehouse.features()["user_id"].to_pylist() == ["u"]
        assert warehouse.counts().users == 1
    assert set(features_by_user(database)) == {"u", "v"}


def test_the_query_says_how_to_run_it_again(database: str) -> None:
    write_postgres(Shop().user("7", "2024-01-31 12:00:00+02", age="30").order("1", "7"), database)
    execute(database, "alter table users alter created_at type timestamptz using created_at::timestamptz")
    with open_warehouse(database) as warehouse:
        query = warehouse.feature_query()
        rows = [tuple(row.values()) for row in warehouse.features().to_pylist()]
    first, *session = query.splitlines()[:5]
    assert first == (
        "-- The query is in the dialect of PostgreSQL; these statements come first in its session:"
    )
    assert "The query is in DuckDB's dialect" not in query
    assert execute(database, *(line.removeprefix("-- ") for line in session), query) == rows
    assert execute(database, query) != rows


def test_nothing_is_written(database: str) -> None:
    write_postgres(Shop().user("u"), database)
    execute(database, "create sequence numbers")
    with open_warehouse(database) as warehouse, pytest.raises(BadWarehouse, match="read-only transaction"):
        list(warehouse._source.rows("select nextval('numbers')"))


def test_a_connection_that_is_lost_on_the_way(database: str) -> None:
    write_postgres(Shop().user("u"), database)
    with open_warehouse(database) as warehouse:
        execute(
            database,
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()",
        )
        with pytest.raises(BadWarehouse, match=r"PostgreSQL database .* cannot be read: "):
            warehouse.features()
