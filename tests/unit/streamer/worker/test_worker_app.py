"""How a worker ends, without a Kafka: nobody listens at its address."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest
import structlog

from schemas.errors import NeedsRebuild
from streamer.status.status_server import Page
from streamer.status.worker_logs import set_up_logs
from streamer.status.worker_status import LaneStatus
from streamer.worker import worker_app
from streamer.worker.process_part import ProcessPart
from streamer.worker.worker_app import build_worker, run_worker
from streamer.worker.worker_config import WorkerConfig
from tests.support.servers.services import eventually

NOBODY = {"bootstrap.servers": "127.0.0.1:1"}


class Lanes:
    def __init__(self, failure: Callable[[], Exception | None] = lambda: None) -> None:
        self.failure = failure

    def own(self, partitions: frozenset[int]) -> None:
        raise AssertionError

    def disown(self, partitions: frozenset[int]) -> None:
        raise AssertionError

    def statuses(self) -> list[LaneStatus]:
        return []

    def ended(self) -> list[str]:
        return []


class NoReleases:
    def current(self) -> None:
        return None

    def problem(self) -> str | None:
        return "no release: run `segue publish`"

    def ended(self) -> list[str]:
        return []


class EndedReleases(NoReleases):
    def ended(self) -> list[str]:
        return ["releases"]


@pytest.fixture(autouse=True)
def _the_tests_own_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_app, "collect_less", lambda: None)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    set_up_logs(json=True, stream=stream)
    yield stream
    structlog.reset_defaults()


def events(log: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (NeedsRebuild("lane 2: run rebuild the states"), 7, "lane 2: run rebuild the states"),
        (
            ValueError("odd"),
            70,
            "unexpected ValueError: odd; run with the log at debug for the details",
        ),
    ],
)
def test_a_lanes_error_ends_the_worker_in_one_sentence(
    error: Exception, code: int, said: str, log: io.StringIO
) -> None:
    config = WorkerConfig(kafka=NOBODY, partitions=4)
    assert run_worker(build_worker(config, Lanes(lambda: error), NoReleases())) == code
    (failed,) = [event for event in events(log) if event["level"] == "error"]
    assert (failed["event"], failed["error"]) == ("worker.failed", said)


def test_a_thread_that_ends_by_itself_ends_the_worker(log: io.StringIO) -> None:
    config = WorkerConfig(kafka=NOBODY, partitions=4)
    assert run_worker(build_worker(config, Lanes(), EndedReleases())) == 70
    assert "the thread releases ended by itself" in log.getvalue()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_worker_without_kafka_waits_shows_it_and_stops_at_a_signal(
    number: signal.Signals, code: int, log: io.StringIO
) -> None:
    config = WorkerConfig(kafka=NOBODY, partitions=4, web_port=0)
    worker = build_worker(config, Lanes(), NoReleases())
    shown: list[dict[str, object]] = []

    def look() -> None:
        try:
            port = eventually(lambda: [e for e in events(log) if e["event"] == "web.listens"])[0]["port"]
            eventually(lambda: "group.waits" in log.getvalue())
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=10) as answer:
                shown.append(json.load(answer))
        finally:
            os.kill(os.getpid(), number)

    looking = threading.Thread(target=look)
    looking.start()
    assert run_worker(worker) == code
    looking.join()
    ended = time.monotonic()
    assert shown[0]["reasons"] == [
        "Kafka at 127.0.0.1:1 does not answer, or refuses the login",
        "no release: run `segue publish`",
    ]
    assert [event["event"] for event in events(log)][-2:] == ["worker.stops", "worker.stopped"]
    assert worker.still_ours(0) is False
    assert time.monotonic() - ended < 1  # it does not ask a group that it is not in


def test_one_of_several_processes_shows_its_pages_and_a_second_signal_does_not_end_it(
    log: io.StringIO,
) -> None:
    """A supervisor may signal the parent and the process, and then the parent signals the process."""
    shown: list[set[str]] = []
    at_a_second: list[object] = []

    @contextmanager
    def show(by_path: Mapping[str, Page]) -> Iterator[None]:
        shown.append(set(by_path))
        os.kill(os.getpid(), signal.SIGTERM)
        yield
        at_a_second.extend(signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT))

    config = WorkerConfig(kafka=NOBODY, partitions=4, web_port=0)
    worker = build_worker(config, Lanes(), NoReleases(), part=ProcessPart(4, show))
    assert run_worker(worker) == 0
    assert shown == [{"/healthz", "/readyz", "/status", "/metrics"}]
    assert at_a_second == [signal.SIG_IGN, signal.SIG_IGN]
    assert "web.listens" not in log.getvalue()


def test_signals_are_given_back(log: io.StringIO) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    config = WorkerConfig(kafka=NOBODY, partitions=4)
    run_worker(build_worker(config, Lanes(lambda: ValueError("x")), NoReleases()))
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
