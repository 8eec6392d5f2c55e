"""Offsets with gaps: producers that write in transactions, aborted ones and deleted records among them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.input_events import Event, Item, Order, Signup
from schemas.inputs.decode import encode_order, encode_signup
from schemas.partitioner import librdkafka_name
from segue.services import KafkaService, RedisService
from tests.support.checks.check_promises import Outcome, expected_users
from tests.support.servers.deployment import Deployment, WorkerProcess, deployed
from tests.support.servers.services import HANG_S, end_of, eventually
from tests.support.worlds.trained_shops import a_trained_folder

pytestmark = pytest.mark.long

START = datetime(2024, 12, 1, tzinfo=UTC)


@pytest.fixture
def deployment(
    kafka: KafkaService, redis_server: RedisService, topic_prefix: str, tmp_path: Path
) -> Iterator[Deployment]:
    with deployed(
        Deployment(kafka.bootstrap, redis_server.url, topic_prefix, tmp_path, partitions=1)
    ) as running:
        yield running


def user(number: int) -> list[Event]:
    """A signup and an order of one user."""
    at = START + timedelta(minutes=number)
    item = Item(brand="Carhartt", category="Jeans", quantity=number % 3 + 1)
    return [
        Signup(str(number), at, age=20 + number % 50, gender="F", country="China", traffic_source="Search"),
        Order(str(number), f"{number}-1", at, (item,)),
    ]


def send(deployment: Deployment, producer: Producer, events: Sequence[Event], *, commit: bool) -> None:
    """One transaction of these events."""
    producer.begin_transaction()
    for event in events:
        is_order = isinstance(event, Order)
        key, value = encode_order(event) if isinstance(event, Order) else encode_signup(event)
        producer.produce(deployment.topics.orders if is_order else deployment.topics.signups, value, key)
    producer.flush(HANG_S)
    if commit:
        producer.commit_transaction(HANG_S)
    else:
        producer.abort_transaction(HANG_S)


def producer_of(deployment: Deployment) -> Producer:
    producer = Producer(
        {
            "bootstrap.servers": deployment.bootstrap,
            "transactional.id": f"{deployment.prefix}shop",
            "partitioner": librdkafka_name("murmur2"),
        }
    )
    producer.init_transactions(HANG_S)
    return producer


def all_right(deployment: Deployment, users: range, release: Path) -> Outcome:
    """Wait until every user is what its events say; a high watermark does not tell, behind markers."""
    right = expected_users({str(number): user(number) for number in users}, release)

    return eventually(lambda: deployment.verified(right), "every user is right", every_s=1)


def test_no_event_is_lost_at_a_gap_and_none_is_applied_that_was_aborted(
    deployment: Deployment, tmp_path: Path
) -> None:
    """At the head of a partition, in its middle, at its end; also where another worker goes on."""
    release = deployment.publish(a_trained_folder(tmp_path))
    worker = deployment.worker().ready()
    producer = producer_of(deployment)
    send(deployment, producer, user(9_999), commit=False)
    for number in range(20):
        send(deployment, producer, user(number), commit=True)
        send(deployment, producer, user(8_000 + number), commit=False)
    assert all_right(deployment, range(20), release).users == 20
    assert worker.stop() == 0
    for number in range(20, 30):
        send(deployment, producer, user(number), commit=True)
    send(deployment, producer, user(9_998), commit=False)
    worker = deployment.worker().ready()
    assert all_right(deployment, range(30), release).users == 30
    # What was applied is deleted, up to where the worker stands: the log begins in a gap.
    admin = AdminClient({"bootstrap.servers": deployment.bootstrap})
    applied = worker.get("/status")[1]["lanes"][0]["positions"]
    wanted = [TopicPartition(topic, 0, offset) for topic, offset in applied.items()]
    for done in admin.delete_records(wanted, request_timeout=HANG_S).values():
        done.result(HANG_S)
    worker.kill()
    for number in range(30, 40):
        send(deployment, producer, user(number), commit=True)
    worker = deployment.worker()
    assert all_right(deployment, range(40), release).users == 40
    # As by retention: every record goes, and the log begins behind the last transaction's mark.
    send(deployment, producer, user(9_997), commit=False)
    ends = eventually(lambda: stands_at_the_ends(deployment, worker), "the place is beyond the marks")
    for done in admin.delete_records(
        [TopicPartition(topic, 0, end) for topic, end in ends.items()], request_timeout=HANG_S
    ).values():
        done.result(HANG_S)
    worker.kill()
    worker = deployment.worker().ready()
    for number in range(40, 45):
        send(deployment, producer, user(number), commit=True)
    assert all_right(deployment, range(45), release).users == 45


def stands_at_the_ends(deployment: Deployment, worker: WorkerProcess) -> dict[str, int]:
    """The inputs' ends, once the lane has come to them."""
    consumer = Consumer({"bootstrap.servers": deployment.bootstrap, "group.id": "ends"})
    try:
        ends = {topic: end_of(consumer, topic, 0) for topic in deployment.topics.inputs}
    finally:
        consumer.close()
    stands = worker.get("/status")[1]["lanes"][0]["positions"]
    assert stands == ends
    return ends
