"""`segue worker` where something is missing: it waits, and says for what; or ends with one sentence."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from schemas.input_events import Item, Order
from schemas.inputs.decode import encode_order
from schemas.outputs.wire import encode_release
from schemas.topics import Topics
from segue.services import KafkaService, LocalRedis, RedisService
from tests.support.servers.segue_process import SegueProcess
from tests.support.servers.services import HANG_S
from tests.support.worlds.made_up_release import a_recency_release, a_release

StartRedis = Callable[..., LocalRedis]
NOBODY = "127.0.0.1:1"


@pytest.fixture
def settings(
    kafka: KafkaService, redis_server: RedisService, topic_prefix: str, redis_prefix: str
) -> dict[str, str]:
    return {
        "SEGUE_KAFKA": kafka.bootstrap,
        "SEGUE_REDIS": redis_server.url,
        "SEGUE_TOPIC_PREFIX": topic_prefix,
        "SEGUE_REDIS_PREFIX": redis_prefix,
        "SEGUE_GROUP": f"{topic_prefix}group",
        "SEGUE_PARTITIONS": "1",
        "SEGUE_LOG_FORMAT": "json",
    }


def publish(kafka: KafkaService, topics: Topics, value: bytes) -> None:
    """Make this the current release, whatever it is."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    producer.produce(topics.models, value, b"current")
    assert producer.flush(HANG_S) == 0


def reasons(log: str) -> list[str]:
    """What the worker says that it waits for."""
    told = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [line["reason"] for line in told if "reason" in line]


def test_no_broker_is_waited_for_visibly_until_a_signal(settings: dict[str, str], tmp_path: Path) -> None:
    with SegueProcess(tmp_path, "worker", environment={**settings, "SEGUE_KAFKA": NOBODY}) as worker:
        worker.says("worker.waits")
        assert reasons(worker.err)[0].startswith(f"Kafka at {NOBODY} did not ")
        worker.terminate()
        assert worker.ends() == 0


def test_no_redis_is_waited_for_visibly(settings: dict[str, str], tmp_path: Path) -> None:
    where = {"SEGUE_REDIS": f"redis://:hunter2@{NOBODY}/0"}
    with SegueProcess(tmp_path, "worker", environment={**settings, **where}) as worker:
        worker.says("worker.waits")
        assert reasons(worker.err)[-1].startswith(f"Redis at {NOBODY} ")
        assert "hunter2" not in worker.err


def test_a_redis_that_comes_is_gone_on_with(
    settings: dict[str, str], fresh_redis: StartRedis, tmp_path: Path
) -> None:
    redis = fresh_redis()
    redis.kill()
    with SegueProcess(tmp_path, "worker", environment={**settings, "SEGUE_REDIS": redis.url}) as worker:
        worker.says("worker.waits")
        redis.start()
        worker.says("worker.goes_on")
        worker.says("waiting for a first release")


def test_a_first_release_is_waited_for_and_then_used(
    kafka: KafkaService, settings: dict[str, str], topic_prefix: str, tmp_path: Path
) -> None:
    with SegueProcess(tmp_path, "worker", environment=settings) as worker:
        worker.says("waiting for a first release: run `segue publish`")
        worker.says('"phase": "waiting"')
        publish(kafka, Topics(topic_prefix), encode_release(a_release()))
        worker.says('"phase": "live"')
        worker.terminate()
        assert worker.ends() == 0


def test_a_release_of_an_unknown_schema_version_is_refused_and_another_waited_for(
    kafka: KafkaService, settings: dict[str, str], topic_prefix: str, tmp_path: Path
) -> None:
    topics = Topics(topic_prefix)
    strange = encode_release(a_release()).replace(b'"schema_version":1', b'"schema_version":99')
    with SegueProcess(tmp_path, "worker", environment=settings) as worker:
        worker.says("waiting for a first release")
        publish(kafka, topics, strange)
        worker.says("the newest release is refused: a release has schema version 99")
        publish(kafka, topics, encode_release(a_release()))
        worker.says('"phase": "live"')


def test_a_redis_that_evicts_is_refused(
    settings: dict[str, str], fresh_redis: StartRedis, tmp_path: Path
) -> None:
    redis = fresh_redis(options={"maxmemory": "64mb", "maxmemory-policy": "allkeys-lru"})
    with SegueProcess(tmp_path, "worker", environment={**settings, "SEGUE_REDIS": redis.url}) as worker:
        assert worker.ends() == 8
        assert "Error: Redis at " in worker.err
        assert "maxmemory-policy allkeys-lru" in worker.err
        assert "Traceback" not in worker.err


def test_a_release_of_other_statuses_is_refused_and_the_one_before_stays(
    kafka: KafkaService, settings: dict[str, str], topic_prefix: str, tmp_path: Path
) -> None:
    with SegueProcess(tmp_path, "worker", environment=settings) as worker:
        worker.says("waiting for a first release")
        publish(kafka, Topics(topic_prefix), encode_release(a_release(exclude_statuses=("Cancelled",))))
        worker.says("the newest release is refused: ")
        publish(kafka, Topics(topic_prefix), encode_release(a_release()))
        worker.says('"phase": "live"')


def test_a_start_with_another_time_zone_waits_and_names_both_zones(
    kafka: KafkaService, settings: dict[str, str], topic_prefix: str, tmp_path: Path
) -> None:
    timed = {**settings, "SEGUE_DECLARE": '{"recency": {"kind": "days_since", "source": "last_order"}}'}
    with SegueProcess(tmp_path, "worker", environment=timed) as worker:
        worker.says("waiting for a first release")
        publish(kafka, Topics(topic_prefix), encode_release(a_recency_release(time_zone="UTC")))
        worker.says('"phase": "live"')
        worker.terminate()
        assert worker.ends() == 0
    berlin = {**timed, "SEGUE_TIME_ZONE": "Europe/Berlin"}
    with SegueProcess(tmp_path, "worker", environment=berlin) as worker:
        worker.says("trained with time_zone 'UTC', but the setting is 'Europe/Berlin': set it to that")
        worker.says('"phase": "waiting"')


@pytest.mark.long
def test_a_worker_under_a_memory_limit_lives_through_a_batch_that_inflates(
    kafka: KafkaService, settings: dict[str, str], topic_prefix: str, tmp_path: Path
) -> None:
    topics = Topics(topic_prefix)
    with SegueProcess(tmp_path, "worker", environment=settings) as worker:
        worker.says("waiting for a first release")
        publish(kafka, topics, encode_release(a_release()))
        worker.says('"phase": "live"')
        pid = worker.process.pid
        status = Path(f"/proc/{pid}/status").read_text()
        held = (
            next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmData:")) * 1_024
        )
        limit = held + 128 * 1_024 * 1_024
        resource.prlimit(pid, resource.RLIMIT_DATA, (limit, limit))

        wide = {"message.max.bytes": 400_000_000, "batch.size": 400_000_000, "linger.ms": 2_000}
        bomb = Producer({"bootstrap.servers": kafka.bootstrap, "compression.type": "gzip", **wide})
        for _ in range(250):
            bomb.produce(topics.orders, bytes(1_000_000), b"7", 0)
        assert bomb.flush(HANG_S) == 0
        # What is as large and no bomb comes in: 40 MB that no key fits.
        plain = Producer({"bootstrap.servers": kafka.bootstrap, "message.max.bytes": 2_000_000})
        for _ in range(40):
            plain.produce(topics.orders, bytes(1_000_000), b"7", 0)
        key, value = encode_order(Order("7", "1", datetime(2024, 1, 1, tzinfo=UTC), (Item(brand="Ön"),)))
        plain.produce(topics.orders, value, key, 0)
        assert plain.flush(HANG_S) == 0
        reader = Consumer(
            {"bootstrap.servers": kafka.bootstrap, "group.id": "r", "isolation.level": "read_committed"}
        )
        reader.assign([TopicPartition(topics.changes, 0, 0)])
        change = reader.poll(60)
        reader.close()
        assert change is not None
        assert change.key() == b"7"
        assert worker.process.poll() is None
