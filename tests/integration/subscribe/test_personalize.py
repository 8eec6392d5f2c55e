"""examples/personalize: the service answers as the worker decides, from before its start and after it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from schemas.outputs.segment_change import SegmentChange
from schemas.outputs.wire import decode_change
from segue.services.process.ports import free_ports
from tests.support.checks.read_records import key_of, read_topic
from tests.support.servers.deployment import Deployment
from tests.support.servers.services import HANG_S, eventually

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
SERVICE = ROOT / "examples" / "personalize" / "service.py"


def signup(user_id: int, **fields: Any) -> dict[str, Any]:
    value = {"user_id": user_id, "created_at": "2024-06-02T00:00:00Z", **fields}
    return {"topic": "signups", "key": str(user_id), "value": value}


def order(user_id: int, number: int, brand: str) -> dict[str, Any]:
    value = {
        "order_id": f"{user_id}-{number}",
        "user_id": user_id,
        "created_at": f"2024-07-{number + 1:02}T00:00:00Z",
        "items": [{"brand": brand, "category": "Jeans"}],
    }
    return {"topic": "orders", "key": str(user_id), "value": value}


def send(deployment: Deployment, events: list[dict[str, Any]]) -> None:
    file = deployment.folder / "events.jsonl"
    file.write_text("".join(f"{json.dumps(event)}\n" for event in events), encoding="utf-8")
    deployment.segue("ingest", file)
    deployment.caught_up()


def decided(deployment: Deployment) -> dict[str, str | None]:
    """The name of each user's segment by ``user-segments``; None of an erased user."""
    newest: dict[str, str | None] = {}
    for record in read_topic(deployment.bootstrap, deployment.topics.users):
        value = record.value()
        change = None if value is None else decode_change(value)
        newest[key_of(record)] = change.segment_name if isinstance(change, SegmentChange) else None
    return newest


def test_the_service_knows_everybodys_segment(deployment: Deployment) -> None:
    deployment.worker().ready()
    people = [
        signup(n, age=20 + n, gender="FM"[n % 2], country="Spain", traffic_source="Email") for n in range(20)
    ]
    send(deployment, people)

    (port,) = free_ports(1)
    where = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PORT": str(port),
        "KAFKA": deployment.bootstrap,
        "TOPIC_PREFIX": deployment.topics.prefix,
    }
    service = subprocess.Popen([sys.executable, SERVICE], env=where, stderr=subprocess.DEVNULL)

    def shown(user_id: str) -> str | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/users/{user_id}", timeout=10) as answer:
                segment: str | None = json.load(answer)["segment"]
                return segment
        except OSError as error:
            raise AssertionError("no answer yet") from error

    def answers() -> bool:
        return {user_id: shown(user_id) for user_id in expected} == expected

    try:
        expected = decided(deployment)
        assert len(set(expected.values())) > 1
        eventually(answers, "the states")

        before = expected
        erasure = {"topic": "signups", "key": "3", "value": {"type": "user.erased", "user_id": 3}}
        send(deployment, [*(order(n, k, "Carhartt") for n in range(10) for k in range(4)), erasure])
        expected = decided(deployment)
        assert expected["3"] is None
        assert sum(before[user_id] != expected[user_id] for user_id in expected) > 2
        eventually(answers, "the changes")
        assert shown("nobody") is None
    finally:
        service.kill()
        service.wait(HANG_S)
