"""`segue doctor`: each trouble is a line that says what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from confluent_kafka import Producer

from schemas.wire import encode_release
from segue.doctor.check import FAIL, OK, WARN, Check, worst
from segue.doctor.on_kafka import check_kafka
from segue.doctor.on_redis import check_redis
from segue.kafka import prepare_topics
from segue.services import KafkaService, LocalRedis, RedisService
from segue.settings import Settings
from tests.releases import a_release

StartRedis = Callable[..., LocalRedis]


@pytest.fixture
def settings(
    kafka: KafkaService, redis_server: RedisService, topic_prefix: str, redis_prefix: str
) -> Settings:
    return Settings.model_validate(
        {
            "kafka": kafka.bootstrap,
            "redis": redis_server.url,
            "topic_prefix": topic_prefix,
            "redis_prefix": redis_prefix,
            "group": f"{topic_prefix}group",
            "partitions": 1,
        }
    )


def on_kafka(settings: Settings) -> dict[str, Check]:
    checks, _lanes, _model = check_kafka(settings)
    return {check.name: check for check in checks}


def on_redis(settings: Settings, lanes: int | None = None) -> dict[str, Check]:
    return {check.name: check for check in check_redis(settings, lanes, None)}


def write(settings: Settings, topic: str, key: bytes, value: bytes) -> None:
    producer = Producer(settings.kafka_client)
    producer.produce(topic, value, key)
    assert producer.flush(30) == 0


def test_the_worst_line_counts() -> None:
    ok, warn, fail = (Check("x", state, "") for state in (OK, WARN, FAIL))

    assert (worst([ok]), worst([warn, ok]), worst([warn, fail, ok])) == (OK, WARN, FAIL)


def test_missing_topics_are_named_and_what_asks_for_them_is_not_asked(settings: Settings) -> None:
    checks = on_kafka(settings)

    assert set(checks) == {"kafka", "topics", "release"}
    assert checks["kafka"].state == OK
    assert checks["topics"].state == FAIL
    assert f"the topics are {settings.topics.signups}, " in str(checks["topics"].fix)
    assert checks["release"].state == WARN


def test_events_without_a_worker_are_behind(settings: Settings) -> None:
    prepare_topics(settings, lambda _: None)
    for number in range(3):
        write(settings, settings.topics.orders, str(number).encode(), b"{}")

    checks = on_kafka(settings)

    assert checks["group"] == Check(
        "group", WARN, f"{settings.group} has 0 workers", "start one: segue worker"
    )
    assert checks["lane 0"] == Check(
        "lane 0",
        WARN,
        f"3 events behind ({settings.topics.orders} 3, {settings.topics.signups} 0)",
        "start a worker",
    )


def test_a_release_of_other_statuses_fails_and_a_refused_newer_one_warns(settings: Settings) -> None:
    prepare_topics(settings, lambda _: None)
    models = settings.topics.models
    write(settings, models, b"current", encode_release(a_release(exclude_statuses=("Cancelled",))))

    assert on_kafka(settings)["release"].state == FAIL
    assert "['Cancelled']" in on_kafka(settings)["release"].text

    write(settings, models, b"current", encode_release(a_release()))
    assert on_kafka(settings)["release"].state == OK

    write(settings, models, b"current", b"{}")
    release = on_kafka(settings)["release"]
    assert release.state == WARN
    assert "the newest release is refused" in release.text


def test_no_kafka_is_one_line(settings: Settings) -> None:
    checks = on_kafka(settings.model_copy(update={"kafka": "127.0.0.1:1"}))

    assert list(checks) == ["kafka"]
    assert "Connection refused" in checks["kafka"].text


def test_a_redis_that_forgets_and_does_not_persist(settings: Settings, fresh_redis: StartRedis) -> None:
    redis = fresh_redis(options={"maxmemory": "64mb", "maxmemory-policy": "allkeys-lru", "appendonly": "no"})
    checks = on_redis(settings.model_copy(update={"redis": redis.url}), lanes=1)

    assert checks["redis policy"].state == FAIL
    assert "CONFIG SET maxmemory-policy noeviction" in str(checks["redis policy"].fix)
    assert checks["redis persistence"].state == WARN
    assert checks["redis memory"].text.endswith("of 67 MB")
    assert checks["place 0"].state == WARN


def test_no_redis_is_one_line(settings: Settings) -> None:
    checks = on_redis(settings.model_copy(update={"redis": "redis://:secret@127.0.0.1:1/0"}))

    assert list(checks) == ["redis"]
    assert checks["redis"].state == FAIL
    assert "secret" not in checks["redis"].text
