"""The files that run Segue elsewhere say the same as the code, and as one another."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from schemas.outputs.segment_change import SegmentChange
from schemas.topics import Topics, topic_configs
from segue.services import containers
from segue.services.local.kafka_config import MAX_MESSAGE_BYTES
from segue.triggers.sending.made_up_change import made_up_change

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
LOCKS = ["requirements.lock", "deploy/worker.lock", "deploy/trainer.lock", "deploy/build.lock"]
DOCS_LOCK = "requirements-docs.lock"
BENCH_LOCK = "requirements-bench.lock"


def names(requirements: list[str]) -> set[str]:
    """The names of packages, without versions and extras."""
    return {re.split(r"[\[<>=~! ;]", requirement)[0].lower() for requirement in requirements}


def pins(lock: str) -> set[str]:
    """`name==version` of every package in a lock."""
    return set(re.findall(r"^[a-z0-9.-]+==[^ ]+", (ROOT / lock).read_text(), re.MULTILINE))


# docker-compose.yml ----------------------------------------------------------------------------------


def test_compose_runs_the_servers_that_the_tests_run() -> None:
    assert SERVICES["kafka"]["image"] == SERVICES["topics"]["image"] == containers.kafka_image()
    assert SERVICES["redis"]["image"] == containers.REDIS_IMAGE


def test_compose_waits_only_for_what_can_come_true() -> None:
    for name, service in SERVICES.items():
        for other, wait in service.get("depends_on", {}).items():
            if wait["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], f"{name} waits for the health of {other}"
            else:
                assert wait["condition"] == "service_completed_successfully"
                assert SERVICES[other].get("restart") != "unless-stopped", f"{other} never completes"


def test_the_receiver_of_compose_prints_every_webhook() -> None:
    words_of = runpy.run_path(str(ROOT / "deploy" / "compose" / "receiver.py"))["words_of"]
    moved, erased = (made_up_change(erased=erased) for erased in (False, True))
    assert isinstance(moved, SegmentChange)
    for change, words in ((moved, f"is now in {moved.segment_name}"), (erased, "was erased")):
        body = msgspec.json.encode({"data": {"user_id": change.user_id, "change": change}})
        assert words_of(body) == f"user {change.user_id} {words}"
    for body in (b'{"email": "7"}', b"[1]", b"hello"):  # of a template
        assert words_of(body) == body.decode()


def test_compose_builds_what_the_dockerfile_has() -> None:
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", dockerfile, re.MULTILINE))
    for service in SERVICES.values():
        if "build" in service:
            assert (ROOT / service["build"]["dockerfile"]).is_file()
            assert service["build"]["target"] in stages


def test_compose_makes_every_topic_as_segue_does(tmp_path: Path) -> None:
    recorder = tmp_path / "kafka-topics.sh"
    recorder.write_text('#!/bin/sh\necho "$@"\n')
    recorder.chmod(0o755)
    script = SERVICES["topics"]["command"][0].replace("$$", "$")
    script = script.replace("/opt/kafka/bin/kafka-topics.sh", str(recorder))

    done = subprocess.run(
        [*SERVICES["topics"]["entrypoint"], script],
        env={"LANES": "7"},
        capture_output=True,
        text=True,
        check=True,
    )

    made: dict[str, dict[str, str]] = {}
    partitions: dict[str, int] = {}
    for line in done.stdout.splitlines():
        words = line.split()
        topic = words[words.index("--topic") + 1]
        partitions[topic] = int(words[words.index("--partitions") + 1])
        settings = [after for word, after in pairwise(words) if word == "--config"]
        made[topic] = dict(setting.split("=", 1) for setting in settings)
    topics = Topics()
    assert made == topic_configs(topics)
    assert {partitions[topic] for topic in topics.laned} == {7}
    assert partitions[topics.models] == 1


def test_composes_redis_keeps_every_state() -> None:
    command = SERVICES["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--maxmemory-policy"] == "noeviction"
    assert options["--appendonly"] == "yes"


def test_composes_redis_repairs_its_file_before_it_starts(tmp_path: Path) -> None:
    for program in ("redis-check-aof", "docker-entrypoint.sh"):
        (tmp_path / program).write_text(f'#!/bin/sh\necho {program} "$@" >> {tmp_path}/calls\n')
        (tmp_path / program).chmod(0o755)
    manifest = tmp_path / "appendonlydir" / "appendonly.aof.manifest"
    service = SERVICES["redis"]
    shell, option, script, name = service["entrypoint"]
    command = [shell, option, script.replace("$$", "$").replace("/data/", f"{tmp_path}/"), name]
    for _ in range(2):
        subprocess.run(
            [*command, *service["command"][:2]], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=True
        )
        manifest.parent.mkdir(exist_ok=True)
        manifest.touch()
    starts = "docker-entrypoint.sh redis-server --appendonly"
    assert (tmp_path / "calls").read_text().splitlines() == [
        starts,
        f"redis-check-aof --fix {manifest}",
        starts,
    ]


def test_composes_kafka_takes_dead_letters() -> None:
    environment = SERVICES["kafka"]["environment"]
    assert environment["KAFKA_MESSAGE_MAX_BYTES"] == MAX_MESSAGE_BYTES
    assert environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_docker_compose_accepts_the_file() -> None:
    docker = shutil.which("docker")
    asked = docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False)
    if not docker or not asked or asked.returncode:
        pytest.skip("no docker compose on this machine; the tests beside this one read the file themselves")
    done = subprocess.run(
        [docker, "compose", "--file", str(ROOT / "docker-compose.yml"), "config", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# Dependencies ----------------------------------------------------------------------------------------


def test_a_workers_image_has_neither_scikit_learn_nor_pandas() -> None:
    worker = names(sorted(pins("deploy/worker.lock")))
    extras = PROJECT["project"]["optional-dependencies"]
    assert names(PROJECT["project"]["dependencies"]) | names(extras["worker"]) <= worker
    assert names(extras["triggers"]) <= worker  # `segue triggers run` runs in the same image
    assert worker.isdisjoint({"scikit-learn", "pandas", "scipy", "duckdb", "matplotlib"})


# Drivers that nothing here runs with, and that would add dozens of packages to the lock.
UNLOCKED = {"snowflake", "bigquery"}


def test_the_locks_hold_what_the_project_asks_for() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    docs, bench = names(extras["docs"]), names(extras["bench"])
    extras = {name: extra for name, extra in extras.items() if name not in UNLOCKED | {"docs", "bench"}}
    asked = names(PROJECT["project"]["dependencies"]).union(*(names(extra) for extra in extras.values()))
    assert asked <= names(sorted(pins("requirements.lock")))
    trainer = names(PROJECT["project"]["dependencies"]) | names(extras["worker"]) | names(extras["trainer"])
    assert trainer <= names(sorted(pins("deploy/trainer.lock")))
    assert docs <= names(sorted(pins(DOCS_LOCK)))
    assert bench <= names(sorted(pins(BENCH_LOCK)))
    assert names(PROJECT["build-system"]["requires"]) <= names(sorted(pins("deploy/build.lock")))


def test_the_images_run_the_versions_that_are_tested() -> None:
    for lock in LOCKS[1:]:
        assert pins(lock) <= pins("requirements.lock"), lock


@pytest.mark.parametrize("lock", [*LOCKS, DOCS_LOCK, BENCH_LOCK])
def test_every_pin_has_a_hash_and_no_lock_names_a_server(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)
    entries = re.split(r"\n(?=[a-z0-9])", text)[1:]
    assert len(entries) >= len(pins(lock))
    assert all("--hash=sha256:" in entry for entry in entries)


def test_every_dependency_is_explained_once() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    asked = names(PROJECT["project"]["dependencies"]).union(*(names(extra) for extra in extras.values()))
    text = (ROOT / "docs" / "dependencies.md").read_text()
    explained = re.findall(r"^\| `([a-z0-9-]+)` \|", text, re.MULTILINE)
    assert sorted(explained) == sorted(asked)


# The Makefile and the rules --------------------------------------------------------------------------


def test_make_lists_every_command() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = " ".join(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE))
    listed = subprocess.run(["make", "--silent"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^ +make ([a-z-]+)", listed, re.MULTILINE)) == set(phony.split())


def test_every_ignored_lint_is_explained() -> None:
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    start, end = lines.index("ignore = ["), lines.index("[tool.ruff.lint.mccabe]")
    rules = [line for line in lines[start:end] if re.search(r'"[A-Z]+[0-9]*"', line)]
    assert len(rules) > 10
    assert [line for line in rules if "#" not in line] == []


def test_no_module_of_ours_is_exempted_from_the_type_checker() -> None:
    ours = PROJECT["tool"]["mypy"]["files"]
    assert set(ours) >= {"schemas", "trainer", "streamer", "segue", "benchmarks", "scripts", "tests"}
    for override in PROJECT["tool"]["mypy"]["overrides"]:
        assert set(override) in ({"module", "ignore_missing_imports"}, {"module", "implicit_reexport"})
        assert not [module for module in override["module"] if module.split(".", 1)[0] in ours]


@pytest.mark.parametrize(
    ("target", "packages"), [("venv", "Python's packages in .venv"), ("docs", "the site's packages")]
)
def test_make_says_what_takes_minutes_before_it_begins(target: str, packages: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", target], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert f"Setting up {packages}" in done.stdout[: done.stdout.index("pip install")]
