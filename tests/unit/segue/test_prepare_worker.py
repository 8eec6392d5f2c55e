"""What a worker sees to before it waits for a server or makes a topic."""

from __future__ import annotations

import socket
from typing import NoReturn

import pytest
from structlog.testing import capture_logs

from schemas.errors import BadSetting, LoginRefused, SegueError, Unreachable, Unusable
from segue import prepare_worker
from segue.config.settings import Settings


def test_a_port_that_is_taken_is_told_before_topics_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise AssertionError("Kafka was asked")

    monkeypatch.setattr(prepare_worker, "make_topics", fail)
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        port = occupant.getsockname()[1]
        with pytest.raises(BadSetting, match=rf"setting web_port is {port}: .* 0 for any free one"):
            prepare_worker.prepare_worker(Settings(web_port=port))


def test_a_server_is_waited_for_and_each_reason_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare_worker, "_RETRY_S", 0.0)
    errors: list[SegueError] = [Unreachable("silent"), Unreachable("silent"), LoginRefused("wrong password")]

    def ask() -> str:
        if errors:
            raise errors.pop(0)
        return "answer"

    with capture_logs() as said:
        assert prepare_worker.waited_for(ask) == "answer"

    assert [(each["event"], each.get("reason")) for each in said] == [
        ("worker.waits", "silent"),
        ("worker.waits", "wrong password"),
        ("worker.goes_on", None),
    ]


def test_a_redis_that_cannot_be_used_is_not_waited_for() -> None:
    def ask() -> NoReturn:
        raise Unusable("a cluster")

    with capture_logs() as said, pytest.raises(Unusable):
        prepare_worker.waited_for(ask)
    assert said == []
