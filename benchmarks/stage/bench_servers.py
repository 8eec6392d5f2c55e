"""A Kafka and a Redis for the measurements, as processes whose CPU time can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from segue.services import start_kafka, start_redis


@dataclass(frozen=True, slots=True)
class Servers:
    """Where both servers are, and their processes. Nothing else may use them while a way is measured."""

    bootstrap: str
    redis_url: str
    kafka_pid: int
    redis_pid: int

    @property
    def client(self) -> dict[str, str]:
        """The options of librdkafka's clients."""
        return {"bootstrap.servers": self.bootstrap}


@contextmanager
def bench_servers(say: Callable[[str], None]) -> Iterator[Servers]:
    """Start both servers; the end of the block stops them.

    Raises:
        ServiceTrouble: one of them cannot be started.
    """
    with ExitStack() as stack:
        store = start_redis(stack, say, allow_install=False)
        kafka = start_kafka(stack, say, allow_install=False)
        yield Servers(kafka.bootstrap, store.url, kafka.pid, store.pid)
