"""Kafka hangs, dies and comes back while a lane commits and reads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import structlog
from structlog.testing import capture_logs

from schemas.errors import Unreachable
from segue.services import LocalKafka
from streamer.interfaces.lane_errors import InDoubt
from streamer.interfaces.lane_interfaces import OutRecord
from streamer.kafka.kafka_client import Deadlines
from streamer.kafka.kafka_log import KafkaLog
from tests.support.checks.read_records import value_of
from tests.support.servers.services import HANG_S, eventually, start_server
from tests.support.workers.lane_logs import LANE, LaneLogs, read_to

HASTY = Deadlines(request_s=2, fence_s=20, commit_s=2, abort_s=0.5)


@pytest.fixture(scope="module")
def broker() -> Iterator[LocalKafka]:
    with ExitStack() as stack:
        yield start_server(stack, LocalKafka())


@pytest.fixture
def logs(broker: LocalKafka, topic_prefix: str) -> Iterator[LaneLogs]:
    with LaneLogs(broker.bootstrap, topic_prefix) as logs:
        yield logs


def commit_until_trouble(log: KafkaLog, logs: LaneLogs, start: int, trouble: threading.Event) -> int:
    """Number records in one after the other, each with its number as offset; the first in doubt."""
    number = start
    while True:
        record = OutRecord(logs.topics.changes, b"7", str(number).encode(), (), LANE)
        try:
            log.commit([record], {logs.topics.signups: number + 1})
        except InDoubt:
            return number
        number += 1
        trouble.set()


def take_over(log: KafkaLog, logs: LaneLogs) -> int:
    """Fence until the broker answers; the committed offset is the next number."""

    def fenced() -> bool:
        try:
            log.fence()
        except Unreachable:
            return False
        return True

    eventually(fenced)
    return log.committed()[logs.topics.signups].offset


def pause(broker: LocalKafka) -> Callable[[], None]:
    broker.pause()
    return broker.resume


def kill(broker: LocalKafka) -> Callable[[], None]:
    broker.kill()
    return broker.start


@pytest.mark.parametrize("disturb", [pause, pytest.param(kill, marks=pytest.mark.long)])
def test_a_commit_in_doubt_is_whole_or_not_at_all(
    broker: LocalKafka, logs: LaneLogs, disturb: Callable[[LocalKafka], Callable[[], None]]
) -> None:
    log = logs.taken(HASTY)
    number = 0
    for _ in range(2):
        committing = threading.Event()
        doubtful: list[int] = []
        lane = threading.Thread(
            target=lambda start=number, event=committing, told=doubtful: told.append(
                commit_until_trouble(log, logs, start, event)
            )
        )
        lane.start()
        assert committing.wait(HANG_S)
        restore = disturb(broker)
        began = time.monotonic()
        lane.join(HANG_S)
        assert not lane.is_alive()
        # The deadline of a commit, one request that takes its own, and the attempt to abort.
        assert time.monotonic() - began < HASTY.commit_s + HASTY.request_s + HASTY.abort_s + 30
        restore()
        number = take_over(log, logs)
        # Decided once more, or already there: never a third thing.
        assert number in (doubtful[0], doubtful[0] + 1)

    assert [int(value_of(m)) for m in logs.seen(logs.topics.changes)] == list(range(number))


@pytest.mark.long
def test_a_short_outage_delays_a_commit_and_nothing_else(broker: LocalKafka, logs: LaneLogs) -> None:
    log = logs.taken(Deadlines(request_s=3, commit_s=30))
    users = logs.topics.users
    # Nothing of an earlier test may stand between this log and the broker, which has just started again.
    log.commit([OutRecord(users, b"7", b"w", (), LANE)], {})
    broker.pause()
    try:
        done: list[dict[str, int]] = []
        lane = threading.Thread(
            target=lambda: done.append(log.commit([OutRecord(users, b"7", b"x", (), LANE)], {}))
        )
        lane.start()
        lane.join(1)
        assert lane.is_alive()
    finally:
        broker.resume()
    lane.join(HANG_S)
    assert len(done) == 1


def test_letting_go_of_a_log_waits_for_no_broker(broker: LocalKafka, logs: LaneLogs) -> None:
    log = logs.taken(HASTY)
    signups = logs.topics.signups
    log.read_from({signups: 0})
    log.poll(1, 1)
    broker.pause()
    try:
        with pytest.raises(InDoubt):
            log.commit([OutRecord(logs.topics.users, b"7", b"x", (), LANE)], {signups: 1})
        began = time.monotonic()
        log.close()
        assert time.monotonic() - began < 30
    finally:
        broker.resume()


def test_a_lane_that_reads_says_that_kafka_does_not_answer_and_goes_on(
    broker: LocalKafka, logs: LaneLogs
) -> None:
    signups = logs.topics.signups
    log = logs.taken(Deadlines(request_s=3, check_s=0.2, outage_s=60))
    log.read_from({signups: 0})
    read_to(log, {signups: 0})
    structlog.reset_defaults()
    with capture_logs() as lines:
        broker.kill()
        eventually(lambda: bool(log.poll(10, 0.1)) or any(line["log_level"] == "warning" for line in lines))
        broker.start()
        logs.send(signups, b"after")
        assert [r.value for r in eventually(lambda: log.poll(10, 0.5))] == [b"after"]
        eventually(lambda: log.poll(10, 0.1) or any(line["log_level"] == "info" for line in lines))
    said = [line["event"] for line in lines if line["log_level"] != "debug"]
    assert said == ["kafka does not answer", "kafka answers again"]


@pytest.mark.long
def test_a_long_outage_ends_reading(broker: LocalKafka, logs: LaneLogs) -> None:
    signups = logs.topics.signups
    log = logs.taken(Deadlines(request_s=3, check_s=0.2, outage_s=2))
    log.read_from({signups: 0})
    broker.pause()
    try:
        with pytest.raises(Unreachable, match=f"Kafka at {broker.bootstrap} did not answer for 2 s"):
            eventually(lambda: log.poll(10, 0.1) and None)
    finally:
        broker.resume()
