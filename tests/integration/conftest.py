"""Fixtures for the tests of commands."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.services import KafkaService, RedisService
from tests.support.servers.acl import login
from tests.support.servers.deployment import Deployment, deployed
from tests.support.worlds.made_up_release import a_release


@pytest.fixture
def deployment(
    kafka: KafkaService, redis_server: RedisService, topic_prefix: str, tmp_path: Path
) -> Iterator[Deployment]:
    """A deployment for one test: topics, a group, a Redis prefix and a current release."""
    with (
        deployed(Deployment(kafka.bootstrap, redis_server.url, topic_prefix, tmp_path, partitions=3)) as made,
        login(redis_server.url, made.prefix) as url,
    ):
        made.settings = {"SEGUE_REDIS": url}  # with no more rights than docs/redis.md asks for
        made.announce(a_release())
        yield made
