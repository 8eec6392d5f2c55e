"""Does a server answer, and is it the one that is meant?"""

from __future__ import annotations

import socket
from collections.abc import Mapping

import redis
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

_TIMEOUT_S = 5.0


def kafka_answers(
    bootstrap: str, *, cluster_id: str | None = None, options: Mapping[str, str] | None = None
) -> bool:
    """Whether a metadata request is answered by a cluster with brokers (and, where given, of this id).

    Args:
        bootstrap: `host:port`.
        cluster_id: the cluster's id; None takes any.
        options: more of librdkafka's settings, for a secured cluster.
    """
    # Silent: that nobody answers is an answer here.
    admin = AdminClient({"log_level": 0, **(options or {}), "bootstrap.servers": bootstrap})
    try:
        metadata = admin.list_topics(timeout=_TIMEOUT_S)
    except KafkaException:
        return False
    return bool(metadata.brokers) and cluster_id in (None, metadata.cluster_id)


def redis_answers(url: str, *, pid: int | None = None) -> bool:
    """Whether a Redis answers PING there (and, where given, is the process of this id)."""
    try:
        with redis.Redis.from_url(
            url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S
        ) as client:
            client.ping()
            return pid is None or client.info("server")["process_id"] == pid
    except redis.RedisError:  # also while it loads its data
        return False


def port_open(port: int) -> bool:
    """Whether anybody listens on this port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S).close()
    except OSError:
        return False
    return True
