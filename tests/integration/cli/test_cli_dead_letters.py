"""`segue dead-letters` on real servers: bad inputs, seen, sent again, and applied where they can be."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
from confluent_kafka import Producer

from schemas.input_events import Signup
from schemas.inputs.decode import encode_signup
from schemas.partitioner import partition_of
from tests.support.checks.read_records import headers_of, key_of, read_topic
from tests.support.servers.deployment import Deployment
from tests.support.servers.services import HANG_S

START = datetime(2024, 5, 1, tzinfo=UTC)
USERS = ("7", "8", "9")


def on_wrong_partitions(deployment: Deployment) -> None:
    """Signups of a producer that put each user one partition too far."""
    producer = Producer({"bootstrap.servers": deployment.bootstrap})
    for user_id in USERS:
        key, value = encode_signup(Signup(user_id, START, age=30))
        wrong = (partition_of(user_id, 3) + 1) % 3
        producer.produce(deployment.topics.signups, value, key, wrong, headers=[("trace", b"t")])
    assert producer.flush(HANG_S) == 0


def letters(deployment: Deployment, *options: str) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for line in deployment.segue("dead-letters", "list", "--json", *options).stdout.splitlines()
    ]


def test_what_came_on_a_wrong_partition_is_sent_again_and_applied(deployment: Deployment) -> None:
    deployment.worker().ready()
    on_wrong_partitions(deployment)
    producer = Producer({"bootstrap.servers": deployment.bootstrap})
    producer.produce(deployment.topics.orders, b"{", b"7")
    assert producer.flush(HANG_S) == 0
    deployment.caught_up()

    found = letters(deployment)
    assert sorted(letter["key"] for letter in found) == ["7", "7", "8", "9"]
    some = letters(deployment, "--topic", "signups", "--max", "2")
    assert [letter["topic"] for letter in some] == [deployment.topics.signups] * 2
    assert "belongs to partition" in deployment.segue("dead-letters", "list").stdout

    moved = ("--reason", "belongs to partition")
    dry = json.loads(deployment.segue("dead-letters", "retry", *moved, "--dry-run", "--json").stdout)
    assert dry == {"dry_run": True, "sent": {deployment.topics.signups: 3}, "older": 0, "not_sent": []}
    assert len(read_topic(deployment.bootstrap, deployment.topics.signups)) == 3

    deployment.segue("dead-letters", "retry", *moved)
    deployment.segue("dead-letters", "retry", *moved)  # twice does no harm
    deployment.caught_up()

    records = read_topic(deployment.bootstrap, deployment.topics.signups)
    retried = [record for record in records if len(headers_of(record)) == 2]
    places = {letter["place"] for letter in found if letter["topic"] == deployment.topics.signups}
    assert {headers_of(record)["segue_retry_of"].decode() for record in retried} == {
        f"{deployment.topics.dead_letters} {place}" for place in places
    }
    for record in retried:
        assert record.partition() == partition_of(key_of(record), 3)
        assert headers_of(record)["trace"] == b"t"
    with redis.Redis.from_url(deployment.redis_url) as store:
        for user_id in USERS:
            assert store.hget(f"{deployment.redis_prefix}user:{user_id}", "sequence") == b"1"
    assert len(letters(deployment)) == 4


@pytest.mark.long
def test_one_that_is_wrong_by_itself_dies_again_and_is_not_sent_twice_over(deployment: Deployment) -> None:
    deployment.worker().ready()
    producer = Producer({"bootstrap.servers": deployment.bootstrap})
    producer.produce(deployment.topics.signups, b"{", b"7")
    assert producer.flush(HANG_S) == 0
    deployment.caught_up()
    (first,) = letters(deployment)

    for died in (2, 3):
        deployment.segue("dead-letters", "retry", "--all")
        deployment.caught_up()
        assert len(letters(deployment)) == died
    newest = letters(deployment)[0]
    assert newest["retry_of"] is not None
    assert newest["retry_of"] != first["place"]

    done = deployment.segue("dead-letters", "retry", "9:9", check=False)
    assert done.returncode == 2
    assert "there is no dead letter at 9:9" in done.stderr
