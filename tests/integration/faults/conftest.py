"""A worker at work on servers, which a file that hurts them overrides by its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.services import KafkaService, RedisService
from tests.support.servers.deployment import Deployment, deployed
from tests.support.workers.at_work import AtWork, at_work
from tests.support.worlds.trained_shops import a_trained_folder


@pytest.fixture(scope="module")
def broker(kafka: KafkaService) -> KafkaService:
    """The Kafka that the worker uses."""
    return kafka


@pytest.fixture(scope="module")
def store(redis_server: RedisService) -> RedisService:
    """The Redis that the worker uses."""
    return redis_server


@pytest.fixture(scope="module")
def partitions() -> int:
    return 3


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of a small shop, whose users are like those of the events; its folder."""
    return a_trained_folder(tmp_path_factory.mktemp("release"))


@pytest.fixture
def deployment(
    broker: KafkaService, store: RedisService, topic_prefix: str, tmp_path: Path, partitions: int
) -> Iterator[Deployment]:
    running = Deployment(broker.bootstrap, store.url, topic_prefix, tmp_path, partitions)
    with deployed(running):
        yield running


@pytest.fixture
def busy(deployment: Deployment, release: Path) -> Iterator[AtWork]:
    with at_work(deployment, release) as working:
        yield working
