"""The pages of two workers as one worker's pages."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from prometheus_client.parser import text_string_to_metric_families

from segue.processes.child_process import NOT_AT_WORK, SILENT
from segue.processes.merged_pages import merged_pages
from streamer.status.status_server import Answer, Page, answer_of, pages
from streamer.status.worker_metrics import Metrics
from streamer.status.worker_status import GroupStatus, LaneStatus, ReleaseStatus, WorkerStatus


class Worker:
    """One worker that owns these lanes and has applied one batch of 3 signups."""

    def __init__(self, *lanes: LaneStatus, gone: tuple[str, ...] = ()) -> None:
        self._lanes = lanes
        self._gone = gone
        metrics = Metrics()
        metrics.watch(self)
        metrics.batch(
            events={"signups": 3},
            dead_letters={'odd"\\\n': 1},
            rekeyed=0,
            passed_over={},
            unknown=0,
            changes={"moved": 2},
            seconds={"load": 0.25, "commit": 0.5},
            latencies_s=[0.02],
        )
        self.metrics = metrics

    def status(self) -> WorkerStatus:
        owned = tuple(lane.partition for lane in self._lanes)
        return WorkerStatus(
            group=GroupStatus(name="g", joined=True, owned=owned, halves=(), waiting=None),
            release=ReleaseStatus(version="v1", activation=3, problem=None),
            lanes=self._lanes,
        )

    def ended(self) -> list[str]:
        return list(self._gone)

    @property
    def pages(self) -> dict[str, Page]:
        return pages(self, self.metrics, 60)


def live(partition: int) -> LaneStatus:
    return LaneStatus(partition=partition, phase="live")


def of(*parts: Worker | str) -> dict[str, Page]:
    """The merged pages of processes that answer, or that give a reason why not."""

    def ask(path: str) -> Mapping[int, Answer | str]:
        return {
            number: part if isinstance(part, str) else answer_of(part.pages, path)
            for number, part in enumerate(parts, 1)
        }

    return merged_pages(ask)


def read(by_path: dict[str, Page], path: str) -> tuple[int, object]:
    code, _, body = by_path[path]()
    return code, json.loads(body)


def series(text: str, **more: str) -> dict[tuple[str, str, frozenset[tuple[str, str]]], float]:
    """Every sample by the family's type, the name and the labels; but the figures of this very process."""
    return {
        (family.type, sample.name, frozenset({**sample.labels, **more}.items())): sample.value
        for family in text_string_to_metric_families(text)
        if not family.name.startswith("process_")
        for sample in family.samples
    }


def test_metrics_are_the_series_of_all_processes_each_apart() -> None:
    one, two = Worker(live(1), live(3)), Worker(live(0))
    two.metrics.takeover(0)

    text = of(one, two)["/metrics"]()[2].decode()

    expected = {
        **series(one.metrics.exposition().decode(), process="1"),
        **series(two.metrics.exposition().decode(), process="2"),
    }
    assert series(text) == expected
    assert len(expected) > 150
    helped = [line.split()[2] for line in text.splitlines() if line.startswith("# HELP")]
    assert len(helped) == len(set(helped))  # a family that comes twice is an error of the format
    memory = [line for line in text.splitlines() if line.startswith("process_resident_memory_bytes{")]
    assert [line.split("}")[0][-3:] for line in memory] == ['"1"', '"2"']


def test_all_are_ready_when_each_is() -> None:
    ready = of(Worker(live(1)), Worker(live(0)))
    assert read(ready, "/readyz") == (200, {"ready": True, "reasons": []})

    waiting = of(Worker(live(1)), Worker(LaneStatus(partition=0, phase="healing")), NOT_AT_WORK, SILENT)
    code, said = read(waiting, "/readyz")
    assert code == 503
    assert said == {
        "ready": False,
        "reasons": [
            "process 2: lane 0 is healing",
            "process 3: starts or stops",
            "process 4: has not answered for 2 s",
        ],
    }


def test_status_has_the_lanes_of_all_in_order_and_the_rest_by_process() -> None:
    code, said = read(of(Worker(live(1), live(3)), Worker(live(0)), NOT_AT_WORK), "/status")

    assert code == 200
    assert isinstance(said, dict)
    assert (said["ready"], said["reasons"]) == (False, ["process 3: starts or stops"])
    assert [(lane["partition"], lane["process"], lane["phase"]) for lane in said["lanes"]] == [
        (0, 2, "live"),
        (1, 1, "live"),
        (3, 1, "live"),
    ]
    one, _, three = said["processes"]
    assert (one["process"], one["group"]["owned"], one["release"]["version"]) == (1, [1, 3], "v1")
    assert "lanes" not in one
    assert three == {"process": 3, "ready": False, "reasons": ["starts or stops"]}


@pytest.mark.parametrize(
    ("part", "code", "body"),
    [
        (NOT_AT_WORK, 200, b"ok\n"),
        (SILENT, 503, b"process 2 has not answered for 2 s\n"),
        (Worker(live(0), gone=("lane-0",)), 503, b"process 2 ended: lane-0\n"),
    ],
)
def test_healthy_is_who_starts_but_not_who_hangs_or_has_lost_a_thread(
    part: Worker | str, code: int, body: bytes
) -> None:
    assert of(Worker(live(1)), part)["/healthz"]() == (code, "text/plain; charset=utf-8", body)


def test_a_page_that_fails_in_one_process_hides_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    class Broken(Worker):
        def status(self) -> WorkerStatus:
            raise RuntimeError("broken")

    parts = of(Worker(live(1)), Broken())
    code, said = read(parts, "/status")
    assert code == 200
    assert isinstance(said, dict)
    assert [lane["partition"] for lane in said["lanes"]] == [1]
    assert said["reasons"] == ["process 2: this page failed; the worker's log says why"]
    assert b'segue_events_total{process="1",topic="signups"} 3.0' in parts["/metrics"]()[2]
    assert "web.page_failed" in capsys.readouterr().out
