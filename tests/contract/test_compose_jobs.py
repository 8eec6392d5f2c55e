"""The scripts of docker-compose.yml, run over a `segue` that notes what it is asked."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from segue.cli.commands import COMMANDS
from segue.config.settings import Settings
from segue.triggers.file.trigger_file import load_triggers

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
SHOP = ROOT / "deploy" / "shop"

STUB = """#!/bin/sh
echo "$@" >> "$HOME/asked"
[ "$1" != "$FAILS" ] || { echo "Error: a sentence" >&2; exit 2; }
[ "$1" != train ] || { mkdir -p "$HOME/releases/v1"; echo page > "$HOME/releases/v1/report.html"
  echo "$HOME/releases/v1"; }
"""

SLEEPS_ONCE = """#!/bin/sh
[ ! -e "$HOME/slept" ] || exit 9
: > "$HOME/slept"
"""


class Job:
    """One script in a folder of its own, with a stub in place of Segue's commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("releases", "reports", "bin"):
            (folder / name).mkdir()
        for name, text in {"segue": STUB, "sleep": SLEEPS_ONCE}.items():
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)

    def run(self, name: str, **environment: str) -> subprocess.CompletedProcess[str]:
        script = (ROOT / "deploy" / "compose" / name).read_text().replace("/home/segue", str(self.folder))
        given = {"DEMO_WAREHOUSE": "demo", "DEMO_AS_OF": "2024-07-01", "FAILS": "", **environment}
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return subprocess.run(
            ["sh", "-c", script],
            env={"PATH": path, "HOME": str(self.folder), **given},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def asked(self) -> list[str]:
        file = self.folder / "asked"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_the_first_release_is_made_once_and_its_report_is_where_the_browser_looks(job: Job) -> None:
    for _ in range(2):
        assert job.run("first-release.sh").returncode == 0
    assert job.asked == [
        f"train --warehouse demo --as-of 2024-07-01 --out {job.folder}/releases",
        f"publish {job.folder}/releases/v1",
        "bootstrap --warehouse demo --as-of 2024-07-01",
    ]
    assert (job.folder / "reports" / "index.html").read_text() == "page\n"


@pytest.mark.parametrize("step", ["train", "publish", "bootstrap"])
def test_an_error_ends_the_first_release_with_its_sentence_and_the_next_start_tries_again(
    job: Job, step: str
) -> None:
    done = job.run("first-release.sh", FAILS=step)
    assert (done.returncode, done.stderr) == (2, "Error: a sentence\n")
    assert SERVICES["model"]["restart"] == "no"
    assert job.run("first-release.sh").returncode == 0
    assert job.asked[-1].startswith("bootstrap ")


def test_ones_own_shop_is_read_as_of_now_and_sends_its_events_itself(job: Job) -> None:
    assert job.run("first-release.sh", WAREHOUSE="/shop").returncode == 0
    assert re.fullmatch(r"train --warehouse /shop --as-of 2\d{3}-\d\d-\d\dT\S+Z --out \S+", job.asked[0])
    assert job.run("demo-events.sh", WAREHOUSE="/shop").returncode == 0
    assert len(job.asked) == 3


def test_the_demos_events_go_on_where_its_states_end(job: Job) -> None:
    assert job.run("demo-events.sh").returncode == 0
    assert job.asked == ["ingest --warehouse demo --since 2024-07-01 --rate 2"]


@pytest.mark.parametrize("step", ["", "train", "publish"])
def test_the_nights_go_on_after_a_failure(job: Job, step: str) -> None:
    """The second night does not come: the stub of `sleep` ends the script."""
    assert job.run("every-night.sh", FAILS=step).returncode == 9
    train = f"train --warehouse demo --out {job.folder}/releases"
    assert job.asked == ([train] if step == "train" else [train, f"publish {job.folder}/releases/v1"])


def test_every_service_of_ours_runs_a_command_that_exists() -> None:
    names = {command.name for command in COMMANDS}
    for name, service in SERVICES.items():
        if "build" not in service or service.get("entrypoint", ["segue"]) != ["segue"]:
            continue
        words = service.get("command", ["worker"])
        assert names & {words[0], " ".join(words[:2])}, name
        given = {one for one in service["environment"] if one.startswith("SEGUE_")}
        assert given <= {f"SEGUE_{one.upper()}" for one in Settings.model_fields} | {"SEGUE_CONSOLE_TOKEN"}


def test_a_wrong_setting_is_not_tried_for_ever() -> None:
    ours = {name: service["restart"] for name, service in SERVICES.items() if "build" in service}
    assert set(ours.values()) <= {"no", "on-failure:5"}


def test_every_file_that_is_mounted_is_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = re.sub(r"\$\{\w+:-(.+?)\}", r"\1", volume).split(":")[0]
            assert not source.startswith(".") or (ROOT / source).exists(), source


def test_every_port_is_of_this_machine_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) > 6
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_demos_files_are_good() -> None:
    assert set(tomllib.loads((SHOP / "segue.toml").read_text())) <= set(Settings.model_fields)
    assert "//receiver:" in str(load_triggers(SHOP / "triggers.toml"))
