"""The broker's settings, in whatever form they are given, are ones that this Kafka knows and takes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from segue.services.local.kafka_config import ONE_NODE, container_environment
from segue.services.process.service_trouble import ServiceTrouble
from segue.services.programs.kafka_jars import check_programs, find_java, kafka_jars
from tests.support.servers.services import not_here

COMPOSE = yaml.safe_load((Path(__file__).parents[3] / "docker-compose.yml").read_text())
COMPOSE_ENVIRONMENT: dict[str, str] = COMPOSE["services"]["kafka"]["environment"]
# What the image's own scripts read, and the broker never sees.
OF_THE_IMAGE = {"KAFKA_HEAP_OPTS", "CLUSTER_ID"}


@pytest.fixture(scope="module")
def java() -> list[str]:
    try:
        check_programs()
        return [find_java(), "-cp", f"{kafka_jars()}/*"]
    except ServiceTrouble as trouble:
        not_here(str(trouble), trouble.install)


def properties(environment: dict[str, str]) -> dict[str, str]:
    """As the image makes them: KAFKA_PROCESS_ROLES is process.roles."""
    return {
        name.removeprefix("KAFKA_").replace("_", ".").lower(): str(value)
        for name, value in environment.items()
        if name not in OF_THE_IMAGE
    }


def test_kafka_knows_every_setting_by_its_name(java: list[str]) -> None:
    described = subprocess.run(
        [*java, "kafka.server.KafkaConfig"], capture_output=True, text=True, check=True
    )
    known = set(re.findall(r'id="brokerconfigs_([a-z0-9.]+)"', described.stdout))
    assert "process.roles" in known
    assert (
        set(ONE_NODE) | set(properties(container_environment())) | set(properties(COMPOSE_ENVIRONMENT))
        <= known
    )


@pytest.mark.parametrize(
    "environment", [container_environment(), COMPOSE_ENVIRONMENT], ids=["testcontainers", "compose"]
)
def test_kafka_takes_the_settings_together(
    java: list[str], tmp_path: Path, environment: dict[str, str]
) -> None:
    settings = {**properties(environment), "log.dirs": str(tmp_path / "data")}
    if environment is not COMPOSE_ENVIRONMENT:  # its start script adds this
        settings["advertised.listeners"] = "PLAINTEXT://dockerhost:32999,BROKER://localhost:9093"
    file = tmp_path / "server.properties"
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    # Reads and checks all of them, as the broker does at its start.
    done = subprocess.run(
        [
            *java,
            "kafka.tools.StorageTool",
            "format",
            "-t",
            COMPOSE_ENVIRONMENT["CLUSTER_ID"],
            "-c",
            str(file),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        f"cluster.id={COMPOSE_ENVIRONMENT['CLUSTER_ID']}"
        in (tmp_path / "data" / "meta.properties").read_text()
    )
