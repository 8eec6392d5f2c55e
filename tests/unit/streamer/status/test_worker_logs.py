"""The log's lines: one an event, and no secret in them."""

from __future__ import annotations

import errno
import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from streamer.status.worker_logs import set_up_logs, without_secrets


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("aiokafka", "faust", "mode", "asyncio", "streamer")]
    kept = [(logger, logger.handlers, logger.propagate, logger.level) for logger in loggers]
    yield
    structlog.reset_defaults()
    for logger, handlers, propagate, level in kept:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def test_key_value_lines() -> None:
    stream = io.StringIO()
    set_up_logs(stream=stream)
    structlog.get_logger().info("lanes.owned", lanes="0, 1", group="g")
    (line,) = stream.getvalue().splitlines()
    timestamp, rest = line.split(" ", 1)
    assert timestamp.startswith("timestamp=2")
    assert timestamp.endswith("Z")
    assert rest == 'level=info event=lanes.owned lanes="0, 1" group=g'


def test_each_line_of_one_of_several_processes_names_it() -> None:
    stream = io.StringIO()
    set_up_logs(stream=stream, process=2)
    structlog.get_logger().info("lanes.owned", group="g")
    assert stream.getvalue().endswith(" level=info event=lanes.owned process=2 group=g\n")
    set_up_logs(stream=stream, process=2, json=True)
    structlog.get_logger().info("lanes.owned")
    assert json.loads(stream.getvalue().splitlines()[1])["process"] == 2


@pytest.mark.parametrize("as_json", [True, False])
def test_text_from_events_gives_a_terminal_no_orders(as_json: bool) -> None:
    stream = io.StringIO()
    set_up_logs(json=as_json, stream=stream)

    structlog.get_logger().warning("lane.phase", reason="user 7\x1b[2J\x9b31m\u202e\nuser 8")

    (line,) = stream.getvalue().splitlines()
    assert "\\x1b[2J" in line or "\\u001b[2J" in line
    assert line.isprintable()


class _FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


class _Odd:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize("as_json", [False, True])
def test_a_line_that_cannot_be_written_is_lost_and_raises_nothing(as_json: bool) -> None:
    set_up_logs("debug", json=as_json, stream=_FullDisk())
    log = structlog.get_logger("segue.lane").bind(lane=1)
    log.info("lane.phase", value=_Odd())
    try:
        raise ValueError("of a lane")
    except ValueError:
        log.exception("lane failed")
    logging.getLogger("faust").error("%d lanes", "no number")


def test_json_lines() -> None:
    stream = io.StringIO()
    set_up_logs(json=True, stream=stream)
    structlog.get_logger().warning("group.waits", reason="Kafka does not answer")
    said = json.loads(stream.getvalue())
    del said["timestamp"]
    assert said == {"event": "group.waits", "level": "warning", "reason": "Kafka does not answer"}


@pytest.mark.parametrize("as_json", [False, True])
def test_no_secret_is_written(as_json: bool) -> None:
    stream = io.StringIO()
    set_up_logs(json=as_json, stream=stream)
    structlog.get_logger().error(
        "redis.lost",
        url="rediss://user:hunter2@redis:6379/0",
        password="hunter2",
        kafka={"sasl.username": "me", "sasl.password": "hunter2"},
        error="no answer from redis://:hunter2@redis:6379",
    )
    said = stream.getvalue()
    assert "hunter2" not in said
    assert "rediss://***@redis:6379/0" in said
    assert "me" in said


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("postgresql://me:p@ss@host/db", "postgresql://***@host/db"),
        ("redis://:a/b#c?d@db:6379/0 and rediss://me@db", "redis://***@db:6379/0 and rediss://***@db"),
        ("https://host/path?x=1", "https://host/path?x=1"),
        ("write to me@host", "write to me@host"),
    ],
)
def test_a_login_is_hidden_up_to_the_last_at(said: str, written: str) -> None:
    assert without_secrets(None, "info", {"text": said}) == {"text": written}


def test_libraries_are_heard_at_debug_alone() -> None:
    quiet, loud = io.StringIO(), io.StringIO()
    set_up_logs("info", stream=quiet)
    logging.getLogger("aiokafka.consumer").error("Heartbeat failed")
    structlog.get_logger().debug("detail")
    assert quiet.getvalue() == ""
    set_up_logs("debug", stream=loud)
    logging.getLogger("aiokafka.consumer").error("Heartbeat failed")
    assert 'text="Heartbeat failed" of=aiokafka.consumer' in loud.getvalue()
