"""setup-system.sh, on a PATH that holds only what a test puts there."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from segue.services import system_packages

Program = Callable[[str, str], None]
TOOLS = ("sh", "sed", "head", "cat")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Puts a program on the PATH, which holds nothing else but a few plain tools."""
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found
        (tmp_path / tool).symlink_to(found)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("PYTHON", raising=False)

    def put(name: str, script: str) -> None:
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)

    return put


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(system_packages.SCRIPT), *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("version", "missing"),
    [
        ('openjdk version "17.0.15" 2025-04-15', ()),
        ('openjdk version "21" 2023-09-19', ()),
        ('openjdk version "11.0.2" 2019-01-15', ("default-jre-headless",)),
        ('java version "1.8.0_201"', ("default-jre-headless",)),
    ],
)
def test_java_is_missing_when_it_is_older_than_17(
    program: Program, version: str, missing: tuple[str, ...]
) -> None:
    program("java", f"cat >&2 <<'X'\n{version}\nX")
    assert system_packages.missing_packages(("default-jre-headless",)) == missing


def test_what_is_missing_is_named_in_order(program: Program) -> None:
    program("mvn", "exit 0")
    names = ("default-jre-headless", "maven", "redis-server")
    assert system_packages.missing_packages(names) == ("default-jre-headless", "redis-server")


def test_root_on_debian_installs_what_is_missing_and_says_so_first(program: Program, tmp_path: Path) -> None:
    program("id", "echo 0")
    program("mvn", "exit 0")
    program("apt-get", f'echo "apt-get $*" >&2; echo "$*" >> {tmp_path}/calls')

    done = run("maven", "redis-server")

    assert done.returncode == 0
    assert done.stderr.splitlines()[0] == "Installing with apt-get: redis-server"
    update, install = (tmp_path / "calls").read_text().splitlines()
    assert update.endswith("update")
    assert install.endswith("install --yes --no-install-recommends redis-server")


def test_others_are_told_what_to_install_and_nothing_is_tried(program: Program, tmp_path: Path) -> None:
    program("id", "echo 1000")
    program("apt-get", f"touch {tmp_path}/called")

    done = run("maven", "redis-server")

    assert done.returncode == 3
    assert "sudo apt-get install maven redis-server" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "called").exists()


def test_nothing_missing_nothing_said(program: Program) -> None:
    program("mvn", "exit 0")
    done = run("maven")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_failed_installation_is_a_failure(program: Program) -> None:
    program("id", "echo 0")
    program("apt-get", "exit 100")
    said: list[str] = []
    assert not system_packages.install_packages(("maven",), said.append)
    assert said == ["Installing maven failed."]


def test_a_name_that_the_script_does_not_know_is_an_error(program: Program) -> None:
    assert run("nonsense").returncode == 2
