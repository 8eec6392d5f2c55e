"""Bad events and good ones through a real worker; then each bad one's dead letter, and each good user."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from random import Random

from confluent_kafka import Producer

from schemas.events import Event, Order, Signup
from schemas.partition import librdkafka_name
from segue.services import LocalKafka, LocalRedis
from tests.bad_events import BadRecord
from tests.chaos.customers import records as customers
from tests.deployment import Deployment, trained
from tests.fuzz.hostile import hostile
from tests.fuzz.spellings import spelled
from tests.verify import expected_users, read_topic

_THELOOK = Path(str(files("segue"))) / "data" / "thelook"
_LONGEST_REASON = 2_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was checked."""

    bad: int
    good: int
    users: int
    kinds: Counter[str]


def run(seed: int, events: int) -> Verdict:
    """Send so many bad events, and as many good ones between them.

    Raises:
        AssertionError: a bad one is no dead letter, a good one is, or a user is not what the good ones say.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="segue-fuzz-")))
        kafka = stack.enter_context(LocalKafka())
        store = stack.enter_context(LocalRedis())
        deployment = Deployment(kafka.bootstrap, store.url, "fuzz-", folder)
        release = deployment.publish(trained(_THELOOK, folder))
        stack.callback(deployment.close)
        worker = deployment.worker().ready()
        kinds: Counter[str] = Counter()
        sent: dict[tuple[str, bytes | None, bytes | None], int] = Counter()
        facts: dict[str, list[Event]] = defaultdict(list)
        topics = deployment.topics
        producer = _producer(kafka.bootstrap)
        for record in _mixed(seed, events):
            if isinstance(record, BadRecord):
                kinds[record.kind] += 1
                topic = topics.signups if record.topic == "signups" else topics.orders
                key, value = record.key, record.value
                sent[topic, key, value] += 1
            else:
                event, value = record
                facts[event.user_id].append(event)
                topic, key = (
                    topics.orders if isinstance(event, Order) else topics.signups,
                    event.user_id.encode(),
                )
            _send(producer, topic, key, value)
        assert producer.flush(120) == 0
        deployment.caught_up(900)
        assert worker.process.poll() is None, "the worker ended"
        worker.ready()
        _check_letters(deployment, sent)
        right = expected_users(facts, release)
        outcome = deployment.verified(right, facts.keys() - right)
    return Verdict(sum(sent.values()), sum(map(len, facts.values())), outcome.users, kinds)


def _mixed(seed: int, events: int) -> Iterator[BadRecord | tuple[Signup | Order, bytes]]:
    random = Random(f"{seed} fuzz")
    good = (
        event for event in customers(Random(f"{seed} good"), 2 * events) if isinstance(event, Signup | Order)
    )
    for _ in range(events):
        yield hostile(random)
        event = next(good)
        yield event, spelled(event, random)


def _producer(bootstrap: str) -> Producer:
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "partitioner": librdkafka_name("murmur2"),
            "enable.idempotence": True,
            "message.max.bytes": 5_000_000,
            "log_level": 0,
        }
    )


def _send(producer: Producer, topic: str, key: bytes | None, value: bytes | None) -> None:
    while True:
        try:
            producer.produce(topic, value, key)
            break
        except BufferError:
            producer.poll(0.1)
    producer.poll(0)


def _check_letters(deployment: Deployment, sent: dict[tuple[str, bytes | None, bytes | None], int]) -> None:
    """Each bad record once, as it came, with a reason for people."""
    left = Counter(sent)
    for letter in read_topic(deployment.bootstrap, deployment.topics.dead_letters):
        headers = dict(letter.headers() or [])
        reason = headers["segue_reason"].decode()
        assert reason.strip(), letter.value()
        assert "\n" not in reason, reason
        assert "Traceback" not in reason, reason
        assert len(reason) < _LONGEST_REASON, reason
        at = headers["segue_topic"].decode(), letter.key(), letter.value()
        assert left[at], f"a dead letter that nobody sent, or a good event: {reason}: {letter.value()!r:.300}"
        left[at] -= 1
    lost = +left
    assert not lost, f"{lost.total()} bad events are no dead letters, the first: {next(iter(lost))!r:.300}"
