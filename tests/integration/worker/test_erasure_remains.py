"""What an erasure takes at once on real servers, and what stays until a topic or a file lets go of it.

`docs/guarantees.md` has the table.
"""

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from confluent_kafka import Producer

from schemas.input_events import Item, Order, Signup
from schemas.inputs.decode import encode_order
from schemas.partitioner import librdkafka_name
from schemas.topics import Topics
from segue.services import LocalKafka, LocalRedis
from streamer.kafka.topics_admin import create_topics
from streamer.redis.redis_store import RedisStore
from tests.support.checks.read_records import read_topic, value_of
from tests.support.servers.deployment import Deployment, WorkerProcess
from tests.support.servers.services import HANG_S, eventually
from tests.support.servers.topic_admin import set_config
from tests.support.workers.redis_writes import write

pytestmark = pytest.mark.long

START = datetime(2024, 5, 1, tzinfo=UTC)
ANNA, BEN = "anna@example.org", "ben@example.org"
KEY = ANNA.encode()
READ: dict[str, Callable[[redis.Redis, bytes], object]] = {
    "hash": lambda store, name: store.hgetall(name),
    "list": lambda store, name: store.lrange(name, 0, -1),
    "none": lambda _store, _name: None,  # another test has just deleted its own
    "set": lambda store, name: store.smembers(name),
    "stream": lambda store, name: store.xrange(name),
    "string": lambda store, name: store.get(name),
    "zset": lambda store, name: store.zrange(name, 0, -1),
}


def test_what_of_an_erased_user_is_gone_and_what_stays(deployment: Deployment) -> None:
    worker = deployment.worker().ready()
    deployment.send(
        [
            Signup(ANNA, START, age=30, gender="F", country="Spain"),
            Order(ANNA, "1", START, (Item(brand="Ön", category="Jeans"),)),
        ]
    )
    send_bad(deployment, encode_order(Order(ANNA, "2", START, (Item(brand="Ön"),)))[1])
    deployment.caught_up()
    deployment.send([Signup(BEN, START, age=31, gender="F", country="Spain")])
    deployment.caught_up()

    assert json.loads(deployment.segue("forget", ANNA, "--wait", "60", "--json").stdout)["gone"] is True

    # Redis: the id is the name of its tombstone, and nowhere else.
    tombstone = f"{deployment.redis_prefix}user:{ANNA}"
    assert [name for _, name in in_redis(deployment.redis_url)] == [tombstone]
    with redis.Redis.from_url(deployment.redis_url, decode_responses=True) as store:
        assert store.hkeys(tombstone) == ["state"]
    # Kafka: a log's records stay as they are; compaction has not come yet.
    topics = deployment.topics
    for topic in (topics.signups, topics.orders, topics.changes, topics.dead_letters):
        assert b"Spain" in values(deployment, topic) or "Ön".encode() in values(deployment, topic), topic
    of_anna = [m.value() for m in read_topic(deployment.bootstrap, topics.users) if m.key() == KEY]
    assert any(b"Spain" in (value or b"") for value in of_anna)
    assert of_anna[-1] is None
    # Who was told of as similar to somebody else stands in that one's newest change.
    (ben,) = [value_of(m) for m in read_topic(deployment.bootstrap, topics.users) if m.key() == BEN.encode()]
    assert [similar["user_id"] for similar in json.loads(ben)["similar_users"]] == [ANNA]
    # Kafka's own topics, the log, the pages and the metrics never knew.
    for topic in ("__consumer_offsets", "__transaction_state"):
        assert KEY not in values(deployment, topic)
    assert ANNA not in worker.log()
    for page in ("/status", "/readyz", "/healthz", "/metrics"):
        assert ANNA not in the_page(worker, page), page


def send_bad(deployment: Deployment, value: bytes) -> None:
    """Under a key that is not the user's id."""
    producer = Producer(
        {"bootstrap.servers": deployment.bootstrap, "partitioner": librdkafka_name("murmur2")}
    )
    producer.produce(deployment.topics.orders, value, b"session")
    assert producer.flush(HANG_S) == 0


def values(deployment: Deployment, topic: str) -> bytes:
    """All that a topic holds: keys, values and headers."""
    parts: list[bytes] = []
    for message in read_topic(deployment.bootstrap, topic):
        parts += [message.key() or b"", message.value() or b""]
        parts += [value or b"" for _, value in message.headers() or ()]
    return b"\n".join(parts)


def in_redis(url: str) -> Iterator[tuple[int, str]]:
    """Every Redis key, in all databases, that names Anna: in its name, a field, a member or a value."""
    with redis.Redis.from_url(url) as first:
        databases = [int(name.removeprefix("db")) for name in first.info("keyspace")]
    for database in databases:
        with a_database(url, database) as store:
            for name in store.scan_iter(count=1_000):
                held = READ[store.type(name).decode()](store, name)
                if KEY in name or KEY in repr(held).encode():
                    yield database, name.decode()


def a_database(url: str, number: int) -> redis.Redis:
    """A client of one database of a Redis."""
    return redis.Redis.from_url(urlsplit(url)._replace(path=f"/{number}").geturl())


def test_a_user_is_found_in_any_part_of_a_redis(fresh_redis: Callable[..., LocalRedis]) -> None:
    server = fresh_redis()
    with (
        a_database(server.url, 0) as first,
        a_database(server.url, 9) as other,
    ):
        first.hset("hash", "field", f"of {ANNA}")
        first.zadd("sorted", {ANNA: 1})
        first.sadd("set", ANNA)
        first.rpush("list", ANNA)
        first.xadd("stream", {"user": ANNA})
        other.set("text", ANNA)
        other.set(f"foreign:{ANNA}", 1)
        other.set("nothing", BEN)
    expected = [(0, name) for name in ("hash", "list", "set", "sorted", "stream")]
    assert sorted(in_redis(server.url)) == [*expected, (9, f"foreign:{ANNA}"), (9, "text")]


def the_page(worker: WorkerProcess, path: str) -> str:
    port = worker._port()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        found: bytes = answer.read()
    return found.decode()


def test_compaction_takes_the_records_of_an_erased_user_away(fresh_kafka: Callable[..., LocalKafka]) -> None:
    """With a shorter time than the week that the topic is made with; Kafka's own default never says."""
    kafka = fresh_kafka(properties={"log.cleaner.backoff.ms": "200"})
    client = {"bootstrap.servers": kafka.bootstrap}
    topics = Topics("t-")
    create_topics(client, topics, 1)
    set_config(kafka.bootstrap, topics.users, {"max.compaction.lag.ms": "1000", "delete.retention.ms": "0"})
    producer = Producer(client)
    producer.produce(topics.users, b"Spain", KEY)
    producer.produce(topics.users, None, KEY)
    assert producer.flush(HANG_S) == 0

    def is_gone() -> bool:
        """A segment closes when the next record comes."""
        producer.produce(topics.users, b"later", BEN.encode())
        assert producer.flush(HANG_S) == 0
        return KEY not in {message.key() for message in read_topic(kafka.bootstrap, topics.users)}

    eventually(is_gone, "the user's records and the null are compacted away", every_s=1)


def test_the_append_only_file_keeps_a_user_until_it_is_rewritten(
    fresh_redis: Callable[..., LocalRedis],
) -> None:
    server = fresh_redis()
    store = RedisStore(server.url, 0, "segue:")
    assert store.save(None, b"1", [write(ANNA, {"state": b"Spain"})])
    assert store.save(b"1", b"2", [write(ANNA, {"state": b"tombstone"})])
    store.close()
    eventually(lambda: b"tombstone" in on_disk(server.data))
    assert b"Spain" in on_disk(server.data)

    with redis.Redis.from_url(server.url) as client:
        client.bgrewriteaof()

    eventually(lambda: b"Spain" not in on_disk(server.data))
    assert b"tombstone" in on_disk(server.data)


def test_the_slow_log_keeps_a_user_until_it_is_reset(fresh_redis: Callable[..., LocalRedis]) -> None:
    server = fresh_redis()
    with redis.Redis.from_url(server.url) as client, closing(RedisStore(server.url, 0, "segue:")) as store:
        client.config_set("slowlog-log-slower-than", 0)  # every command is slow
        assert store.save(None, b"1", [write(ANNA, {"state": b"Spain"})])
        assert KEY in repr(client.slowlog_get(128)).encode()
        assert "Spain" in repr(client.slowlog_get(128))

        client.config_set("slowlog-log-slower-than", -1)
        client.slowlog_reset()

        assert client.slowlog_get(128) == []


def on_disk(folder: Path) -> bytes:
    """All that lies there; a rewrite may take a file away meanwhile."""
    found = []
    for file in folder.rglob("*"):
        with suppress(FileNotFoundError, IsADirectoryError):
            found.append(file.read_bytes())
    return b"".join(found)
