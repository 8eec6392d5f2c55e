"""The configuration of a Kafka of one node, broker and controller, for tests and the demo."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

MAX_MESSAGE_BYTES = 6 * 1024 * 1024
"""A dead letter takes up to 4 MB; its headers and the batch around it come on top."""

ONE_NODE: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    # There is one node.
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # 50 by default, each a log to open at every start.
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    # A topic that nobody made is a mistake to see.
    "auto.create.topics.enable": "false",
    "message.max.bytes": str(MAX_MESSAGE_BYTES),
    "replica.fetch.max.bytes": str(MAX_MESSAGE_BYTES),
    # Whoever joins a group need not wait for others who might.
    "group.initial.rebalance.delay.ms": "0",
    # Tests choose short sessions, to see a dead member soon.
    "group.min.session.timeout.ms": "500",
    # How often abandoned transactions are looked for, to abort them: every 10 s by default.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    # After SIGKILL the controller takes the node for alive until this has passed, and lets it in only
    # then: 9 s by default.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    # 128 MB by default, out of a small heap.
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
}
"""All but the addresses and the place of the data."""


def local_properties(
    *, data: Path, port: int, controller_port: int, extra: Mapping[str, str] | None = None
) -> str:
    """The text of `server.properties` for a node on 127.0.0.1; `extra` goes over the rest."""
    settings = {
        **ONE_NODE,
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "log.dirs": str(data),
        **(extra or {}),
    }
    return "".join(f"{name}={_escaped(value)}\n" for name, value in settings.items())


def container_environment() -> dict[str, str]:
    """The same for the image `apache/kafka`, which reads its settings from the environment.

    Clients outside come in on 9092, by an address that is known only once the container runs; 9093 is for
    the node itself.
    """
    settings = {
        **ONE_NODE,
        "listeners": "PLAINTEXT://:9092,BROKER://:9093,CONTROLLER://:9094",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "BROKER",
        "controller.quorum.voters": "1@localhost:9094",
    }
    return {f"KAFKA_{name.replace('.', '_').upper()}": value for name, value in settings.items()}


def _escaped(value: str) -> str:
    r"""As java.util.Properties reads it.

    >>> _escaped(r"a\b")
    'a\\\\b'
    """
    return value.replace("\\", "\\\\")
