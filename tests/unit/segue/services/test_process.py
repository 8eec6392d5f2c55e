from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from segue.services import guard as guard_module
from segue.services.guard import Guard
from segue.services.process import ServerProcess
from tests.services import eventually


def start(tmp_path: Path, script: str) -> ServerProcess:
    return ServerProcess("Sleeper", ["sh", "-c", script], directory=tmp_path, log=tmp_path / "log")


def test_a_process_has_a_group_of_its_own_which_ctrl_c_does_not_reach(tmp_path: Path) -> None:
    process = start(tmp_path, "exec sleep 600")
    assert os.getpgid(process.pid) == process.pid != os.getpgid(0)
    process.kill()
    assert not process.running()


def test_stopping_also_ends_what_the_server_started(tmp_path: Path) -> None:
    process = start(tmp_path, "sleep 600 & echo $!; wait")
    child = int(eventually(process.printed, 30, "the child's id"))
    process.kill()
    eventually(lambda: not runs(child), 30, "the child is dead")


def test_stop_lets_the_server_say_goodbye(tmp_path: Path) -> None:
    process = start(tmp_path, "trap 'echo goodbye; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
    eventually(lambda: "ready" in process.printed(), 30, "it is ready")
    process.stop()
    assert "goodbye" in process.printed()


def test_a_paused_server_can_be_stopped(tmp_path: Path) -> None:
    process = start(tmp_path, "trap 'echo goodbye; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
    eventually(lambda: "ready" in process.printed(), 30, "it is ready")
    process.pause()
    assert process.running()
    process.stop()
    assert "goodbye" in process.printed()


def test_a_server_that_does_not_listen_is_killed_at_the_deadline(tmp_path: Path) -> None:
    process = start(tmp_path, "trap '' TERM; echo ready; while :; do sleep 0.05; done")
    eventually(lambda: "ready" in process.printed(), 30, "it is ready")
    process.stop(deadline_s=0.1)
    assert not process.running()


def test_signals_to_an_ended_server_do_nothing(tmp_path: Path) -> None:
    process = start(tmp_path, "exit 3")
    eventually(lambda: not process.running(), 30, "it has ended")
    process.pause()
    process.resume()
    process.kill()
    process.stop()


def test_trouble_shows_the_last_lines_of_this_life_only(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("an earlier life\n")
    process = start(tmp_path, "seq 1 40; echo the port is taken >&2; exit 1")
    eventually(lambda: not process.running(), 30, "it has ended")

    text = str(process.trouble("ended at its start"))

    assert text.startswith("Sleeper ended at its start. It printed:\n")
    assert text.endswith("the port is taken")
    assert "    39\n" in text
    assert "    5\n" not in text
    assert "earlier" not in text


def test_a_guard_whose_watchman_was_killed_gets_another_that_knows_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = Guard()
    monkeypatch.setattr("segue.services.process.guard", guard)
    first, second = start(tmp_path, "exec sleep 600"), start(tmp_path, "exec sleep 600")
    watchman = guard._watchman
    assert watchman is not None
    watchman.kill()
    watchman.wait()
    third = start(tmp_path, "exec sleep 600")
    second.kill()

    successor = guard._watchman
    assert successor not in (None, watchman)
    guard_module._finish(successor, os.getpid())  # what the end of this process does

    eventually(lambda: not first.running() and not third.running(), 30, "the watchman has killed both")
    assert first._process.returncode == third._process.returncode == -signal.SIGKILL


def test_directories_are_removed_with_the_process(tmp_path: Path) -> None:
    guard = Guard()
    ours, not_ours = tmp_path / "ours\nodd", tmp_path / "not ours"
    for folder in (ours, not_ours):
        folder.mkdir()
        (folder / "file").touch()
        guard.add_directory(folder)
    guard.drop_directory(not_ours)

    assert guard._watchman is not None
    guard_module._finish(guard._watchman, os.getpid())

    assert not ours.exists()
    assert not_ours.exists()


def runs(pid: int) -> bool:
    """Whether the process runs; one that has ended and whom nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
