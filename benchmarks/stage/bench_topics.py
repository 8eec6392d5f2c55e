"""The topics of a run: made with the release, and deleted after it."""

from __future__ import annotations

from concurrent.futures import wait

import redis
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from benchmarks.stage.bench_servers import Servers
from schemas.errors import SegueError
from schemas.outputs.wire import encode_release
from schemas.release.model_release import ModelRelease
from schemas.topics import MODELS_CURRENT_KEY, Topics, topic_configs
from streamer.kafka.topics_admin import create_topics

_DEADLINE_S = 60.0


def make_topics(servers: Servers, topics: Topics, partitions: int, release: ModelRelease) -> None:
    """Create the topics, and make the release current."""
    create_topics(servers.client, topics, partitions)
    producer = Producer(servers.client)
    for key in (release.version, MODELS_CURRENT_KEY):
        producer.produce(topics.models, encode_release(release), key.encode())
    if producer.flush(_DEADLINE_S):
        raise SegueError("Kafka did not take the release")


def drop_topics(servers: Servers, topics: Topics) -> None:
    """Delete the topics."""
    wait(AdminClient({**servers.client}).delete_topics(list(topic_configs(topics))).values())


def empty_redis(servers: Servers) -> None:
    """Delete everything in Redis."""
    with redis.Redis.from_url(servers.redis_url, socket_timeout=60) as client:
        client.flushall()
