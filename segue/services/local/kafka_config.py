"""The configuration of a one-node Kafka, broker and controller in one, for tests and the demo."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

MAX_MESSAGE_BYTES = 6 * 1024 * 1024
"""A dead letter has up to 4 MB; its headers and its batch need more room."""

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
    # The default is 50, and every start opens all these logs.
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    # A missing topic is a mistake that tests must see.
    "auto.create.topics.enable": "false",
    "message.max.bytes": str(MAX_MESSAGE_BYTES),
    "replica.fetch.max.bytes": str(MAX_MESSAGE_BYTES),
    # The first member of a group does not wait for others.
    "group.initial.rebalance.delay.ms": "0",
    # Tests use short sessions, so that the group soon notices a dead member.
    "group.min.session.timeout.ms": "500",
    # How often the broker looks for abandoned transactions to abort; the default is 10 s.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    # After SIGKILL the controller takes the node for alive until this time has passed, and only then accepts
    # it again; the default is 9 s.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    # The default of 128 MB is too much for a small heap.
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
}
"""All settings but the addresses and the data directory."""


def local_properties(
    *, data: Path, port: int, controller_port: int, extra: Mapping[str, str] | None = None
) -> str:
    """Return the text of `server.properties` for a node on 127.0.0.1.

    Args:
        data: the directory for the logs.
        port: the port for clients.
        controller_port: the port of the controller.
        extra: more properties, which override the others.
    """
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
    """Return the environment variables with the settings of the image `apache/kafka`.

    Clients outside use the port 9092; their address is known only after the container's start. The node
    itself uses 9093.
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
    r"""Escape a value for java.util.Properties.

    >>> _escaped(r"a\b")
    'a\\\\b'
    """
    return value.replace("\\", "\\\\")
