"""The search for a Kafka and a Redis, in a fixed order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from schemas.errors import Unreachable
from segue.config.setting_texts import without_password
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
    """Give a Kafka and a Redis that answer; the end of the block stops the servers that it started.

    The search for each of them tries: 1. the address in the settings; 2. a Docker engine; 3. a server on this
    machine.

    Args:
        kafka: bootstrap servers, `host:port`; None if the settings have no address.
        redis: a URL; None if the settings have no URL.
        allow_install: whether to install system packages (as root on Debian) or download a redis-server.
        say: takes a sentence for people before each long step.
        kafka_options: more options for librdkafka, if the cluster in the settings needs them.

    Returns:
        Both services; `NoServices` if one of them is not available.

    Raises:
        Unreachable: an address in the settings does not answer. The search then tries nothing else.
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
    # Search for both, even if the first is not available: then the message names all that is missing.
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
    """Return the first service that a source finds; if there is none, note the troubles and return None."""
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
            raise Unreachable(f"Kafka does not answer at {bootstrap}, the address in the settings.")

    Wait(f"Kafka at {bootstrap}", say).until_answered(check)
    return KafkaService(bootstrap, "named by the settings")


def _named_redis(url: str, say: Callable[[str], None]) -> RedisService:
    where = without_password(url)

    def check() -> None:
        if not redis_answers(url):
            raise Unreachable(f"Redis does not answer at {where}, the address in the settings.")

    Wait(f"Redis at {where}", say).until_answered(check)
    return RedisService(url, "named by the settings")


def _local_kafka(stack: ExitStack, say: Callable[[str], None], *, allow_install: bool) -> KafkaService:
    server = start_kafka(stack, say, allow_install=allow_install)
    return KafkaService(server.bootstrap, server.how)


def _local_redis(stack: ExitStack, say: Callable[[str], None], *, allow_install: bool) -> RedisService:
    server = start_redis(stack, say, allow_install=allow_install)
    return RedisService(server.url, server.how)
