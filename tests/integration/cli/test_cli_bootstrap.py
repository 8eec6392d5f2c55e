"""`segue bootstrap`: where the log goes on, and when there must be none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.errors import BadRelease, BadTopics
from schemas.input_events import Item, Order, Signup
from schemas.outputs.wire import encode_release
from schemas.topics import Topics
from segue.config.settings import Settings
from segue.connect.kafka_access import prepare_topics
from segue.connect.lane_connections import open_log
from segue.connect.read_topics import CommittedReader
from segue.refill.bootstrap_offsets import check_unused_group, offsets_at
from segue.refill.run_bootstrap import fill
from segue.services import KafkaService, RedisService
from streamer.place.place_marks import is_refilled
from streamer.redis.redis_client import connect
from streamer.refill.bootstrap_lanes import Filled, NotFresh
from tests.support.servers.segue_process import SegueProcess
from tests.support.servers.services import HANG_S
from tests.support.worlds.made_up_release import a_release

T = datetime(2024, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def settings(
    kafka: KafkaService, redis_server: RedisService, topic_prefix: str, redis_prefix: str
) -> Settings:
    made = Settings.model_validate(
        {
            "kafka": kafka.bootstrap,
            "redis": redis_server.url,
            "topic_prefix": topic_prefix,
            "redis_prefix": redis_prefix,
            "group": f"{topic_prefix}group",
            "partitions": 2,
            "kafka_options": {"client.id": "test"},
        }
    )
    assert prepare_topics(made, lambda _: None) == 2
    return made


def write(settings: Settings, topic: str, partition: int, at: datetime) -> None:
    producer = Producer(settings.kafka_client)
    producer.produce(topic, b"{}", b"1", partition=partition, timestamp=int(at.timestamp() * 1000))
    assert producer.flush(HANG_S) == 0


def delete_up_to(settings: Settings, topic: str, partition: int, offset: int) -> None:
    """What retention does."""
    admin = AdminClient({**settings.kafka_client})
    (deleted,) = admin.delete_records(
        [TopicPartition(topic, partition, offset)], request_timeout=HANG_S
    ).values()
    deleted.result(HANG_S)


def test_the_log_goes_on_at_the_first_record_not_older_than_t_less_the_margin(settings: Settings) -> None:
    signups, orders = settings.topics.inputs
    for hours in (-3, -2, -1, 0, 1):
        write(settings, signups, 0, T + timedelta(hours=hours))
    write(settings, orders, 1, T - 3 * HOUR)

    start = offsets_at(settings, 2, T, HOUR)

    assert start == {0: {signups: 2, orders: 0}, 1: {signups: 0, orders: 1}}


def test_a_partition_with_all_its_records_is_never_refused(settings: Settings) -> None:
    signups, orders = settings.topics.inputs
    write(settings, orders, 0, T + HOUR)

    assert offsets_at(settings, 2, T, HOUR) == {lane: {signups: 0, orders: 0} for lane in (0, 1)}


def test_a_partition_that_lost_events_after_t_is_refused(settings: Settings) -> None:
    orders = settings.topics.orders
    write(settings, orders, 0, T - 2 * HOUR)
    for hours in (-2, 1):
        write(settings, orders, 1, T + timedelta(hours=hours))
    delete_up_to(settings, orders, 1, 1)

    with pytest.raises(
        BadTopics,
        match=f"topic {orders} begins in partition 1 at offset 1, 2024-06-01T01:00:00Z, after"
        " 2024-06-01T00:00:00Z",
    ):
        offsets_at(settings, 2, T, HOUR)


def test_a_partition_that_has_lost_all_its_events_is_refused(settings: Settings) -> None:
    signups = settings.topics.signups
    write(settings, signups, 1, T - 2 * HOUR)
    delete_up_to(settings, signups, 1, 1)

    with pytest.raises(
        BadTopics, match=f"topic {signups} begins in partition 1 at offset 1, where no record is left"
    ):
        offsets_at(settings, 2, T, HOUR)


def test_a_partition_that_lost_only_older_events_is_read_from_its_beginning(settings: Settings) -> None:
    signups, orders = settings.topics.inputs
    for minutes in (-90, -30, 30):
        write(settings, orders, 0, T + timedelta(minutes=minutes))
    delete_up_to(settings, orders, 0, 1)

    assert offsets_at(settings, 2, T, HOUR) == {0: {signups: 0, orders: 1}, 1: {signups: 0, orders: 0}}


def test_an_empty_log_goes_on_at_its_end(settings: Settings) -> None:
    signups, orders = settings.topics.inputs

    assert offsets_at(settings, 2, T, HOUR) == {lane: {signups: 0, orders: 0} for lane in (0, 1)}


def test_without_a_release_nothing_is_announced(settings: Settings) -> None:
    with pytest.raises(BadRelease, match=r"no release was published on .* yet: `segue train` makes one"):
        fill(settings, list, T, HOUR, lambda _: None, lambda _: None)

    assert keys_of(settings) == []


def test_what_is_announced_tells_t_and_the_places(settings: Settings) -> None:
    publish(settings)

    filled = fill(settings, list, T, HOUR, lambda _: None, lambda _: None)

    assert (filled.users, filled.records) == (0, 0)
    signups, orders = settings.topics.inputs
    (record,) = [value for key, value in keys_of(settings) if key == b"bootstrap"]
    assert json.loads(record) == {
        "at": "2024-06-01T00:00:00Z",
        "places": {lane: {signups: 0, orders: 0} for lane in ("0", "1")},
        "snapshot": None,
    }


class Died(BaseException):
    """The process is gone."""


def dies_after(facts: Iterable[Signup | Order]) -> Iterator[Signup | Order]:
    yield from facts
    raise Died


def a_signup(user_id: str) -> Signup:
    return Signup(user_id, T - HOUR, age=30)


def an_order(order_id: str) -> Order:
    return Order("7", order_id, T - HOUR, (Item(brand="Carhartt"),))


def test_a_bootstrap_that_died_is_ended_by_another_over_changed_facts_and_then_refused(
    settings: Settings,
) -> None:
    publish(settings)
    settings = settings.model_copy(update={"max_batch": 1})
    before: list[Signup | Order] = [a_signup("7"), an_order("1"), an_order("2"), a_signup("8"), a_signup("9")]

    def run(facts: Iterable[Signup | Order]) -> Filled:
        return fill(settings, lambda: facts, T, HOUR, lambda _: None, lambda _: None)

    with pytest.raises(Died):
        run(dies_after(before))
    assert users_of(settings) == {"7": {"1", "2"}, "8": set()}

    assert run([a_signup("7"), an_order("1"), a_signup("9")]).users == 2

    # User 8's record stands, so its segment does; its facts are gone.
    assert users_of(settings) == {"7": {"1"}, "8": set(), "9": set()}
    with connect(settings.redis) as client:
        angles = list(client.scan_iter(f"{settings.redis_prefix}angles:*"))
        assert [set(client.zrange(key, 0, -1)) for key in angles] == [{b"7", b"9"}]
        for lane in (0, 1):
            place = client.get(f"{settings.redis_prefix}place:{lane}").partition(b" ")[2]
            assert not is_refilled(place, "bootstrap")
    with pytest.raises(NotFresh, match="lane 0 has a place in Redis already"):
        run([])


def test_a_worker_started_meanwhile_ends_a_bootstrap(settings: Settings) -> None:
    publish(settings)

    def meanwhile() -> Iterator[Signup | Order]:
        yield a_signup("7")
        for lane in (0, 1):
            log = open_log(settings, lane)
            log.fence()
            log.close()

    with pytest.raises(NotFresh, match="a worker or another bootstrap was started meanwhile: stop it"):
        fill(settings, meanwhile, T, HOUR, lambda _: None, lambda _: None)


def users_of(settings: Settings) -> dict[str, set[str]]:
    """Whom Redis holds, with the ids of their orders."""
    start = f"{settings.redis_prefix}user:"
    with connect(settings.redis) as client:
        return {
            key.decode().removeprefix(start): {
                field.decode()[2:] for field in client.hkeys(key) if field.startswith(b"o:")
            }
            for key in client.scan_iter(f"{start}*")
        }


def test_a_group_with_workers_is_refused(settings: Settings, tmp_path: Path) -> None:
    publish(settings)
    environment = {
        f"SEGUE_{name.upper()}": str(getattr(settings, name))
        for name in ("kafka", "redis", "topic_prefix", "redis_prefix", "group")
    }
    with SegueProcess(tmp_path, "worker", environment=environment) as worker:
        worker.says("phase=live")
        with pytest.raises(
            NotFresh, match=f"the group {settings.group} has a worker: stop it, or set another"
        ):
            check_unused_group(settings)


def publish(settings: Settings) -> None:
    producer = Producer(settings.kafka_client)
    producer.produce(settings.topics.models, encode_release(a_release()), b"current")
    assert producer.flush(HANG_S) == 0


def keys_of(settings: Settings) -> list[tuple[object, bytes]]:
    """All records of the releases' topic."""
    reader = CommittedReader(
        settings.kafka_client, [Topics(settings.topic_prefix).models], from_beginning=True
    )
    try:
        ends = reader.ends()
        found: list[tuple[object, bytes]] = []
        while not reader.has_reached(ends):
            message = reader.poll(0.2)
            if message is not None:
                found.append((message.key(), message.value() or b""))
        return found
    finally:
        reader.close()
