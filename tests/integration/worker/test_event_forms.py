"""Every form's samples through a running worker give the users of the same events in Segue's own form."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from schemas.input_events import Signup
from segue.services import KafkaService, RedisService
from tests.support.checks.read_records import headers_of, read_topic
from tests.support.inputs.event_samples import EVENTS, FEATURES, PASSED_OVER, SAMPLES, Sample, settings_of
from tests.support.servers.deployment import Deployment, deployed
from tests.support.servers.fake_registry import fake_registry, framed
from tests.support.servers.services import HANG_S, eventually
from tests.support.worlds.made_up_release import a_release

PARTITIONS = 2
EXAMPLES = sorted({sample.example for sample in SAMPLES})
DECLARED = {each.name: {"kind": each.kind, "source": each.source} for each in FEATURES[7:]}
Record = tuple[str, bytes | None, bytes | None]


def a_deployment(
    kafka: KafkaService, redis: RedisService, prefix: str, folder: Path, **settings: str
) -> Deployment:
    shared = {"SEGUE_REKEY": "true", "SEGUE_DECLARE": json.dumps(DECLARED)}
    return Deployment(
        kafka.bootstrap, redis.url, prefix, folder, partitions=PARTITIONS, settings=shared | settings
    )


def send(deployment: Deployment, records: Sequence[Record]) -> None:
    """Send records with their keys, in turn to the partitions, as producers do that know no user."""
    producer = Producer({"bootstrap.servers": deployment.bootstrap})
    for number, (topic, key, value) in enumerate(records):
        producer.produce(f"{deployment.prefix}{topic}", value, key, number % deployment.partitions)
    assert producer.flush(HANG_S) == 0


def users_of(deployment: Deployment) -> dict[str, Any]:
    """Return what Redis holds of each user, without what depends on the order of the events."""
    lines = [json.loads(line) for line in deployment.segue("user", "--all", "--json").stdout.splitlines()]
    fields = ("segment", "features", "provisional", "missing", "components")
    return {user["user_id"]: {name: user[name] for name in fields} for user in lines}


def reasons(deployment: Deployment) -> list[str]:
    letters = read_topic(deployment.bootstrap, deployment.topics.dead_letters)
    return [headers_of(letter)["segue_reason"].decode() for letter in letters]


@pytest.fixture(scope="module")
def right(
    kafka: KafkaService, redis_server: RedisService, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """The users after all events in Segue's own form, through a worker of their own."""
    folder = tmp_path_factory.mktemp("own")
    with deployed(a_deployment(kafka, redis_server, "forms-own-", folder)) as own:
        own.announce(a_release())
        own.worker().ready()
        send(own, [(sample.topic, None, sample.own) for sample in EVENTS])
        own.caught_up()
        assert reasons(own) == []
        yield users_of(own)


def of_example(samples: list[Sample], example: str) -> list[Sample]:
    return [sample for sample in samples if sample.example == example]


def users_in(samples: list[Sample]) -> set[str]:
    """Return the users who live on: those whom no sample erases."""
    events = [json.loads(sample.own) for sample in samples if sample.own is not None]
    users = {str(event["user_id"]) for event in events}
    return users - {str(event["user_id"]) for event in events if event.get("type") == "user.erased"}


@pytest.mark.long
@pytest.mark.parametrize("example", EXAMPLES)
def test_a_worker_reads_every_sample_of_a_form(
    example: str,
    right: dict[str, Any],
    kafka: KafkaService,
    redis_server: RedisService,
    topic_prefix: str,
    tmp_path: Path,
) -> None:
    events = json.dumps(settings_of(example)["events"])
    with deployed(a_deployment(kafka, redis_server, topic_prefix, tmp_path, SEGUE_EVENTS=events)) as shop:
        shop.announce(a_release())
        worker = shop.worker().ready()
        samples = of_example(SAMPLES, example)
        send(shop, [(sample.topic, sample.key, sample.value) for sample in samples])
        shop.caught_up()
        assert reasons(shop) == []
        assert users_of(shop) == {user: right[user] for user in users_in(samples)}
        assert ('"lane.passed_over"' in worker.log()) == bool(of_example(PASSED_OVER, example))
        # The commands that read the log read it in the same form; under another form they refuse the states.
        assert "0 differences" in shop.segue("verify").stderr
        shop.settings = {**shop.settings, "SEGUE_EVENTS": ""}
        refused = shop.segue("verify", check=False)
        assert refused.returncode == 7
        assert "setting events has changed since the states were made" in refused.stderr
        assert "rebuild" in refused.stderr


START = datetime(2024, 2, 1, tzinfo=UTC)


def a_shopify_order(number: int, customer: str | None, brand: str) -> bytes:
    lines = [{"vendor": brand, "product_type": "Jeans", "price": "69.50", "quantity": 2}]
    order = {"id": number, "created_at": "2024-02-01T12:00:00-05:00", "financial_status": "paid"}
    return json.dumps(order | {"customer": customer and {"id": customer}, "line_items": lines}).encode()


@pytest.mark.long
def test_all_commands_that_read_the_log_read_a_topic_by_its_mapping(
    kafka: KafkaService, redis_server: RedisService, topic_prefix: str, tmp_path: Path
) -> None:
    mapping = settings_of("Shopify")["events"]["orders"]
    mapping = mapping | {"item": mapping["item"] | {"category": "product_type"}}
    events = json.dumps({"orders": mapping})
    with deployed(a_deployment(kafka, redis_server, topic_prefix, tmp_path, SEGUE_EVENTS=events)) as shop:
        shop.announce(a_release())
        shop.worker().ready()
        shop.send(
            Signup(f"u{n}", START, age=20 + n, gender="FM"[n % 2], country="Spain", traffic_source="Email")
            for n in range(30)
        )
        orders: list[Record] = [
            ("orders", str(number).encode(), a_shopify_order(number, f"u{number % 30}", "Carhartt"))
            for number in range(60)
        ]
        send(shop, [*orders, ("orders", b"60", a_shopify_order(60, None, "Carhartt"))])
        # By its record's time of 2020, this order's own time is far ahead.
        producer = Producer({"bootstrap.servers": shop.bootstrap})
        late = a_shopify_order(61, "u7", "Ön")
        producer.produce(shop.topics.orders, late, b"61", timestamp=1_600_000_000_000)
        assert producer.flush(HANG_S) == 0
        shop.caught_up()

        nobody = "customer.id: is missing"
        ahead, refused = sorted(reasons(shop))
        assert ahead.startswith("created_at: 2024-02-01T17:00:00Z is more than 1 day ahead of the record's")
        assert refused == nobody
        user = json.loads(shop.segue("user", "u7", "--json").stdout)
        assert user["features"]["total_orders"] == 2

        # Sent again, the record has a new time, and the order counts; an order of nobody stays refused.
        shop.segue("dead-letters", "retry", "--all")
        shop.caught_up()
        assert sorted(reasons(shop)) == [ahead, nobody, nobody]
        user = json.loads(shop.segue("user", "u7", "--json").stdout)
        assert user["features"]["total_orders"] == 3
        live = users_of(shop)
        assert len(live) == 30
        assert {card["features"]["most_frequent_category"] for card in live.values()} == {"Jeans"}

        assert "0 differences" in shop.segue("verify").stderr
        replayed = json.loads(shop.segue("replay", "--json").stdout)
        assert (replayed["users"], replayed["events"]) == (30, 30 + 61)
        assert all(each["live_segment"] == each["replayed_segment"] for each in replayed["differing"])

        into = f"{shop.redis_prefix}2:"
        done = json.loads(shop.segue("rebuild", "--into", into, "--json").stdout)
        assert done["users"] == 30
        rebuilt = replace(shop, settings={**shop.settings, "SEGUE_REDIS_PREFIX": into}, _workers=[])
        assert users_of(rebuilt) == live
        assert "0 differences" in rebuilt.segue("verify").stderr


@pytest.mark.long
def test_events_wait_for_a_registry_that_is_away(
    right: dict[str, Any], kafka: KafkaService, redis_server: RedisService, topic_prefix: str, tmp_path: Path
) -> None:
    example = "CloudEvents"
    events = json.dumps(settings_of(example)["events"])
    with (
        fake_registry({5: ("JSON", "{}")}, login="segue:secret") as registry,
        deployed(
            a_deployment(
                kafka,
                redis_server,
                topic_prefix,
                tmp_path,
                SEGUE_EVENTS=events,
                SEGUE_SCHEMA_REGISTRY=registry.url,
                SEGUE_SCHEMA_REGISTRY_OPTIONS='{"basic.auth.user.info": "segue:secret"}',
            )
        ) as shop,
    ):
        registry.answers = 503
        shop.announce(a_release())
        worker = shop.worker().ready()
        samples = of_example(EVENTS, example)
        send(shop, [(sample.topic, None, framed(5, sample.value or b"")) for sample in samples])
        eventually(lambda: "answers with 503" in worker.log(), "a lane waits for the registry")
        assert users_of(shop) == {}
        registry.answers = None
        shop.caught_up()
        assert reasons(shop) == []
        assert users_of(shop) == {user: right[user] for user in users_in(samples)}
        registry.answers = 503
        assert shop.segue("verify", check=False).returncode == 5
