"""The pages of all processes, merged into the pages of one worker.

A process is known by its number: the label `process` keeps its series apart in `/metrics`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from segue.processes.child_process import NOT_AT_WORK
from streamer.status.status_server import JSON, TEXT, Answer, Page

Ask = Callable[[str], Mapping[int, Answer | str]]


def merged_pages(ask: Ask) -> dict[str, Page]:
    """The pages by path.

    Args:
        ask: gives each process's page at a path, by the process's number; a text says why there is no page.
    """

    def health() -> Answer:
        troubles = "".join(
            f"process {number} {trouble}\n"
            for number, answer in ask("/healthz").items()
            if (trouble := _trouble(answer)) is not None
        )
        code = HTTPStatus.SERVICE_UNAVAILABLE if troubles else HTTPStatus.OK
        return code, TEXT, troubles.encode() or b"ok\n"

    def ready() -> Answer:
        reasons = _reasons(_parts(ask("/readyz")))
        code = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        return code, JSON, msgspec.json.encode({"ready": not reasons, "reasons": reasons})

    def status() -> Answer:
        return HTTPStatus.OK, JSON, msgspec.json.encode(_status(_parts(ask("/status"))))

    def prometheus() -> Answer:
        registry = CollectorRegistry()
        registry.register(_Union(ask("/metrics")))
        return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(registry)

    return {"/healthz": health, "/readyz": ready, "/status": status, "/metrics": prometheus}


def _trouble(answer: Answer | str) -> str | None:
    """Why a process is not healthy. A process that starts or stops is healthy."""
    if isinstance(answer, str):
        return None if answer == NOT_AT_WORK else answer
    code, _, body = answer
    return None if code == HTTPStatus.OK else body.decode().strip()


def _parts(answers: Mapping[int, Answer | str]) -> list[dict[str, Any]]:
    """Each process's JSON, with its number; a process without a page is not ready."""
    parts = []
    for number, answer in answers.items():
        if not isinstance(answer, str) and answer[1] == JSON:
            page = msgspec.json.decode(answer[2], type=dict[str, Any])
        else:
            why = answer if isinstance(answer, str) else answer[2].decode().strip()
            page = {"ready": False, "reasons": [why]}
        parts.append({"process": number, **page})
    return parts


def _reasons(parts: list[dict[str, Any]]) -> list[str]:
    return [f"process {part['process']}: {reason}" for part in parts for reason in part["reasons"]]


def _status(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """One worker's status; what is a process's own, such as its membership, is in `processes`."""
    reasons = _reasons(parts)
    lanes = [{"process": part["process"], **lane} for part in parts for lane in part.pop("lanes", ())]
    lanes.sort(key=lambda lane: (lane["partition"], lane["process"]))
    return {"ready": not reasons, "reasons": reasons, "lanes": lanes, "processes": parts}


class _Union(Collector):
    """The metrics of all processes, each series with the label `process`."""

    def __init__(self, answers: Mapping[int, Answer | str]) -> None:
        self._texts = {
            number: answer[2].decode()
            for number, answer in answers.items()
            if not isinstance(answer, str) and answer[0] == HTTPStatus.OK
        }

    def collect(self) -> Iterator[Metric]:
        families: dict[str, Metric] = {}
        for number, text in self._texts.items():
            for family in text_string_to_metric_families(text):
                own = Metric(family.name, family.documentation, family.type)
                union = families.setdefault(family.name, own)
                for sample in family.samples:
                    union.add_sample(sample.name, {**sample.labels, "process": str(number)}, sample.value)
        yield from families.values()
