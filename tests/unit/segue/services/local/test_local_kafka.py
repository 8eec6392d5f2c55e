"""The local Kafka's pins, configuration and jars; without starting one."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.topics import MAX_DEAD_LETTER_BYTES
from segue.services import ServiceTrouble, containers
from segue.services.local.kafka_config import ONE_NODE, container_environment, local_properties
from segue.services.programs import kafka_jars


def test_properties_hold_the_addresses_and_what_is_laid_over_them(tmp_path: Path) -> None:
    text = local_properties(
        data=tmp_path, port=20_001, controller_port=20_002, extra={"num.partitions": "3", "node.id": "7"}
    )
    lines = text.splitlines()
    assert "listeners=PLAINTEXT://127.0.0.1:20001,CONTROLLER://127.0.0.1:20002" in lines
    assert "controller.quorum.voters=1@127.0.0.1:20002" in lines
    assert f"log.dirs={tmp_path}" in lines
    assert "num.partitions=3" in lines
    assert "node.id=7" in lines
    assert len({line.split("=")[0] for line in lines}) == len(lines)


def test_a_container_gets_the_same_settings() -> None:
    environment = container_environment()
    assert environment["KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS"] == "500"
    assert environment["KAFKA_PROCESS_ROLES"] == "broker,controller"
    assert len(environment) == len(ONE_NODE) + 4


def test_the_broker_takes_dead_letters() -> None:
    assert int(ONE_NODE["message.max.bytes"]) > MAX_DEAD_LETTER_BYTES


def test_docker_and_the_jvm_run_the_same_version() -> None:
    assert containers.kafka_image() == f"apache/kafka:{kafka_jars.kafka_version()}"
    major, minor, *_ = (int(part) for part in kafka_jars.kafka_version().split("."))
    assert (major, minor) >= (4, 1)


def test_the_pinned_jars_are_those_of_this_version() -> None:
    names = [line.split()[1] for line in kafka_jars._HASHES.read_text().splitlines()]
    assert f"kafka_2.13-{kafka_jars.kafka_version()}.jar" in names
    assert names == sorted(names)


def test_a_jar_that_is_not_the_pinned_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = tmp_path / "jars.sha256"
    for name in ("good", "other"):
        (tmp_path / f"{name}.jar").write_text(name)
    hashes.write_text("".join(f"{line}\n" for line in kafka_jars.hashes(tmp_path)))
    monkeypatch.setattr(kafka_jars, "_HASHES", hashes)
    kafka_jars._check(tmp_path)

    (tmp_path / "other.jar").write_text("another")
    with pytest.raises(ServiceTrouble, match=r"not the pinned ones: other\.jar\.$"):
        kafka_jars._check(tmp_path)

    (tmp_path / "other.jar").unlink()
    with pytest.raises(ServiceTrouble, match=r"other\.jar"):
        kafka_jars._check(tmp_path)


def test_without_maven_the_package_to_install_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    said: list[str] = []
    with pytest.raises(ServiceTrouble, match="Maven is not installed") as caught:
        kafka_jars.kafka_jars(said.append)
    assert caught.value.install == ("maven",)
    assert said == []


def test_all_programs_that_are_missing_are_named_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    kafka_jars.find_java.cache_clear()

    with pytest.raises(ServiceTrouble) as caught:
        kafka_jars.check_programs()
    assert str(caught.value) == "Java is not installed. Maven is not installed."
    assert caught.value.install == ("default-jre-headless", "maven")

    (tmp_path / "segue" / kafka_jars._folder_name()).mkdir(parents=True)  # the jars are there already
    with pytest.raises(ServiceTrouble, match=r"^Java is not installed\.$"):
        kafka_jars.check_programs()


@pytest.mark.parametrize(
    ("says", "problem"),
    [
        (None, "Java is not installed"),
        ('openjdk version "11.0.2" 2019-01-15', "Kafka needs Java 17 or newer"),
        ("nonsense", "Kafka needs Java 17 or newer"),
    ],
)
def test_a_java_that_is_missing_or_old_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str | None, problem: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    if says is not None:
        (tmp_path / "java").write_text(f"#!/bin/sh\necho '{says}' >&2\n")
        (tmp_path / "java").chmod(0o755)
    with pytest.raises(ServiceTrouble, match=problem) as caught:
        kafka_jars.find_java.__wrapped__()
    assert caught.value.install == ("default-jre-headless",)
