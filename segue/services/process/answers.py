"""Check whether a server answers, and whether it is the right server."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import closing

import redis
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from schemas.errors import Unreachable
from segue import interruption
from streamer.redis.redis_client import connect

_TIMEOUT_S = 5.0


def kafka_answers(
    bootstrap: str, *, cluster_id: str | None = None, options: Mapping[str, str] | None = None
) -> bool:
    """Whether a cluster with brokers (and with this id, if given) answers a metadata request.

    Args:
        bootstrap: `host:port`.
        cluster_id: the expected id; None accepts any id.
        options: more options for librdkafka, for a secured cluster.
    """
    # No log: a cluster that does not answer is an expected result here.
    admin = AdminClient({"log_level": 0, **(options or {}), "bootstrap.servers": bootstrap})
    try:
        metadata = admin.list_topics(timeout=_TIMEOUT_S)
    except KafkaException:
        return False
    finally:
        with interruption.held():  # an exception in the client's end would be lost (`raise_lost`)
            del admin
    return bool(metadata.brokers) and cluster_id in (None, metadata.cluster_id)


def redis_answers(url: str, *, pid: int | None = None) -> bool:
    """Whether a Redis (with this process id, if given) answers PING at the URL."""
    try:
        with closing(connect(url, _TIMEOUT_S)) as client:
            client.ping()
            return pid is None or client.info("server")["process_id"] == pid
    except (redis.RedisError, Unreachable):  # also raised while Redis loads its data
        return False


def port_open(port: int) -> bool:
    """Whether a process listens on this port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S).close()
    except OSError:
        return False
    return True
