"""From tables to changes, on a real Kafka and a real Redis, against an independent recomputation."""

import json
import os
import signal
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from schemas.input_events import Event
from segue.services import KafkaService, RedisService
from tests.support.checks.check_promises import Outcome, expected_users
from tests.support.checks.read_records import headers_of, read_topic
from tests.support.inputs.bad_events import BAD_RECORDS
from tests.support.servers.deployment import Deployment, WorkerProcess, deployed, trained
from tests.support.servers.services import HANG_S, eventually
from tests.support.workers.work_left import work_left
from trainer.warehouse import open_warehouse

AS_OF = datetime(2024, 12, 1, tzinfo=UTC)
THELOOK = Path(str(files("segue"))) / "data" / "thelook"
# A worker with such is in the middle of its events for seconds, and of a batch at almost any moment.
SMALL_BATCHES = {"SEGUE_MAX_BATCH": "20"}
TWO_PROCESSES = {"SEGUE_PROCESSES": "2"}
REFUSED = ("another producer has taken this lane", "the place in Redis is not the one that")


@pytest.fixture(scope="module")
def events() -> list[Event]:
    with open_warehouse(str(THELOOK)) as warehouse:
        return list(warehouse.events())


@pytest.fixture(scope="module")
def some_events(events: list[Event]) -> list[Event]:
    """The first quarter of the history: enough for a fault in the middle."""
    return events[: len(events) // 4]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(THELOOK, tmp_path_factory.mktemp("releases"))


@pytest.fixture
def deployment(
    kafka: KafkaService, redis_server: RedisService, topic_prefix: str, tmp_path: Path
) -> Iterator[Deployment]:
    with deployed(Deployment(kafka.bootstrap, redis_server.url, topic_prefix, tmp_path)) as running:
        yield running


def by_user(events: list[Event]) -> dict[str, list[Event]]:
    facts: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        facts[event.user_id].append(event)
    return dict(facts)


def check(deployment: Deployment, events: list[Event], release: Path) -> Outcome:
    """Every user's final state, recomputed, against what Kafka and Redis say."""
    deployment.caught_up()
    return deployment.verified(expected_users(by_user(events), release))


def applied(worker: WorkerProcess) -> int:
    """How many events a worker says that it has applied."""
    status = worker.get("/status")[1]
    return 0 if status is None else sum(lane["events"] for lane in status["lanes"])


def shared(worker: WorkerProcess) -> dict[int, int]:
    """How many live lanes each process of a worker has."""
    status = worker.get("/status")[1] or {"lanes": []}
    return dict(Counter(lane["process"] for lane in status["lanes"] if lane["phase"] == "live"))


def told(worker: WorkerProcess) -> list[dict[str, Any]]:
    """The worker's log."""
    return [json.loads(line) for line in worker.log().splitlines()]


def logged(worker: WorkerProcess, event: str) -> set[int]:
    """The numbers of the processes that logged this, or of which it was logged."""
    return {line["process"] for line in told(worker) if line["event"] == event}


def process_ids(worker: WorkerProcess) -> dict[int, int]:
    """The process ids of both processes of a worker, by their numbers."""
    eventually(lambda: logged(worker, "process.started") == {1, 2}, "both processes are started")
    return {line["process"]: line["pid"] for line in told(worker) if line["event"] == "process.started"}


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def refusals(log: str) -> list[dict[str, Any]]:
    """Where a lane says that another has taken it: Kafka refused its transaction, or Redis its save."""
    told = [json.loads(line) for line in log.splitlines() if '"lane.phase"' in line]
    return [line for line in told if line.get("reason", "").startswith(REFUSED)]


@pytest.mark.wide
def test_every_user_of_thelook_from_its_first_event(
    deployment: Deployment, events: list[Event], release: Path
) -> None:
    """By two workers, who share the lanes."""
    deployment.publish(release)
    workers = first, second = deployment.worker().ready(), deployment.worker().ready()
    eventually(lambda: first.lanes() and second.lanes(), "both workers have lanes")
    sent = deployment.segue("ingest", "--warehouse", THELOOK)
    assert "44,923" in sent.stderr + sent.stdout
    outcome = check(deployment, events, release)
    assert outcome.users == 20_000
    assert outcome.changes > 20_000
    assert outcome.kinds.keys() == {"moved", "confirmed"}
    assert first.lanes() | second.lanes() == {0, 1, 2, 3}
    assert first.lanes() & second.lanes() == set()
    assert [worker.stop() for worker in workers] == [0, 0]


@pytest.mark.long
def test_processes_of_one_worker_share_its_lanes_and_end_together(
    deployment: Deployment, events: list[Event], release: Path
) -> None:
    some = events[:1_000]
    deployment.publish(release)
    deployment.settings = TWO_PROCESSES
    worker = deployment.worker()
    pids = process_ids(worker)
    eventually(lambda: shared(worker) == {1: 2, 2: 2}, "each process has two live lanes")
    assert worker.get("/readyz") == (200, {"ready": True, "reasons": []})
    deployment.send(some)
    outcome = check(deployment, some, release)
    assert outcome.users == len(by_user(some))
    eventually(lambda: applied(worker) == 1_000, "the page counts the events of both processes")
    assert worker.stop() == 0
    assert not any(alive(pid) for pid in pids.values())
    assert logged(worker, "worker.stopped") == {1, 2}


@pytest.mark.long
def test_a_killed_process_ends_the_others_and_whoever_starts_them_again_goes_on(
    deployment: Deployment, some_events: list[Event], release: Path
) -> None:
    """The exit code is that of a killed process."""
    deployment.publish(release)
    deployment.settings = {**TWO_PROCESSES, **SMALL_BATCHES}
    worker = deployment.worker()
    pids = process_ids(worker)
    eventually(lambda: shared(worker) == {1: 2, 2: 2}, "each process has two live lanes")
    deployment.send(some_events)
    eventually(lambda: applied(worker) > 500, "in the middle")
    os.kill(pids[2], signal.SIGKILL)
    assert worker.process.wait(HANG_S) == 128 + signal.SIGKILL
    assert not alive(pids[1])
    assert logged(worker, "process.killed") == {2}
    assert logged(worker, "worker.stopped") == {1}
    assert logged(worker, "worker.failed") == set()
    assert work_left(deployment) > 0
    deployment.settings = TWO_PROCESSES
    deployment.worker()
    outcome = check(deployment, some_events, release)
    assert outcome.users == len(by_user(some_events))


@pytest.mark.wide
def test_bootstrap_then_the_events_since(deployment: Deployment, events: list[Event], tmp_path: Path) -> None:
    release = deployment.publish(trained(THELOOK, tmp_path, "--as-of", "2024-12-01"))
    deployment.segue("bootstrap", "--warehouse", THELOOK, "--as-of", "2024-12-01")
    deployment.worker().ready()
    deployment.segue("ingest", "--warehouse", THELOOK, "--since", "2024-12-01")
    outcome = check(deployment, events, release)
    assert outcome.users == 20_000
    assert 0 < outcome.changes < 10_000


@pytest.mark.wide
def test_a_worker_that_is_stopped_in_the_middle_is_followed_by_another(
    deployment: Deployment, some_events: list[Event], release: Path
) -> None:
    deployment.settings = SMALL_BATCHES
    deployment.publish(release)
    first = deployment.worker().ready()
    deployment.send(some_events)
    eventually(lambda: applied(first) > 2_000, "the first worker in the middle")
    assert first.stop() == 0
    left = work_left(deployment)
    assert 0 < left < len(some_events), f"{left} events are left, which is not the middle"
    deployment.settings = {}
    deployment.worker()
    outcome = check(deployment, some_events, release)
    assert outcome.users == len(by_user(some_events))


@pytest.mark.wide
def test_a_worker_paused_beyond_its_session_and_resumed(
    deployment: Deployment, some_events: list[Event], release: Path
) -> None:
    """It wakes up with a batch in its hands that its successor has decided, and is refused."""
    deployment.settings = SMALL_BATCHES
    deployment.publish(release)
    first = deployment.worker().ready()
    deployment.settings = {}
    second = deployment.worker().ready()
    eventually(lambda: first.lanes() and second.lanes(), "both workers have lanes")
    middle = len(some_events) // 2
    deployment.send(some_events[:middle])
    eventually(lambda: applied(first) > 500, "the first worker in the middle")
    lanes = first.lanes()
    first.pause()
    assert work_left(deployment, lanes) > 0, "it has nothing in its hands"
    eventually(lambda: second.lanes() == {0, 1, 2, 3}, "the second worker has all lanes")
    asleep = len(first.log())
    deployment.send(some_events[middle:])
    first.resume()
    refused = eventually(lambda: refusals(first.log()[asleep:]), "what it had in its hands is refused")
    assert {line["lane"] for line in refused} <= lanes
    outcome = check(deployment, some_events, release)
    assert outcome.users == len(by_user(some_events))
    eventually(lambda: first.lanes() | second.lanes() == {0, 1, 2, 3}, "every lane has an owner")


def test_bad_events_are_dead_letters_and_the_good_ones_are_applied(
    deployment: Deployment, events: list[Event], release: Path
) -> None:
    good = events[:2_000]
    deployment.publish(release)
    deployment.worker().ready()
    producer = Producer(
        {
            "bootstrap.servers": deployment.bootstrap,
            "partitioner": "murmur2_random",
            "message.max.bytes": 5_000_000,
        }
    )
    topics = deployment.topics
    sent = 0
    for bad in BAD_RECORDS:
        topic = topics.signups if bad.topic == "signups" else topics.orders
        producer.produce(topic, bad.value, bad.key)
        sent += 1
    assert producer.flush(HANG_S) == 0
    deployment.send(good)
    check(deployment, good, release)
    letters = read_topic(deployment.bootstrap, topics.dead_letters)
    assert len(letters) == sent
    for letter in letters:
        headers = headers_of(letter)
        assert headers["segue_reason"], headers
        assert headers["segue_topic"].decode() in topics.inputs
        json.loads(headers["segue_offset"])
