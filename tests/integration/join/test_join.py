"""`segue join` on a real Kafka: from Debezium's records of three tables to the users of a running worker."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.input_events import Event, Item, Order, Signup
from segue.services import KafkaService, RedisService
from tests.support.checks.read_records import headers_of, read_topic
from tests.support.inputs.debezium_tables import EVENTS, Row, ShopTables, Table
from tests.support.servers.deployment import Deployment, deployed
from tests.support.servers.segue_process import SegueProcess
from tests.support.servers.services import HANG_S, eventually
from tests.support.worlds.made_up_release import a_release

START = datetime(2024, 1, 31, 9, 30, tzinfo=UTC)
BRANDS = ("Carhartt", "Levi's", "Ön")
SIGNUPS = {"form": "debezium", "user_id": "id", "country": "country_code"}


@dataclass
class Shop:
    """A shop with Debezium: topics of one and of three partitions, and a worker with two lanes.

    Attributes:
        deployment: where Segue runs.
        tables: what the database has now.
    """

    deployment: Deployment
    tables: ShopTables = field(default_factory=lambda: ShopTables(schemas=True))
    _runs: int = 0

    def __post_init__(self) -> None:
        wanted = [NewTopic(self.topic("orders"), 1), NewTopic(self.topic("items"), 3)]
        admin = AdminClient({"bootstrap.servers": self.deployment.bootstrap})
        for made in admin.create_topics(wanted).values():
            made.result(HANG_S)
        # As Debezium does, keep the order of the rows when a new topic's broker asks to send again.
        self._producer = Producer(
            {"bootstrap.servers": self.deployment.bootstrap, "enable.idempotence": True}
        )

    def topic(self, table: Table) -> str:
        return f"{self.deployment.prefix}shop.public.{table}"

    def write(self, topic: str, number: int, value: bytes | None) -> None:
        self._producer.produce(topic, value, json.dumps({"id": number}))

    def put(self, table: Table, row: Row, at_us: int) -> None:
        self.write(self.topic(table), row["id"], self.tables.put(table, row, at_us))

    def remove(self, table: Table, number: int, at_us: int) -> None:
        self.write(self.topic(table), number, self.tables.remove(table, number, at_us))
        self.write(self.topic(table), number, None)

    def flush(self) -> None:
        assert self._producer.flush(HANG_S) == 0

    def join(self) -> SegueProcess:
        """A `segue join` process."""
        self._runs += 1
        folder = self.deployment.folder / f"join{self._runs}"
        folder.mkdir()
        return SegueProcess(folder, "join", environment=self.deployment.environment)

    def joined(self) -> None:
        """Wait until every row is in its order."""

        def nothing_left() -> bool:
            checks = json.loads(self.deployment.segue("doctor", "--json", check=False).stdout)["checks"]
            check = next(each for each in checks if each["name"] == "join")
            assert "at most 0 rows behind" in check["text"], check
            return True

        eventually(nothing_left, "segue join is at the end", every_s=0.5)


@pytest.fixture
def shop(
    kafka: KafkaService, redis_server: RedisService, topic_prefix: str, tmp_path: Path
) -> Iterator[Shop]:
    topics = {table: f"{topic_prefix}shop.public.{table}" for table in ("orders", "items")}
    settings = {
        "SEGUE_EVENTS": json.dumps(EVENTS | {"signups": SIGNUPS}),
        "SEGUE_JOIN": json.dumps(topics),
        "SEGUE_REKEY": "true",
        "SEGUE_EXCLUDE_STATUSES": "Deleted",
        "SEGUE_MAX_BATCH": "20",
    }
    running = Deployment(
        kafka.bootstrap, redis_server.url, topic_prefix, tmp_path, partitions=2, settings=settings
    )
    with deployed(running):
        running.announce(a_release(exclude_statuses=("Deleted",)))
        yield Shop(running)


def users_of(deployment: Deployment) -> dict[str, Any]:
    lines = [json.loads(line) for line in deployment.segue("user", "--all", "--json").stdout.splitlines()]
    return {user["user_id"]: {name: user[name] for name in ("segment", "features")} for user in lines}


def change(shop: Shop, random: Random, number: int) -> None:
    """Change the tables once, as a shop does: each change has a time of its own or that of the last one."""
    at_us = 1_706_693_400_000_000 + number // 3
    order = 1 + random.randrange(40)
    what = random.random()
    if what < 0.15 and order in shop.tables.orders:
        shop.remove("orders", order, at_us)
    elif what < 0.3 and shop.tables.items:
        shop.remove("items", random.choice(sorted(shop.tables.items)), at_us)
    elif what < 0.55:
        placed_at = 1_706_000_000_000_000 + order * 1_000_000
        row = {"id": order, "customer_id": random.randrange(12), "placed_at": placed_at, "state": "paid"}
        shop.put("orders", row, at_us)
    else:  # a line that is there already moves to another order
        price = f"{random.randrange(10_000)}.{random.randrange(10, 99)}"
        row = {"id": random.randrange(90), "order_id": order, "maker": random.choice(BRANDS), "price": price}
        shop.put("items", row, at_us)


def events_of(tables: ShopTables) -> Iterator[Event]:
    """Return the same facts in Segue's own form."""
    for number in range(12):
        yield Signup(str(number), START, age=20 + number, country="DE")
    for number, row in tables.orders.items():
        placed_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=row["placed_at"])
        items = tuple(Item(line["maker"]) for line in tables.lines_of(number))
        if items:
            yield Order(str(row["customer_id"]), str(number), placed_at, items, "paid")


@pytest.mark.long
def test_rows_of_three_tables_give_the_users_of_the_same_events(shop: Shop) -> None:
    random, deployment = Random(11), shop.deployment
    for number in range(12):
        user = {"id": number, "age": 20 + number, "country_code": "DE"}
        record = {"op": "c", "after": user, "source": {"ts_us": int(START.timestamp()) * 1_000_000}}
        shop.write(deployment.topics.signups, number, json.dumps(record).encode())
    for number in range(400):
        change(shop, random, number)
    shop.flush()
    deployment.worker().ready()
    with shop.join() as first:
        first.says("Live: ")
        for number in range(400, 800):
            change(shop, random, number)
        shop.flush()
        first.terminate(signal.SIGKILL)
    with shop.join() as second, shop.join() as third:
        for number in range(800, 1_000):
            change(shop, random, number)
        shop.flush()
        shop.joined()
        for each in (second, third):
            each.terminate(signal.SIGINT)
            assert each.ends() == 0
            assert "dead letters." in each.out + each.err
            assert "Stopped." in each.err
    deployment.caught_up()
    letters = read_topic(deployment.bootstrap, deployment.topics.dead_letters)
    assert [headers_of(letter)["segue_reason"] for letter in letters] == []

    # The same facts in Segue's own form, through a worker of their own.
    own = replace(
        deployment,
        prefix=f"{deployment.prefix}own-",
        settings={"SEGUE_EXCLUDE_STATUSES": "Deleted"},
        _workers=[],
    )
    with deployed(own):
        own.announce(a_release(exclude_statuses=("Deleted",)))
        own.worker().ready()
        own.send(events_of(shop.tables))
        own.caught_up()
        assert users_of(deployment) == users_of(own)


def test_a_row_that_cannot_be_read_is_a_dead_letter(shop: Shop) -> None:
    with shop.join() as process:
        shop.write(shop.topic("items"), 1, b"no JSON")
        lost = {"op": "d", "before": {"id": 2, "order_id": 0}, "source": {"ts_us": 1}}
        shop.write(shop.topic("items"), 2, json.dumps(lost).encode())
        shop.flush()
        topic = shop.deployment.topics.dead_letters
        letters = eventually(
            lambda: found if len(found := read_topic(shop.deployment.bootstrap, topic)) == 2 else None,
            f"both are dead letters; {process.err}",
        )
    reasons = sorted(headers_of(letter)["segue_reason"].decode() for letter in letters)
    assert reasons[0].startswith("before.order_id: 0 is no order: set REPLICA IDENTITY FULL")
    assert reasons[1].startswith("the value is not valid JSON")
    assert {headers_of(letter)["segue_topic"].decode() for letter in letters} == {shop.topic("items")}
    retried = shop.deployment.segue("dead-letters", "retry", "--all", check=False)
    assert "it came from" in retried.stderr


def test_a_missing_topic_is_said_in_one_sentence(shop: Shop) -> None:
    wrong = json.dumps({"orders": shop.topic("orders"), "items": "shop.nothing"})
    shop.deployment.settings = {**shop.deployment.settings, "SEGUE_JOIN": wrong}
    done = shop.deployment.segue("join", check=False)
    assert done.returncode == 6
    said = "topic shop.nothing does not exist: Debezium makes it with the first row of its table, or correct"
    assert f"{said} items under [join] in segue.toml" in done.stderr
    assert "missing: shop.nothing" in shop.deployment.segue("doctor", check=False).stdout
