"""The order in which a Kafka and a Redis are looked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TypeVar
from urllib.parse import urlsplit

from schemas.errors import Unreachable
from segue.connect.wait_for_servers import Wait
from segue.services.containers import container_kafka, container_redis
from segue.services.found_services import KafkaService, NoServices, RedisService, Services
from segue.services.process.answers import kafka_answers, redis_answers
from segue.services.process.service_trouble import ServiceTrouble
from segue.services.start_local import start_kafka, start_redis

_Found = TypeVar("_Found")


@contextmanager
def find_services(
    *,
    kafka: str | None = None,
    redis: str | None = None,
    allow_install: bool = False,
    say: Callable[[str], None] = lambda _: None,
    kafka_options: Mapping[str, str] | None = None,
) -> Iterator[Services | NoServices]:
    """A Kafka and a Redis that answer, for as long as the block lasts.

    Each of the two is looked for by itself: 1. at the address that the settings name; 2. in a Docker
    engine; 3. on this machine. What was started is ended with the block.

    Args:
        kafka: bootstrap servers, `host:port`; None if the settings name none.
        redis: a URL; None if the settings name none.
        allow_install: system packages may be installed (as root on Debian), and a redis-server fetched.
        say: takes a sentence for people before anything that takes long.
        kafka_options: more of librdkafka's settings, for a named cluster that asks for them.

    Raises:
        Unreachable: a named address does not answer. Nothing else is tried then: it was meant.
    """
    with ExitStack() as stack:
        yield _find(stack, kafka, redis, allow_install=allow_install, say=say, kafka_options=kafka_options)


def _find(
    stack: ExitStack,
    kafka: str | None,
    redis: str | None,
    *,
    allow_install: bool,
    say: Callable[[str], None],
    kafka_options: Mapping[str, str] | None,
) -> Services | NoServices:
    # Both, even if the first is not to be had: so that all that is missing is named at once.
    troubles: list[ServiceTrouble] = []
    found_redis: RedisService | None = None
    found_kafka: KafkaService | None = None
    if redis is not None:
        found_redis = _named_redis(redis, say)
    if kafka is not None:
        found_kafka = _named_kafka(kafka, kafka_options, say)
    if found_redis is None:
        found_redis = _first(
            [
                lambda: container_redis(stack, say),
                lambda: _local_redis(stack, say, allow_install=allow_install),
            ],
            troubles,
        )
    if found_kafka is None:
        found_kafka = _first(
            [
                lambda: container_kafka(stack, say),
                lambda: _local_kafka(stack, say, allow_install=allow_install),
            ],
            troubles,
        )
    if found_kafka is None or found_redis is None:
        sentences = dict.fromkeys(str(trouble) for trouble in troubles)
        names = dict.fromkeys(name for trouble in troubles for name in trouble.install)
        return NoServices(" ".join(sentences), tuple(names))
    return Services(found_kafka, found_redis)


def _first(sources: Sequence[Callable[[], _Found]], troubles: list[ServiceTrouble]) -> _Found | None:
    """What the first source gives that has it; else None, with the troubles of all noted."""
    met: list[ServiceTrouble] = []
    for source in sources:
        try:
            return source()
        except ServiceTrouble as trouble:
            met.append(trouble)
    troubles += met
    return None


def _named_kafka(
    bootstrap: str, options: Mapping[str, str] | None, say: Callable[[str], None]
) -> KafkaService:
    def check() -> None:
        if not kafka_answers(bootstrap, options=options):
            raise Unreachable(f"Kafka does not answer at {bootstrap}, the address that the settings name.")

    Wait(f"Kafka at {bootstrap}", say).until_answered(check)
    return KafkaService(bootstrap, "named by the settings")


def _named_redis(url: str, say: Callable[[str], None]) -> RedisService:
    where = urlsplit(url)._replace(netloc=urlsplit(url).netloc.rpartition("@")[2]).geturl()  # no password

    def check() -> None:
        if not redis_answers(url):
            raise Unreachable(f"Redis does not answer at {where}, the address that the settings name.")

    Wait(f"Redis at {where}", say).until_answered(check)
    return RedisService(url, "named by the settings")


def _local_kafka(stack: ExitStack, say: Callable[[str], None], *, allow_install: bool) -> KafkaService:
    server = start_kafka(stack, say, allow_install=allow_install)
    return KafkaService(server.bootstrap, server.how)


def _local_redis(stack: ExitStack, say: Callable[[str], None], *, allow_install: bool) -> RedisService:
    server = start_redis(stack, say, allow_install=allow_install)
    return RedisService(server.url, server.how)
