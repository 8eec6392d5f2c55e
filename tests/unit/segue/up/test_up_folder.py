"""The folder of `segue up`: whose it is, who has it, what it remembers, and what `--fresh` removes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from segue.config.command_line import BadUsage
from segue.services import ServiceTrouble
from segue.up.up_folder import MARKER, Ports, locked

PORTS = Ports(20_001, 20_002)


def all_files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def with_data(folder: Path) -> None:
    """Leave what a run leaves."""
    with locked(folder) as ours:
        for name in ("kafka", "redis"):
            (ours.server(name) / "records").write_text("kept")
        ours.remember(PORTS)


def test_a_new_folder_is_made_and_git_ignores_it(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "below"
    with locked(folder) as ours:
        assert ours.ports is None
        assert not ours.was_killed
        assert ours.server("redis") == folder / "data" / "redis"
    assert (folder / ".gitignore").read_text() == "*\n"


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    with locked(tmp_path):
        assert (tmp_path / MARKER).exists()


def test_data_and_ports_stay_for_the_next_run(tmp_path: Path) -> None:
    folder = tmp_path / "up"
    with_data(folder)
    with locked(folder) as ours:
        assert ours.ports == PORTS
        assert not ours.was_killed
        assert (ours.server("kafka") / "records").read_text() == "kept"


def test_a_server_folder_has_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with locked(Path("up")) as ours:
        assert ours.server("kafka") == tmp_path / "up" / "data" / "kafka"


def test_a_folder_of_someone_else_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.txt").write_text("years")
    with pytest.raises(BadUsage, match="it has files that segue up did not make") as caught, locked(tmp_path):
        pytest.fail("not reached")
    assert str(caught.value).startswith(f"option --data is '{tmp_path}': ")
    assert all_files(tmp_path) == {"data/thesis.txt"}


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("text")
    for path in (file, file / "below"):
        with pytest.raises(BadUsage, match="give another folder"), locked(path):
            pytest.fail("not reached")
    assert file.read_text() == "text"


def test_fresh_removes_the_servers_data_and_no_other_file(tmp_path: Path) -> None:
    with_data(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with locked(tmp_path) as ours:
        ours.remove_data()
        assert all_files(tmp_path) == {MARKER, ".gitignore", "notes.txt"}
        assert ours.ports == PORTS
        ours.remove_data()  # there is nothing to remove


def test_fresh_follows_no_link(tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "up"
    with_data(folder)
    (folder / "data").rename(elsewhere)
    (folder / "data").symlink_to(elsewhere)
    with locked(folder) as ours, pytest.raises(ServiceTrouble, match="is a link"):
        ours.remove_data()
    assert all_files(elsewhere) == {"kafka/records", "redis/records"}


def test_what_a_killed_removal_left_goes_with_the_next_run(tmp_path: Path) -> None:
    with_data(tmp_path)
    (tmp_path / "data").rename(tmp_path / "removed")
    with locked(tmp_path):
        assert all_files(tmp_path) == {MARKER, ".gitignore"}


def test_a_folder_in_use_names_the_process(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(ServiceTrouble) as caught, locked(tmp_path):
        pytest.fail("not reached")
    assert str(caught.value) == (
        f"process {os.getpid()} runs segue up in {tmp_path} already: use its servers, end it, or give another"
        " folder with --data"
    )


def test_a_killed_run_leaves_no_lock(tmp_path: Path) -> None:
    program = """
import os, signal, sys
from pathlib import Path
from segue.up.up_folder import Ports, locked
with locked(Path(sys.argv[1])) as ours:
    ours.remember(Ports(20_001, 20_002))
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert done.returncode == -9
    with locked(tmp_path) as ours:
        assert ours.was_killed
        assert ours.ports == PORTS
    with locked(tmp_path) as ours:
        assert not ours.was_killed


@pytest.mark.parametrize(
    "text", ["", "{", "\udcff", '{"ports": {"kafka": 0, "redis": 6379}}', '{"ports": {"kafka": 9092}}', "[]"]
)
def test_a_marker_that_was_changed_has_no_ports(tmp_path: Path, text: str) -> None:
    (tmp_path / MARKER).write_bytes(text.encode("utf-8", "surrogateescape"))
    with locked(tmp_path) as ours:
        assert ours.ports is None
        ours.remember(PORTS)
    with locked(tmp_path) as ours:
        assert ours.ports == PORTS
