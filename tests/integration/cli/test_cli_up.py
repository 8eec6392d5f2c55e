"""`segue up` on real servers: its data stay, `--fresh` removes them, and no server outlives it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import redis

from segue.services import ServiceTrouble
from segue.services.process.ports import free_ports
from segue.services.programs.kafka_jars import check_programs
from segue.services.programs.redis_program import find_redis
from segue.up.up_folder import MARKER
from tests.support.checks.read_records import read_topic
from tests.support.servers.segue_process import SegueProcess, clean_environment
from tests.support.servers.services import eventually, not_here
from tests.support.servers.terminals import Terminal

READY = "Both run until ctrl-C"
FOLDER = "our data, 'all' of it"
SIGNUP = (
    '{{"topic": "signups", "key": "{0}", "value": {{"user_id": "{0}", "created_at": "2024-12-01T09:12:00Z",'
    ' "age": 22, "gender": "M", "country": "Norway", "traffic_source": "Search"}}}}\n'
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A working directory, and a folder for `--data` that remembers ports that are free."""
    try:
        check_programs()
        find_redis()
    except ServiceTrouble as trouble:
        not_here(str(trouble), trouble.install)
    kafka, port = free_ports(2)
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / MARKER).write_bytes(msgspec.json.encode({"ports": {"kafka": kafka, "redis": port}}))
    return tmp_path


def up(place: Path, *options: str) -> SegueProcess:
    return SegueProcess(place, "up", "--data", FOLDER, *options)


def exports(out: str) -> dict[str, str]:
    lines = out.splitlines()
    assert all(line.startswith("export SEGUE_") for line in lines)
    return dict(line.removeprefix("export ").split("=", 1) for line in lines)


def segue(place: Path, environment: dict[str, str], *arguments: str, text: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "segue", *arguments],
        cwd=place,
        env=clean_environment(environment),
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def signups(environment: dict[str, str]) -> int:
    return len(read_topic(environment["SEGUE_KAFKA"], "signups"))


def servers_of(place: Path) -> list[int]:
    """The processes that work in a folder below the place."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(place / FOLDER):
                found.append(int(process.name))
        except OSError:  # it has ended, or belongs to another user
            continue
    return found


@pytest.mark.long
def test_data_stay_until_fresh_and_no_server_is_left(place: Path) -> None:
    with up(place) as first:
        first.says(READY)
        addresses = exports(first.out)
        assert len(servers_of(place)) == 2
        segue(place, addresses, "ingest", "-", text=SIGNUP.format(1) + SIGNUP.format(2))
        assert signups(addresses) == 2
        with redis.Redis.from_url(addresses["SEGUE_REDIS"], decode_responses=True) as client:
            client.set("kept", "1")
            assert client.config_get("appendonly", "maxmemory-policy") == {
                "appendonly": "yes",
                "maxmemory-policy": "noeviction",
            }
        (place / "second").mkdir()
        with SegueProcess(place / "second", "up", "--data", str(place / FOLDER)) as second:
            assert second.ends() == 5
            assert second.err.startswith(f"Error: process {first.process.pid} runs segue up in ")
        first.terminate(signal.SIGINT)
        assert first.ends() == 0
        assert first.err.endswith("\nStopped.\n")
        assert servers_of(place) == []

    with up(place) as again:
        again.says(READY)
        assert exports(again.out) == addresses
        assert signups(addresses) == 2
        with redis.Redis.from_url(addresses["SEGUE_REDIS"], decode_responses=True) as client:
            assert client.get("kept") == "1"
        again.process.kill()
        again.process.wait()
    with up(place) as after_a_kill:
        after_a_kill.says(READY)
        assert exports(after_a_kill.out) == addresses
        assert signups(addresses) == 2
        after_a_kill.terminate()
        assert after_a_kill.ends() == 0
        assert servers_of(place) == []

    with up(place, "--fresh") as fresh:
        fresh.says(READY)
        assert exports(fresh.out) == addresses
        assert signups(addresses) == 0
        with redis.Redis.from_url(addresses["SEGUE_REDIS"], decode_responses=True) as client:
            assert client.get("kept") is None
            pid = int(client.info("server")["process_id"])
        os.kill(pid, signal.SIGKILL)
        assert fresh.ends() == 5
        assert fresh.err.splitlines()[-1].startswith("Error: Redis has ended by itself: see the end of ")
        assert servers_of(place) == []


def test_a_port_that_is_taken_is_replaced_and_the_new_one_remembered(place: Path) -> None:
    ports = msgspec.json.decode((place / FOLDER / MARKER).read_bytes())["ports"]
    with socket.create_server(("127.0.0.1", ports["redis"])), Terminal(80, 24) as terminal:
        environment = {**clean_environment(), "TERM": "xterm-256color"}
        process = subprocess.Popen(
            ["setsid", "--ctty", sys.executable, "-m", "segue", "up", "--data", FOLDER],
            cwd=place,
            env=environment,
            stdin=terminal.end,
            stdout=terminal.end,
            stderr=terminal.end,
        )
        try:
            eventually(lambda: "segue doctor" in terminal.drawn(), "it is up")
            terminal.press_ctrl_c()
            assert process.wait(60) == 0
        finally:
            process.kill()
            process.wait()
        drawn = terminal.drawn()
    remembered = msgspec.json.decode((place / FOLDER / MARKER).read_bytes())["ports"]
    assert remembered["kafka"] == ports["kafka"]
    assert f"export SEGUE_REDIS=redis://127.0.0.1:{remembered['redis']}/0\r\n" in drawn
    assert remembered["redis"] != ports["redis"]
    assert drawn.endswith("Stopped.\r\n")
    assert max(map(len, drawn.replace("\r", "").splitlines())) <= 80
    assert servers_of(place) == []
