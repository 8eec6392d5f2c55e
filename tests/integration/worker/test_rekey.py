"""Re-keying on real servers: producers without keys, workers that are killed, and the operator's commands."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from confluent_kafka import Producer

from schemas.input_events import Event, Item, Order, Signup, UserErased
from schemas.inputs.decode import encode_order, encode_signup
from segue.services import KafkaService, RedisService
from tests.support.checks.check_promises import Outcome, expected_users, verify
from tests.support.checks.read_records import headers_of, read_topic
from tests.support.servers.deployment import Deployment, deployed
from tests.support.servers.services import HANG_S, eventually
from tests.support.workers.work_left import paused_in_the_middle, work_left
from tests.support.worlds.trained_shops import a_trained_folder

pytestmark = pytest.mark.long

START = datetime(2024, 12, 1, tzinfo=UTC)
PARTITIONS = 3


@pytest.fixture
def deployment(
    kafka: KafkaService, redis_server: RedisService, topic_prefix: str, tmp_path: Path
) -> Iterator[Deployment]:
    running = Deployment(
        kafka.bootstrap,
        redis_server.url,
        topic_prefix,
        tmp_path,
        partitions=PARTITIONS,
        settings={"SEGUE_REKEY": "true", "SEGUE_MAX_BATCH": "5"},  # small, so that a part takes many
    )
    with deployed(running):
        yield running


def user(number: int) -> list[Event]:
    """A signup and two orders of one user; each tenth is erased between the two, and begins anew."""
    at = START + timedelta(minutes=number)
    first, second = (
        Order(str(number), f"{number}-{which}", at + timedelta(days=which), (Item("Carhartt", "Jeans"),))
        for which in (0, 2)
    )
    signup = Signup(
        str(number), at, age=20 + number % 50, gender="F", country="China", traffic_source="Search"
    )
    erased = [UserErased(str(number), at + timedelta(days=1))] if number % 10 == 0 else []
    return [signup, first, *erased, second]


def send_anyhow(deployment: Deployment, events: Sequence[Event], random: Random) -> None:
    """As a producer does that knows of no user: any partition, and a key that is none's, or no key."""
    producer = Producer({"bootstrap.servers": deployment.bootstrap, "linger.ms": 5})
    for event in events:
        is_order = isinstance(event, Order)
        _, value = encode_order(event) if isinstance(event, Order) else encode_signup(event)
        producer.produce(
            deployment.topics.orders if is_order else deployment.topics.signups,
            value,
            random.choice([None, b"session"]),
            random.randrange(PARTITIONS),
        )
    assert producer.flush(HANG_S) == 0


def all_right(deployment: Deployment, facts: Mapping[str, Sequence[Event]], release: Path) -> Outcome:
    """Wait for the last event, also of those handed over: every user is what its events say."""
    deployment.caught_up()
    return deployment.verified(expected_users(facts, release))


def lags_of(deployment: Deployment) -> set[str]:
    checks = json.loads(deployment.segue("doctor", "--json", check=False).stdout)["checks"]
    return {check["text"] for check in checks if check["name"].startswith("lane ")}


def told(deployment: Deployment, *arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(deployment.segue(*arguments, "--json").stdout)
    return found


def test_every_event_reaches_its_users_lane_once_whatever_dies(
    deployment: Deployment, tmp_path: Path
) -> None:
    release = deployment.publish(a_trained_folder(tmp_path))
    random = Random(7)
    facts: dict[str, list[Event]] = {}
    worker = deployment.worker().ready()
    for part in range(2):
        of_part = {str(number): user(number) for number in range(100 * part, 100 * part + 100)}
        events = [event for told_of in of_part.values() for event in told_of]
        worker.pause()
        before = work_left(deployment)
        send_anyhow(deployment, events, random)
        facts |= of_part
        paused_in_the_middle(worker, deployment, before, len(events))
        worker.kill()
        worker = deployment.worker().ready()
    assert all_right(deployment, facts, release).users == 200
    eventually(
        lambda: lags_of(deployment) == {"no event behind"}, "the markers after the last events are passed"
    )

    assert read_topic(deployment.bootstrap, deployment.topics.dead_letters) == []
    moved = read_topic(deployment.bootstrap, deployment.topics.rekeyed)
    origins = [headers_of(message)["segue_rekeyed_from"] for message in moved]
    # About two in three of 620 lie on another partition; nothing but lost offsets makes a second copy.
    assert len(set(origins)) == len(origins) > 330
    whole = told(deployment, "verify")
    assert (whole["users"], whole["differing"]) == (200, [])
    again = told(deployment, "replay")
    assert (again["events"], again["users"]) == (620, 200)
    assert [one for one in again["differing"] if one["live_segment"] != one["replayed_segment"]] == []

    assert told(deployment, "replay", "--from-offsets", "0:0:0:0")["users"] < 200
    short = deployment.segue("replay", "--from-offsets", "0:0:0", check=False)
    assert short.returncode == 2
    assert f"{deployment.topics.rekeyed}: after the lane, give the next offset" in short.stderr

    into = f"{deployment.redis_prefix}2:"
    assert told(deployment, "rebuild", "--into", into)["users"] == 200
    deployment.segue("rebuild", "--into", into, "--switch")
    folded = told(deployment, "verify")
    assert (folded["users"], folded["differing"], folded["lanes_without_place"]) == (200, [], [])
    assert worker.get("/readyz")[0] == 200


def test_turned_on_later(deployment: Deployment, tmp_path: Path) -> None:
    """The states are made anew, and what was a dead letter until then is sent again."""
    before = replace(deployment, settings={}, _workers=[])
    release = before.publish(a_trained_folder(tmp_path))
    facts = {str(number): user(number) for number in range(1, 10)}
    worker = before.worker().ready()
    send_anyhow(before, [event for of_user in facts.values() for event in of_user], Random(7))

    def all_dead() -> bool:
        return len(read_topic(before.bootstrap, before.topics.dead_letters)) == 27

    eventually(all_dead, "every event is a dead letter")
    worker.stop()

    refused = deployment.worker()
    assert refused.process.wait(HANG_S) == 7
    assert "setting rekey is true, but the states in Redis were made with false" in refused.log()
    into = f"{deployment.redis_prefix}2:"
    deployment.segue("rebuild", "--into", into)
    folder = tmp_path / "moved"  # each deployment finds its workers' ports in their logs
    folder.mkdir()
    settings = {**deployment.settings, "SEGUE_REDIS_PREFIX": into}
    moved = replace(deployment, settings=settings, folder=folder, _workers=[])
    with deployed(moved):
        moved.worker().ready()
        moved.segue("dead-letters", "retry", "--reason", "key the record by its user id")
        right = expected_users(facts, release)
        eventually(
            lambda: verify(moved.bootstrap, moved.topics, moved.redis_url, into, right),
            "every user is right",
            every_s=1,
        )
