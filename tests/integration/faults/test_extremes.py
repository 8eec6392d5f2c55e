"""A whole worker at the limits of size, and on a machine whose clock goes backwards."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from confluent_kafka import Producer

from schemas.input_events import Event, Item, Order, Signup
from schemas.inputs.decode import encode_order, encode_signup
from schemas.partitioner import librdkafka_name
from tests.campaigns.chaos.customers import records
from tests.support.checks.check_promises import Expected, Outcome, expected_users
from tests.support.checks.read_records import headers_of, read_topic, value_of
from tests.support.inputs.bad_events import BadRecord
from tests.support.servers.deployment import Deployment, WorkerProcess
from tests.support.servers.services import HANG_S, eventually
from tests.support.workers import backwards_worker
from trainer.release.release_folder import load_release

pytestmark = pytest.mark.long

AT = datetime(2024, 12, 1, tzinfo=UTC)
MOST_BYTES = 1_000_000
LONG = 1_024
LONG_ID = 256


@pytest.fixture
def deployment(deployment: Deployment, release: Path) -> Deployment:
    """With a release that is in use."""
    deployment.announce(load_release(release))
    return deployment


def checked(deployment: Deployment, right: dict[str, Expected], gone: Sequence[str] = ()) -> Outcome:
    deployment.caught_up()
    return deployment.verified(right, gone)


def send(
    deployment: Deployment, sent: Sequence[tuple[str, bytes | None, bytes | None, datetime | None]]
) -> None:
    """Topic, key, value, and the record's time where it is not now; one after the other."""
    producer = Producer(
        {
            "bootstrap.servers": deployment.bootstrap,
            "partitioner": librdkafka_name("murmur2"),
            "message.max.bytes": 5_000_000,
            "enable.idempotence": True,
        }
    )
    for topic, key, value, at in sent:
        when: dict[str, Any] = {} if at is None else {"timestamp": int(at.timestamp() * 1_000)}
        producer.produce(topic, value, key, **when)
    assert producer.flush(HANG_S) == 0


def padded(fields: dict[str, Any], size: int) -> bytes:
    """These fields, and one that nobody reads, in exactly so many bytes."""
    bare = json.dumps({**fields, "note": ""}).encode()
    value = json.dumps({**fields, "note": "x" * (size - len(bare))}).encode()
    assert len(value) == size
    return value


def test_a_value_of_a_million_bytes_is_applied_and_one_byte_more_is_a_dead_letter(
    deployment: Deployment, release: Path
) -> None:
    topics = deployment.topics
    told = {"created_at": "2024-12-01T00:00:00Z"}
    profile = {"age": 31, "gender": "F", "country": "China", "traffic_source": "Search"}
    order = {"order_id": "1", "items": [{"brand": "Carhartt", "category": "Jeans"}]}
    worker = deployment.worker().ready()
    over = padded({"user_id": "7", **told, **profile, "age": 60}, MOST_BYTES + 1)
    over_order = padded({"user_id": "7", **told, **order, "order_id": "2"}, MOST_BYTES + 1)
    send(
        deployment,
        [
            (topics.signups, b"7", padded({"user_id": "7", **told, **profile}, MOST_BYTES), None),
            (topics.orders, b"7", padded({"user_id": "7", **told, **order}, MOST_BYTES), None),
            (topics.signups, b"7", over, None),
            (topics.orders, b"7", over_order, None),
            (topics.signups, b"8", json.dumps({"user_id": "8", **told, **profile}).encode(), None),
        ],
    )
    whole = Signup("7", AT, 31, "F", "China", "Search")
    facts: dict[str, list[Event]] = {
        "7": [whole, Order("7", "1", AT, (Item("Carhartt", "Jeans"),))],
        "8": [replace_user(whole, "8")],
    }
    assert checked(deployment, expected_users(facts, release)).users == 2
    letters = read_topic(deployment.bootstrap, topics.dead_letters)
    assert sorted(value_of(letter) for letter in letters) == sorted([over, over_order])
    for letter in letters:
        reason = headers_of(letter)["segue_reason"].decode()
        assert reason == "the value has 1,000,001 bytes, more than 1,000,000"
    assert worker.get("/readyz")[0] == 200


def replace_user(signup: Signup, user_id: str) -> Signup:
    return Signup(
        user_id, signup.created_at, signup.age, signup.gender, signup.country, signup.traffic_source
    )


def long_text(name: str, size: int) -> str:
    """A text of so many bytes, some of them in characters of two bytes."""
    text = name + "é" * ((size - len(name)) // 2)
    text += "x" * (size - len(text.encode()))
    assert len(text.encode()) == size
    return text


def large_user(number: int) -> list[Event]:
    """Every text and id as long as it may be, and an order of a thousand items, of nearly a million bytes."""
    user_id = long_text(f"user {number} ", LONG_ID)
    country, source = long_text("country ", LONG), long_text("source ", LONG)
    signup = Signup(user_id, AT, 20 + number, long_text("gender ", LONG), country, source, user_id)
    longest = Item(long_text("brand ", LONG), long_text("category ", LONG), user_id, 9.5, 2)
    many = (longest,) * 250 + (Item("Carhartt", "Jeans", str(number), 19.99, 1),) * 750
    order = Order(
        user_id,
        long_text(f"order {number} ", LONG_ID),
        AT,
        many,
        status=long_text("status ", LONG),
        event_id=long_text("event ", LONG_ID),
    )
    assert len(encode_order(order)[1]) < MOST_BYTES
    small = Order(user_id, "small", AT + timedelta(days=1), (longest, longest))
    return [signup, order, small]


def test_users_whose_every_field_is_as_large_as_it_may_be(deployment: Deployment, release: Path) -> None:
    """Their changes name each other as similar, so that these are large, too."""
    facts = {of_user[0].user_id: of_user for of_user in map(large_user, range(12))}
    worker = deployment.worker().ready()
    encoded = [
        (deployment.topics.orders, *encode_order(event), None)
        if isinstance(event, Order)
        else (deployment.topics.signups, *encode_signup(event), None)
        for of_user in facts.values()
        for event in of_user
    ]
    send(deployment, encoded)
    outcome = checked(deployment, expected_users(facts, release))
    assert outcome.users == 12
    assert read_topic(deployment.bootstrap, deployment.topics.dead_letters) == []
    changes = [json.loads(value_of(m)) for m in read_topic(deployment.bootstrap, deployment.topics.changes)]
    last = changes[-1]
    assert len(last["features"]["country"].encode()) == LONG
    assert len(last["user_id"].encode()) == LONG_ID
    assert all(len(near["user_id"].encode()) == LONG_ID for near in last["similar_users"])
    assert worker.get("/readyz")[0] == 200
    # Whoever takes the lanes over reads all of that again.
    worker.kill()
    deployment.worker().ready()
    assert checked(deployment, expected_users(facts, release)) == outcome


class BackwardsWorker(WorkerProcess):
    """A worker on a machine whose clock goes backwards."""

    def __init__(self, deployment: Deployment) -> None:
        self.log_file = deployment.folder / "backwards-worker.log"
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(backwards_worker.__file__)), "worker"],
                env={**deployment.environment, "SEGUE_WEB_PORT": "0", "SEGUE_LOG_FORMAT": "json"},
                cwd=deployment.folder,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )


@pytest.mark.wide
def test_clocks_that_go_backwards(deployment: Deployment, release: Path) -> None:
    """The worker's, the events' own times, and those of their records, by which nothing is decided."""
    drawn = [record for record in records(Random(7), 2_000, 200) if not isinstance(record, BadRecord)]
    events = sorted(drawn, key=lambda event: event.at, reverse=True)
    facts: dict[str, list[Event]] = {}
    for event in events:
        facts.setdefault(event.user_id, []).append(event)
    right = expected_users(facts, release)
    topics = deployment.topics
    worker = BackwardsWorker(deployment).ready()
    try:
        for begin in range(0, len(events), 200):
            sent = []
            for number, event in enumerate(events[begin : begin + 200], begin):
                topic = topics.orders if isinstance(event, Order) else topics.signups
                key, value = encode_order(event) if isinstance(event, Order) else encode_signup(event)
                sent.append((topic, key, value, datetime.now(UTC) - timedelta(seconds=number)))
            send(deployment, sent)
            # One part after the other, so that the clock goes back in between.
            deployment.caught_up()
        outcome = checked(deployment, right, [*(facts.keys() - right.keys())])
        assert outcome.users > 100
        eventually(lambda: worker.get("/readyz")[0] == 200, "ready")
        assert "Traceback" not in worker.log()
        told = [json.loads(value_of(m)) for m in read_topic(deployment.bootstrap, topics.changes)]
        emitted = [(change["cause"]["partition"], change["emitted_at"]) for change in told]
        back = [
            earlier
            for earlier, later in pairwise(emitted)
            if earlier[0] == later[0] and earlier[1] > later[1]
        ]
        assert len(back) >= deployment.partitions, "the clock did not go backwards"
        assert worker.stop() == 0
    finally:
        worker.kill()
