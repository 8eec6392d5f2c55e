"""Send bad and good events through a real worker; then check each dead letter and each user."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from random import Random

from confluent_kafka import Producer

from schemas.input_events import Event, Order
from schemas.partitioner import librdkafka_name
from segue.services import LocalKafka, LocalRedis
from tests.campaigns.chaos.customers import records as customers
from tests.campaigns.chaos.log import histories
from tests.campaigns.fuzz.hostile import every_kind, hostiles
from tests.campaigns.fuzz.spellings import spelled
from tests.campaigns.fuzz.strange import disguised
from tests.support.checks.chains import check_chains
from tests.support.checks.check_dead_letters import Sent, check_letters
from tests.support.checks.check_promises import Outcome, expected_users
from tests.support.checks.pipelines import pipeline_of
from tests.support.inputs.bad_events import BadRecord
from tests.support.servers.deployment import Deployment, trained

_THELOOK = Path(str(files("segue"))) / "data" / "thelook"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The amounts that were checked."""

    bad: int
    good: int
    users: int
    kinds: Counter[str]


def run(seed: int, events: int) -> Verdict:
    """Send so many bad events, and as many good events between them; check the results.

    Raises:
        AssertionError: a bad event has no dead letter, a good event has one, or a user is wrong.
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
        sent: Counter[Sent] = Counter()
        facts: dict[str, list[Event]] = defaultdict(list)
        written: dict[bytes, Event] = {}
        topics = deployment.topics
        producer = _producer(kafka.bootstrap)
        for record in _mixed(seed, events):
            if isinstance(record, BadRecord):
                kinds[record.kind] += 1
                topic = topics.signups if record.topic == "signups" else topics.orders
                key, value = record.key, record.value
                sent[topic, -1, key, value] += 1
            else:
                event, value = record
                facts[event.user_id].append(event)
                written[value] = event
                topic = topics.orders if isinstance(event, Order) else topics.signups
                key = event.user_id.encode()
            _send(producer, topic, key, value)
        assert producer.flush(120) == 0
        check_kinds(seed, kinds)
        deployment.caught_up()
        assert worker.process.poll() is None, "the worker ended"
        worker.ready()
        check_letters(kafka.bootstrap, topics.dead_letters, sent)
        outcome = _check_users(deployment, release, facts, written)
    return Verdict(sent.total(), sum(map(len, facts.values())), outcome.users, kinds)


def _mixed(seed: int, events: int) -> Iterator[BadRecord | tuple[Event, bytes]]:
    random = Random(f"{seed} fuzz")
    bad = hostiles(Random(f"{seed} bad"))
    good = (
        disguised(event)
        for event in customers(Random(f"{seed} good"), 2 * events)
        if not isinstance(event, BadRecord)
    )
    for _ in range(events):
        yield next(bad)
        event = next(good)
        yield event, spelled(event, random)


def check_kinds(seed: int, kinds: Counter[str]) -> None:
    """Check that every kind of bad record was sent, unless there were fewer records than kinds."""
    every = every_kind(Random(f"{seed} bad"))
    missing = {record.kind for record in every} - kinds.keys()
    assert kinds.total() < len(every) or not missing, f"never sent: {sorted(missing)}"


def _check_users(
    deployment: Deployment, release: Path, facts: Mapping[str, list[Event]], written: Mapping[bytes, Event]
) -> Outcome:
    """Check each user's final state, and each change."""
    right = expected_users(facts, release)
    outcome = deployment.verified(right, facts.keys() - right.keys())
    ((activation, _),) = deployment.activations()
    explained = check_chains(histories(deployment, written), [(activation, pipeline_of(release))])
    assert explained == outcome.changes, f"{outcome.changes} changes are told, {explained} of them explained"
    return outcome


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
