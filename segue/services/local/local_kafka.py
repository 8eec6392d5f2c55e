"""Apache Kafka in a JVM: one node, KRaft."""

from __future__ import annotations

import base64
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from segue.services.local.kafka_config import local_properties
from segue.services.local.local_server import LocalServer
from segue.services.process.answers import kafka_answers, port_open
from segue.services.process.server_process import ServerProcess, server_environment
from segue.services.process.service_trouble import ServiceTrouble
from segue.services.programs.kafka_jars import find_java, kafka_jars, kafka_version

_LOG4J = Path(__file__).parents[1] / "kafka" / "log4j2.xml"


class LocalKafka(LocalServer):
    """A separate Kafka, for the demo and for tests that kill it.

        with LocalKafka() as kafka:
            kafka.bootstrap  # '127.0.0.1:21804'

    Args:
        directory: for data, configuration and log; by default a temporary directory.
        port: the port for clients; by default a free port.
        properties: properties that override those of `kafka_config.py`.
        heap_mb: the JVM's heap in MB.
    """

    name = "Apache Kafka"
    port_count = 2  # clients, controller

    def __init__(
        self,
        directory: Path | None = None,
        *,
        port: int | None = None,
        properties: Mapping[str, str] | None = None,
        heap_mb: int = 1_024,
    ) -> None:
        super().__init__(directory, port)
        self._properties = dict(properties or {})
        self._heap_mb = heap_mb

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def how(self) -> str:
        """What it is, for people."""
        return f"local Apache Kafka {kafka_version()} (JVM)"

    def _prepare(self, directory: Path, ports: Sequence[int]) -> Sequence[str]:
        data = directory / "data"
        data.mkdir(exist_ok=True)
        properties = directory / "server.properties"
        properties.write_text(
            # Relative to the working directory: Kafka would split a path with commas.
            local_properties(
                data=Path(data.name), port=ports[0], controller_port=ports[1], extra=self._properties
            )
        )
        java = [
            find_java(),
            f"-Xmx{self._heap_mb}m",
            # Quick to start and small, which counts more here than throughput.
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            f"-Dlog4j2.configurationFile={_LOG4J}",
            "-cp",
            f"{kafka_jars()}/*",
        ]
        if not (data / "meta.properties").exists():
            self._format(java, directory, properties)
        return [*java, "kafka.Kafka", properties.name]

    def _format(self, java: Sequence[str], directory: Path, properties: Path) -> None:
        command = [*java, "kafka.tools.StorageTool", "format", f"--cluster-id={_new_cluster_id()}"]
        command += ["-c", properties.name]
        done = subprocess.run(
            command, cwd=directory, env=server_environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ServiceTrouble(
                f"{self.name} could not format its storage: {done.stdout}{done.stderr}".strip()
            )

    def _answers(self, process: ServerProcess) -> bool:  # noqa: ARG002 - the cluster id tells
        # Check the port first: after a failed connection a client waits before it tries again.
        return port_open(self.port) and kafka_answers(self.bootstrap, cluster_id=self._cluster_id())

    def _cluster_id(self) -> str:
        lines = (self.directory / "data" / "meta.properties").read_text().splitlines()
        return next(line.removeprefix("cluster.id=") for line in lines if line.startswith("cluster.id="))


def _new_cluster_id() -> str:
    """Return a random UUID in Kafka's notation: base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
