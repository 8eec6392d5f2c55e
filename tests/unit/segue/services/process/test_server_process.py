from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from segue.services.process.guard import Guard
from segue.services.process.server_process import ServerProcess
from tests.support.servers.services import eventually


def start(tmp_path: Path, script: str) -> ServerProcess:
    return ServerProcess("Sleeper", ["sh", "-c", script], directory=tmp_path, log=tmp_path / "log")


def test_a_process_has_a_group_of_its_own_which_ctrl_c_does_not_reach(tmp_path: Path) -> None:
    process = start(tmp_path, "exec sleep 600")
    assert os.getpgid(process.pid) == process.pid != os.getpgid(0)
    process.kill()
    assert not process.running()


def test_its_messages_are_english_whatever_the_locale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    process = start(tmp_path, "echo $LC_ALL")
    assert eventually(process.printed, "the locale") == "C.UTF-8\n"
    process.kill()


def test_stopping_also_ends_what_the_server_started(tmp_path: Path) -> None:
    process = start(tmp_path, "sleep 600 & echo $!; wait")
    child = int(eventually(process.printed, "the child's id"))
    process.kill()
    eventually(lambda: not runs(child), "the child is dead")


def test_stop_lets_the_server_say_goodbye(tmp_path: Path) -> None:
    process = start(tmp_path, "trap 'echo goodbye; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
    eventually(lambda: "ready" in process.printed(), "it is ready")
    process.stop()
    assert "goodbye" in process.printed()


def test_a_paused_server_can_be_stopped(tmp_path: Path) -> None:
    process = start(tmp_path, "trap 'echo goodbye; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
    eventually(lambda: "ready" in process.printed(), "it is ready")
    process.pause()
    assert process.running()
    process.stop()
    assert "goodbye" in process.printed()


def test_a_server_that_does_not_listen_is_killed_at_the_deadline(tmp_path: Path) -> None:
    process = start(tmp_path, "trap '' TERM; echo ready; while :; do sleep 0.05; done")
    eventually(lambda: "ready" in process.printed(), "it is ready")
    process.stop(deadline_s=0.1)
    assert not process.running()


def test_signals_to_an_ended_server_do_nothing(tmp_path: Path) -> None:
    process = start(tmp_path, "exit 3")
    eventually(lambda: not process.running(), "it has ended")
    process.pause()
    process.resume()
    process.kill()
    process.stop()


def test_trouble_shows_the_last_lines_of_this_life_only(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("an earlier life\n")
    process = start(tmp_path, "seq 1 40; echo the port is taken >&2; exit 1")
    eventually(lambda: not process.running(), "it has ended")

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
    monkeypatch.setattr("segue.services.process.server_process.guard", guard)
    first, second = start(tmp_path, "exec sleep 600"), start(tmp_path, "exec sleep 600")
    watchman = guard._watchman
    assert watchman is not None
    watchman.kill()
    watchman.wait()
    third = start(tmp_path, "exec sleep 600")
    second.kill()

    successor = guard._watchman
    assert successor not in (None, watchman)
    guard.finish()  # what the end of this process does

    eventually(lambda: not first.running() and not third.running(), "the watchman has killed both")
    assert first._process.returncode == third._process.returncode == -signal.SIGKILL


def test_directories_are_removed_with_the_process(tmp_path: Path) -> None:
    guard = Guard()
    ours, not_ours = tmp_path / "ours\nodd", tmp_path / "not ours"
    for folder in (ours, not_ours):
        folder.mkdir()
        (folder / "file").touch()
        guard.add_directory(folder)
    guard.drop_directory(not_ours)

    guard.finish()

    assert not ours.exists()
    assert not_ours.exists()


def test_a_watchman_killed_at_the_end_leaves_nothing_either(tmp_path: Path) -> None:
    guard, ours = Guard(), tmp_path / "ours"
    ours.mkdir()
    guard.add_directory(ours)
    assert guard._watchman is not None
    guard._watchman.kill()
    guard._watchman.wait()

    guard.finish()

    assert not ours.exists()


def test_a_forked_child_neither_ends_nor_keeps_what_its_parent_holds(tmp_path: Path) -> None:
    guard, ours = Guard(), tmp_path / "ours"
    ours.mkdir()
    guard.add_directory(ours)
    child = os.fork()
    if child == 0:
        os._exit(0 if guard._pipe is None and not guard._held else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ours.exists()

    guard.finish()

    assert not ours.exists()


def test_a_server_that_ends_by_itself_takes_its_children_along_and_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its id is free again: what has it when we end is none of ours."""
    guard = Guard()
    monkeypatch.setattr("segue.services.process.server_process.guard", guard)
    process = start(tmp_path, "sleep 600 & echo $!")
    child = int(eventually(process.printed, "the child's id"))

    eventually(lambda: not process.running(), "it has ended")

    assert guard._held == set()
    eventually(lambda: not runs(child), "the child is dead")


def test_a_server_does_not_outlive_a_parent_that_dies_before_it_tells_the_guard(tmp_path: Path) -> None:
    program = """
import os, signal, sys
from pathlib import Path
from segue.services.process.guard import Guard
def die(_guard, pid):
    os.write(1, str(pid).encode())
    os.kill(os.getpid(), signal.SIGKILL)
Guard.add_group = die
from segue.services.process.server_process import ServerProcess
folder = Path(sys.argv[1])
ServerProcess("Sleeper", ["sleep", "60"], directory=folder, log=folder / "log")
"""
    done = subprocess.run([sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE, check=False)

    assert done.returncode == -signal.SIGKILL
    eventually(lambda: not runs(int(done.stdout)), "nothing of it runs")


def runs(pid: int) -> bool:
    """Whether the process runs; one that has ended and whom nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
