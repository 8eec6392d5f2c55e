"""The results of `find_services`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KafkaService:
    """A Kafka that answers."""

    bootstrap: str
    """The bootstrap servers: `host:port`, separated by commas."""
    how: str
    """The origin, for people: `local Apache Kafka 4.1.1 (JVM)`."""


@dataclass(frozen=True, slots=True)
class RedisService:
    """A Redis that answers."""

    url: str
    """A URL for redis-py: `redis://127.0.0.1:6379/0`."""
    how: str
    """The origin, for people."""


@dataclass(frozen=True, slots=True)
class Services:
    """Both servers, both answering."""

    kafka: KafkaService
    redis: RedisService


@dataclass(frozen=True, slots=True)
class NoServices:
    """At least one of the servers is not available."""

    reason: str
    """Why, in sentences for people."""
    install: tuple[str, ...]
    """The missing packages, by their names in Debian."""
