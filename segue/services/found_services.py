"""What `find_services` hands out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KafkaService:
    """A Kafka that answers."""

    bootstrap: str
    """`host:port`, as many as there are, comma-separated."""
    how: str
    """Where it comes from, for people: `local Apache Kafka 4.1.1 (JVM)`."""


@dataclass(frozen=True, slots=True)
class RedisService:
    """A Redis that answers."""

    url: str
    """As redis-py takes it: `redis://127.0.0.1:6379/0`."""
    how: str
    """Where it comes from, for people."""


@dataclass(frozen=True, slots=True)
class Services:
    """Both servers, both answering."""

    kafka: KafkaService
    redis: RedisService


@dataclass(frozen=True, slots=True)
class NoServices:
    """At least one of them cannot be had here."""

    reason: str
    """Why, in sentences for people."""
    install: tuple[str, ...]
    """Debian's names of the packages that would change that."""
