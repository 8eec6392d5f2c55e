"""One campaign: changes at a pace, faults among them, and the judgement at the end."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.outputs.wire import encode_change
from schemas.topics import Topics, topic_configs
from segue.services.local.local_kafka import LocalKafka
from segue.services.local.local_redis import LocalRedis
from segue.services.process.ports import free_ports
from tests.campaigns.chaos.gremlin import Gremlin
from tests.campaigns.triggers.actors import FILE, ReceiverProcess, Sender, faults
from tests.campaigns.triggers.judge import check, check_retry, decided, differing, lines, read_ledger
from tests.campaigns.triggers.moves import Expected, moves
from tests.support.checks.whole_ledger import WholeLedger
from tests.support.servers.segue_process import clean_environment
from tests.support.servers.services import eventually

PARTITIONS = 4
_SECONDS_A_FAULT = 4.0
_END_S = 1_800.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a campaign."""

    counts: Counter[str]
    faults: Counter[str]
    seconds: float


def run(seed: int, changes: int, count: int, say: Say) -> Verdict:
    """Run a campaign and check it.

    Args:
        seed: decides changes and faults.
        changes: how many changes.
        count: how many faults.
        say: shows how far it has come.

    Raises:
        AssertionError: a promise is broken.
    """
    began_s = time.monotonic()
    topics, expected, rng = Topics(), Expected(), Random(seed)
    with tempfile.TemporaryDirectory() as name, LocalKafka() as kafka, LocalRedis() as store:
        folder = Path(name)
        _make_topics(kafka.bootstrap, topics)
        receiver = ReceiverProcess(free_ports(1)[0], folder)
        environment = {
            "SEGUE_KAFKA": kafka.bootstrap,
            "SEGUE_REDIS": store.url,
            "SEGUE_SESSION_TIMEOUT_MS": "6000",
        }
        (folder / "triggers.toml").write_text(FILE.format(url=receiver.url))
        senders = [Sender(number, folder, environment) for number in range(2)]
        try:
            gremlin = Gremlin(faults(kafka, store, senders, receiver, rng), count, (0.5, 3.0), rng, say)
            feed = threading.Thread(
                target=_feed,
                args=(kafka.bootstrap, topics.changes, seed, changes, count, expected),
                name="feed",
            )
            feed.start()
            gremlin.start()
            while gremlin.active or feed.is_alive():
                time.sleep(0.5)
                for sender in senders:
                    # A sender that is just being killed or started again is not running for a moment.
                    assert sender.running or gremlin.active, sender.printed
            assert gremlin.failure is None, gremlin.failure
            say(f"all {expected.changes:,} changes are written and all faults done")
            _wait(kafka.bootstrap, topics, expected.changes, say)
            for sender in senders:
                code = sender.end()
                assert code == 0, f"a sender ended with {code}: {sender.printed}"
            found, places = read_ledger(kafka.bootstrap, topics)
            counts = check(expected, found, places, lines(receiver.received))
            _check_copy(senders[0], found, store.url)
            _retry(folder, environment, receiver, expected)
            return Verdict(counts, gremlin.done, time.monotonic() - began_s)
        finally:
            for sender in senders:
                if sender.running:
                    sender.kill()
            receiver.kill()


def _feed(bootstrap: str, topic: str, seed: int, count: int, faults_count: int, expected: Expected) -> None:
    """Write the changes, as long as the faults take."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 20,
            "message.timeout.ms": 600_000,
            "log_level": 0,
        }
    )
    pace = count / max(faults_count * _SECONDS_A_FAULT, 1.0)
    began_s = time.monotonic()
    for number, change in enumerate(moves(seed, count, max(count // 50, 5), expected)):
        while True:
            try:
                producer.produce(topic, encode_change(change), change.user_id.encode())
                break
            except BufferError:
                producer.poll(0.1)
        if number % 100 == 0:
            producer.poll(0)
            time.sleep(max(0.0, began_s + number / pace - time.monotonic()))
    left = producer.flush(600)
    assert left == 0, f"{left} changes were not written"


def _wait(bootstrap: str, topics: Topics, changes: int, say: Say) -> None:
    end_s = time.monotonic() + _END_S
    while (done := decided(bootstrap, topics)) < changes:
        assert time.monotonic() < end_s, f"{done:,} of {changes:,} changes are decided"
        say(f"{done:,} of {changes:,} changes are decided")
        time.sleep(5.0)


def _check_copy(sender: Sender, found: WholeLedger, url: str) -> None:
    """Check the copy in Redis after one more start: a fault may have come after the last change."""
    sender.start()
    eventually(lambda: not differing(found, url, PARTITIONS), "Redis has the ledger")
    sender.kill()


def _retry(folder: Path, environment: dict[str, str], receiver: ReceiverProcess, expected: Expected) -> None:
    """Let the receiver take what it refused, and check that the dead letters of living users come."""
    before = set(lines(receiver.received))
    receiver.be("open")
    done = subprocess.run(
        [sys.executable, "-m", "segue", "triggers", "retry", "triggers.toml"],
        cwd=folder,
        env=clean_environment(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    check_retry(expected, set(lines(receiver.received)) - before, done.stderr)


def _make_topics(bootstrap: str, topics: Topics) -> None:
    configs = topic_configs(topics)
    wanted = [NewTopic(name, PARTITIONS, config=configs[name]) for name in (topics.changes, topics.users)]
    admin = AdminClient({"bootstrap.servers": bootstrap})  # its answers need it to stay
    for made in admin.create_topics(wanted).values():
        try:
            made.result(60)
        except KafkaException as error:
            raise AssertionError(str(error)) from error
