"""What a local server does when its start does not go well, over a small server of ours."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from segue.services import ServiceTrouble
from segue.services.local import local_server
from segue.services.local.local_server import LocalServer
from segue.services.process.ports import free_ports
from segue.services.process.server_process import ServerProcess
from tests.support.servers.services import eventually

LISTEN = """
import socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
time.sleep(600)
"""


class Listener(LocalServer):
    """Listens on its port, and no more."""

    name = "Listener"
    port_count = 1

    def __init__(self, program: str = LISTEN, directory: Path | None = None, port: int | None = None) -> None:
        super().__init__(directory, port)
        self.program = program

    def _prepare(self, directory: Path, ports: Sequence[int]) -> Sequence[str]:
        return [sys.executable, "-I", "-S", "-c", self.program, str(ports[0])]

    def _answers(self, process: ServerProcess) -> bool:
        # Not "ready", which "Address already in use" has too.
        return "listening" in process.printed()


@pytest.fixture
def occupant() -> Iterator[Listener]:
    with Listener() as server:
        yield server


def test_a_port_taken_at_the_last_moment_is_changed_for_another(
    occupant: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    (free,) = free_ports(1)
    offered = iter([[occupant.port], [free]])
    monkeypatch.setattr(local_server, "free_ports", lambda _: next(offered))
    with Listener() as server:
        assert server.port == free


def test_a_port_that_was_asked_for_is_not_changed(occupant: Listener) -> None:
    server = Listener(port=occupant.port)
    with pytest.raises(
        ServiceTrouble, match=rf"Listener found 127\.0\.0\.1:{occupant.port} in use.*: end the process"
    ):
        server.start()
    assert not server.running
    server.close()


def test_a_server_that_ends_at_its_start_shows_what_it_printed() -> None:
    with (
        pytest.raises(ServiceTrouble, match=r"(?s)^Listener ended at its start\..*out of luck"),
        Listener("import sys; sys.exit('out of luck')"),
    ):
        pytest.fail("not reached")


def test_a_server_that_never_answers_is_ended_at_the_deadline(tmp_path: Path) -> None:
    server = Listener("import time; print('thinking', flush=True); time.sleep(600)", directory=tmp_path)
    server.start_deadline_s = 0.5
    with pytest.raises(ServiceTrouble, match=r"did not answer within"):
        server.start()
    assert not server.running


def test_a_directory_that_was_given_stays_and_one_of_its_own_goes(tmp_path: Path) -> None:
    with Listener(directory=tmp_path) as server:
        assert server.log.parent == tmp_path
    assert (tmp_path / "server.log").exists()

    with Listener() as server:
        own = server.directory
        assert own.is_dir()
    assert not own.exists()


def test_a_failed_start_leaves_no_directory() -> None:
    server = Listener("raise SystemExit(1)")
    with pytest.raises(ServiceTrouble), server:
        pytest.fail("not reached")
    with pytest.raises(ServiceTrouble, match="has not been started"):
        _ = server.directory


def test_a_restart_keeps_port_and_directory() -> None:
    with Listener() as server:
        port, directory, pid = server.port, server.directory, server.pid
        server.restart()
        assert (server.port, server.directory) == (port, directory)
        assert server.pid != pid


def test_starting_a_running_server_does_nothing() -> None:
    with Listener() as server:
        pid = server.pid
        server.start()
        assert server.pid == pid


def test_a_server_that_does_not_run_cannot_be_paused() -> None:
    with Listener() as server:
        server.kill()
        with pytest.raises(ServiceTrouble, match="does not run"):
            server.pause()


def test_a_server_that_ended_by_itself_is_told_with_what_it_printed(occupant: Listener) -> None:
    occupant.check()
    os.kill(occupant.pid, signal.SIGKILL)
    eventually(lambda: not occupant.running)

    with pytest.raises(ServiceTrouble, match=r"Listener has ended by itself. It printed:\n +listening"):
        occupant.check()
