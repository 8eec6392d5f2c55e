"""The pages, asked over HTTP."""

from __future__ import annotations

import json
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from schemas.errors import BadSetting
from streamer.status.status_server import WebServer, check_address, pages
from streamer.status.worker_metrics import Metrics
from streamer.status.worker_status import GroupStatus, LaneStatus, ReleaseStatus, WorkerStatus

READY = WorkerStatus(
    group=GroupStatus(name="g", joined=True, owned=(1,), halves=(), waiting=None),
    release=ReleaseStatus(version="abc", activation=7, problem=None),
    lanes=(
        LaneStatus(
            partition=1,
            phase="live",
            positions={"orders": 12, "signups": 3},
            lag={"orders": 1, "signups": 0},
            events=15,
            changes=4,
            dead_letters=2,
            last_progress=0.0,
        ),
    ),
)


class Source:
    def __init__(self) -> None:
        self.now: WorkerStatus | None = READY
        self.gone: list[str] = []

    def ended(self) -> list[str]:
        return self.gone

    def status(self) -> WorkerStatus:
        if self.now is None:
            raise RuntimeError("broken")
        return self.now


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def server(source: Source) -> Iterator[WebServer]:
    with WebServer("127.0.0.1", 0, pages(source, Metrics(), 60)) as running:
        yield running


def get(server: WebServer, path: str) -> tuple[int, str, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read()


def test_healthz_says_that_the_process_lives(server: WebServer, source: Source) -> None:
    source.now = None
    assert get(server, "/healthz") == (200, "text/plain; charset=utf-8", b"ok\n")


def test_healthz_fails_when_a_thread_that_should_live_does_not(server: WebServer, source: Source) -> None:
    source.gone = ["lane-3", "releases"]
    assert get(server, "/healthz") == (503, "text/plain; charset=utf-8", b"ended: lane-3, releases\n")


def test_readyz_says_why_not(server: WebServer, source: Source) -> None:
    code, content_type, body = get(server, "/readyz")
    assert (code, content_type) == (200, "application/json")
    assert json.loads(body) == {"ready": True, "reasons": []}
    source.now = replace(READY, lanes=(LaneStatus(partition=1, phase="taking over"),))
    code, _, body = get(server, "/readyz")
    assert code == 503
    assert json.loads(body) == {"ready": False, "reasons": ["lane 1 is taking over"]}


def test_status_tells_all(server: WebServer) -> None:
    code, content_type, body = get(server, "/status?pretty=1")
    assert (code, content_type) == (200, "application/json")
    said = json.loads(body)
    assert said["ready"] is True
    assert said["group"] == {"name": "g", "joined": True, "owned": [1], "halves": [], "waiting": None}
    assert said["release"] == {"version": "abc", "activation": 7, "problem": None}
    (lane,) = said["lanes"]
    assert lane.pop("idle_s") > 0  # last_progress was at the zero of the monotonic clock
    assert lane.pop("waiting_s") is None
    assert lane == {
        "partition": 1,
        "phase": "live",
        "reason": None,
        "positions": {"orders": 12, "signups": 3},
        "lag": {"orders": 1, "signups": 0},
        "events": 15,
        "changes": 4,
        "dead_letters": 2,
        "activation": None,
        "sweep_left": 0,
        "day": None,
        "due_left": 0,
    }


def test_a_lane_without_a_batch_has_no_idle_time(server: WebServer, source: Source) -> None:
    source.now = replace(READY, lanes=(LaneStatus(partition=1, phase="live"),))
    assert json.loads(get(server, "/status")[2])["lanes"][0]["idle_s"] is None


def test_metrics_is_what_prometheus_expects(server: WebServer) -> None:
    code, content_type, body = get(server, "/metrics")
    assert code == 200
    assert content_type.startswith("text/plain; version=")
    assert b"# TYPE segue_batch_seconds histogram" in body


def test_another_path_names_the_pages(server: WebServer) -> None:
    code, _, body = get(server, "/")
    assert code == 404
    assert b"/healthz /metrics /readyz /status" in body


def test_a_page_that_fails_does_not_end_the_server(server: WebServer, source: Source) -> None:
    source.now = None
    assert get(server, "/status")[0] == 500
    assert get(server, "/healthz")[0] == 200


def test_a_client_that_says_nothing_keeps_nobody_waiting(server: WebServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)):
        assert get(server, "/healthz")[0] == 200


def test_a_port_that_is_taken_is_told_in_one_sentence(server: WebServer) -> None:
    with pytest.raises(
        BadSetting, match=rf"web_port is {server.port}: cannot listen .*in use.*: give another web_port, or 0"
    ):
        WebServer("127.0.0.1", server.port, {})
    with pytest.raises(BadSetting, match="give another web_port, or 0 for any free one"):
        check_address("127.0.0.1", server.port)


def test_an_address_that_was_checked_is_free_afterwards() -> None:
    with WebServer("127.0.0.1", 0, {}) as former:
        port = former.port
    check_address("127.0.0.1", port)
    with WebServer("127.0.0.1", port, {}) as server:
        assert get(server, "/healthz")[0] == 404


def test_an_address_that_is_not_ours_is_told_in_one_sentence() -> None:
    with pytest.raises(
        BadSetting, match=r"web_host is .*cannot listen on 192\.0\.2\.1.*: give an address of this"
    ):
        WebServer("192.0.2.1", 0, {})


def test_every_page_is_in_the_document(source: Source) -> None:
    document = (Path(__file__).parents[4] / "docs" / "worker.md").read_text()
    assert set(re.findall(r"^\| `(/\w+)`", document, re.MULTILINE)) == set(pages(source, Metrics(), 60))
