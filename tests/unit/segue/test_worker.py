"""What a worker sees to before it waits for a server or makes a topic."""

from __future__ import annotations

import socket
from typing import NoReturn

import pytest

from schemas.errors import BadSetting
from segue import worker
from segue.settings import Settings


def test_a_port_that_is_taken_is_told_before_topics_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise AssertionError("Kafka was asked")

    monkeypatch.setattr(worker, "make_topics", fail)
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        port = occupant.getsockname()[1]
        with pytest.raises(BadSetting, match=rf"setting web_port is {port}: .* 0 for any free one"):
            worker.work(Settings(web_port=port))
