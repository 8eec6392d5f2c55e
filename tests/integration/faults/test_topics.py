"""A whole worker whose topics are deleted, made anew, or given more partitions."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
import redis
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions

from schemas.errors import BadEvent
from schemas.input_events import Event, Order
from schemas.inputs.decode import decode_order, decode_signup
from streamer.kafka.topics_admin import create_topics
from tests.campaigns.chaos.customers import records
from tests.support.checks.check_promises import Outcome, expected_users
from tests.support.checks.read_records import read_topic
from tests.support.inputs.bad_events import BadRecord
from tests.support.servers.deployment import Deployment
from tests.support.servers.services import HANG_S, end_of, eventually
from tests.support.workers.at_work import USERS, AtWork, at_work

pytestmark = pytest.mark.long

ADDED = 2  # partitions


@pytest.fixture
def busy(deployment: Deployment, release: Path) -> Iterator[AtWork]:
    with at_work(deployment, release, count=1_500) as working:
        yield working


def delete(deployment: Deployment, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": deployment.bootstrap})
    admin.delete_topics([topic], request_timeout=HANG_S)[topic].result(HANG_S)


def make_anew(deployment: Deployment, topic: str) -> None:
    """As soon as the broker lets it."""
    delete(deployment, topic)
    client = {"bootstrap.servers": deployment.bootstrap}
    eventually(
        lambda: topic in create_topics(client, deployment.topics, deployment.partitions), f"made {topic}"
    )


def events_of(seed: int, count: int, *, orders: bool) -> Iterator[Event | BadRecord]:
    """Only what goes to one of the two inputs."""
    for record in records(Random(seed), count, USERS):
        on_orders = record.topic == "orders" if isinstance(record, BadRecord) else isinstance(record, Order)
        if on_orders is orders:
            yield record


def becomes_right(busy: AtWork, *, letters_again: bool = False) -> Outcome:
    """Places do not tell when: an offset in the old topic may lie beyond the end of the new one."""
    for feed in busy.feeds:
        feed.finish()
    return eventually(
        lambda: busy.every_user_is_right(letters_again=letters_again), "every user is right", every_s=1
    )


def test_an_input_made_anew_is_decided_from_its_offset_0(busy: AtWork) -> None:
    """Offsets in the new topic begin below those that the lanes have reached; the other input goes on."""
    busy.ends_right()
    topic = busy.deployment.topics.orders
    busy.send(events_of(8, 2_000, orders=False), 100)
    make_anew(busy.deployment, topic)
    busy.send(records(Random(9), 800, USERS), 200)
    becomes_right(busy)
    busy.is_well()
    waited = [line["reason"] for line in busy.log_lines("lane.phase") if line["phase"] == "waiting"]
    assert len(waited) >= busy.deployment.partitions
    # Whichever is noticed first: another id, no topic, or no such offset in the new one.
    noticed = (f"topic {topic} ", "the log cannot be read at the lane's offset: ")
    assert all(reason.startswith(noticed) for reason in waited), waited
    for message in read_topic(busy.deployment.bootstrap, topic):
        assert message.offset() < 800
    assert set(ends_of(busy.deployment, topic)) == set(places(busy.deployment, topic))


@pytest.mark.wide
def test_both_inputs_made_anew_and_longer_than_before_when_the_worker_looks_again(busy: AtWork) -> None:
    """It sleeps meanwhile, so that every offset at which a lane stands is there, in another topic.

    It decides the records that it reads before it looks at the topic's id, and again from offset 0 on. No
    change is emitted twice, since the state is the same by then, but a bad event among them has two dead
    letters.
    """
    busy.ends_right()
    with busy.fault(busy.worker.pause, busy.worker.resume):
        for topic in busy.deployment.topics.inputs:
            make_anew(busy.deployment, topic)
        busy.send(records(Random(9), 3_000, USERS), 10_000).finish()
        for topic in busy.deployment.topics.inputs:
            longer = zip(ends_of(busy.deployment, topic), places(busy.deployment, topic), strict=True)
            assert all(end > stands for end, stands in longer)
    becomes_right(busy, letters_again=True)
    busy.is_well()


@pytest.mark.parametrize(
    "which",
    ["users", *(pytest.param(name, marks=pytest.mark.wide) for name in ("changes", "dead_letters"))],
)
def test_an_output_made_anew(busy: AtWork, which: str) -> None:
    """The records of the deleted topic are lost; states and decisions stay in Redis, and events go on."""
    busy.ends_right()
    make_anew(busy.deployment, getattr(busy.deployment.topics, which))
    busy.send(records(Random(9), 800, USERS), 200)
    for feed in busy.feeds:
        feed.finish()
    busy.deployment.caught_up()
    right = expected_users(busy.facts(), busy.release)
    assert segments(busy.deployment, right) == {
        user_id: (user.segment, user.provisional) for user_id, user in right.items()
    }
    assert read_topic(busy.deployment.bootstrap, getattr(busy.deployment.topics, which))
    busy.is_well()


def segments(deployment: Deployment, user_ids: Iterable[str]) -> dict[str, tuple[int, bool]]:
    """Segment and provisional, by user, as anybody reads them in Redis."""
    with redis.Redis.from_url(deployment.redis_url, socket_timeout=60) as client:
        rows = {
            user_id: client.hmget(f"{deployment.redis_prefix}user:{user_id}", ["segment", "provisional"])
            for user_id in user_ids
        }
    return {user_id: (int(segment), provisional == b"1") for user_id, (segment, provisional) in rows.items()}


def test_an_input_that_is_gone_ends_the_worker_with_a_sentence_and_the_next_one_makes_it_anew(
    busy: AtWork,
) -> None:
    busy.ends_right()
    topic = busy.deployment.topics.orders
    delete(busy.deployment, topic)
    assert busy.worker.process.wait(HANG_S) == 6
    assert f"topic {topic} does not exist: `segue worker`" in last_words(busy)
    busy.worker = busy.deployment.worker().ready()
    busy.send(records(Random(9), 800, USERS), 200)
    becomes_right(busy)
    busy.is_well()


def test_partitions_added_to_one_input_end_the_worker_and_no_event_is_half_applied(busy: AtWork) -> None:
    topic = busy.deployment.topics.orders
    add_partitions(busy.deployment, topic)
    assert busy.worker.process.wait(HANG_S) == 6
    words = last_words(busy)
    assert f"topic {topic} " in words
    assert "begin again with new topics" in words
    assert "docs/rebuilding.md" in words
    what_was_taken_is_right(busy)
    refused = busy.deployment.worker()
    assert refused.process.wait(HANG_S) == 6
    assert f"{topic} has {busy.deployment.partitions + ADDED}" in refused.log()
    assert "Traceback" not in refused.log()
    what_was_taken_is_right(busy)


def test_partitions_added_to_every_topic_of_the_lanes(busy: AtWork) -> None:
    for topic in busy.deployment.topics.laned:
        add_partitions(busy.deployment, topic)
    assert busy.worker.process.wait(HANG_S) == 6
    assert "docs/rebuilding.md" in last_words(busy)
    what_was_taken_is_right(busy)
    refused = busy.deployment.worker()
    assert refused.process.wait(HANG_S) == 7
    assert (
        f"the inputs have {busy.deployment.partitions + ADDED} partitions, but the states in Redis were "
        "made with"
    ) in refused.log()
    what_was_taken_is_right(busy)


def add_partitions(deployment: Deployment, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": deployment.bootstrap})
    admin.create_partitions([NewPartitions(topic, deployment.partitions + ADDED)], request_timeout=HANG_S)[
        topic
    ].result(HANG_S)


def last_words(busy: AtWork) -> str:
    """Why it ended, in its last line."""
    assert "Traceback" not in busy.worker.log()
    last = json.loads(busy.worker.log().splitlines()[-1])
    assert last["event"] == "worker.failed", last
    return str(last["error"])


def what_was_taken_is_right(busy: AtWork) -> None:
    """Redis and Kafka agree how far the lanes came, and every user is what the events up to there say."""
    deployment = busy.deployment
    ends: dict[tuple[str, int], int] = {}
    for topic in deployment.topics.inputs:
        told = places(deployment, topic)
        assert told == committed(deployment, topic)
        ends |= {(topic, p): end for p, end in enumerate(told)}
    facts, bad = events_below(deployment, ends)
    assert len(read_topic(deployment.bootstrap, deployment.topics.dead_letters)) == bad
    right = expected_users(facts, busy.release)
    outcome = deployment.verified(right, facts.keys() - right.keys())
    assert outcome.users > 10


def events_below(
    deployment: Deployment, ends: dict[tuple[str, int], int]
) -> tuple[dict[str, list[Event]], int]:
    """By user, what the inputs hold below these offsets; and how many bad records."""
    facts: dict[str, list[Event]] = defaultdict(list)
    bad = 0
    for topic in deployment.topics.inputs:
        decode = decode_signup if topic == deployment.topics.signups else decode_order
        for message in read_topic(deployment.bootstrap, topic):
            if message.offset() >= ends.get((topic, message.partition()), 0):
                continue
            at = datetime.fromtimestamp(message.timestamp()[1] / 1_000, UTC)
            try:
                event = decode(message.key(), message.value(), at)
            except BadEvent:
                bad += 1
            else:
                facts[event.user_id].append(event)
    return facts, bad


def places(deployment: Deployment, topic: str) -> list[int]:
    """How far Redis has come in a topic, by lane."""
    with redis.Redis.from_url(deployment.redis_url, socket_timeout=60) as client:
        stored = [client.get(f"{deployment.redis_prefix}place:{p}") for p in deployment.lanes]
    return [json.loads(place.partition(b" ")[2])["positions"][topic] for place in stored if place is not None]


def committed(deployment: Deployment, topic: str) -> list[int]:
    """How far the group has come in a topic, by lane."""
    consumer = Consumer(
        {"bootstrap.servers": deployment.bootstrap, "group.id": deployment.environment["SEGUE_GROUP"]}
    )
    try:
        asked = [TopicPartition(topic, p) for p in deployment.lanes]
        return [max(0, at.offset) for at in consumer.committed(asked, 30)]
    finally:
        consumer.close()


def ends_of(deployment: Deployment, topic: str) -> list[int]:
    consumer = Consumer({"bootstrap.servers": deployment.bootstrap, "group.id": "ends"})
    try:
        return [end_of(consumer, topic, p) for p in deployment.lanes]
    finally:
        consumer.close()
