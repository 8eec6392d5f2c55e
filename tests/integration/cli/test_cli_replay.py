"""`segue replay` on real servers: a dry run, a window, another release, and a topic of its own."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from schemas.input_events import Event, Item, Order, Signup
from schemas.inputs.decode import encode_order
from schemas.partitioner import partition_of
from segue.services import KafkaService, RedisService
from tests.support.checks.read_records import headers_of, key_of, read_topic, value_of
from tests.support.servers.deployment import Deployment, deployed
from tests.support.servers.services import HANG_S, eventually
from tests.support.worlds.made_up_release import a_release

START = datetime(2024, 5, 1, tzinfo=UTC)
BRANDS = ("Allegra K", "Carhartt", "Ön")
OTHER = a_release(centres=((-1.5, 0.0), (0.0, -1.5), (1.5, 0.0), (0.0, 1.5)))


@pytest.fixture
def deployment(
    kafka: KafkaService, redis_server: RedisService, topic_prefix: str, tmp_path: Path
) -> Iterator[Deployment]:
    with deployed(
        Deployment(kafka.bootstrap, redis_server.url, topic_prefix, tmp_path, partitions=3)
    ) as made:
        made.announce(OTHER)
        made.announce(a_release())
        yield made


def a_shop(first: int, end: int) -> Iterator[Event]:
    """Every user of these."""
    for number in range(first, end):
        yield from a_shop_of(number)


def a_shop_of(number: int) -> tuple[Event, ...]:
    """A signup and three orders of a user, the first order before the signup."""
    user_id = f"u{number}"
    orders = [
        Order(user_id, f"{number}-{i}", START, (Item(BRANDS[(number + i) % 3], "Jeans"),)) for i in range(3)
    ]
    signup = Signup(
        user_id, START, age=20 + number % 50, gender="FM"[number % 2], country="Spain", traffic_source="Email"
    )
    return orders[0], signup, *orders[1:]


def replayed(deployment: Deployment, *options: object) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(deployment.segue("replay", "--json", *options).stdout)
    return told


def test_a_replay_beside_a_worker(deployment: Deployment) -> None:
    deployment.worker().ready()
    deployment.send(a_shop(0, 200))
    deployment.caught_up()
    card = json.loads(deployment.segue("user", "u7", "--json").stdout)
    deployment.send(a_shop(200, 300))
    deployment.caught_up()
    changes = read_topic(deployment.bootstrap, deployment.topics.changes)

    whole = replayed(deployment)

    assert whole["release"] == a_release().version
    assert whole["live_releases"] == [a_release().version]
    assert (whole["events"], whole["users"], whole["undecided_before"]) == (1_200, 300, 0)
    assert whole["live_changes"] == len(changes)
    assert all(one["live_segment"] == one["replayed_segment"] for one in whole["differing"])

    # From where the lane of u7 stood: none of the users before, and those after as live.
    lane = next(message.partition() for message in changes if message.key() == b"u7")
    signups, orders = (card["positions"][topic] for topic in deployment.topics.inputs)
    since = replayed(deployment, "--from-offsets", f"{lane}:{signups}:{orders}")
    assert 0 < since["users"] < 100
    assert all(one["live_segment"] == one["replayed_segment"] for one in since["differing"])
    alone = replayed(deployment, "--user", "u7")
    assert (alone["events"], alone["users"]) == (4, 1)
    assert replayed(deployment, "--to", "2024-05-01")["events"] == 0

    other = replayed(deployment, "--release", OTHER.version, "--user", "u7", "--user", "u8")
    assert {one["user_id"] for one in other["differing"]} == {"u7", "u8"}
    live = {one["user_id"]: one["live_segment"] for one in other["differing"]}
    # The other release has the same centres, each under the number of the one across.
    assert {one["user_id"]: one["replayed_segment"] for one in other["differing"]} == {
        user_id: (segment + 2) % 4 for user_id, segment in live.items()
    }
    told = deployment.segue("replay", "--release", OTHER.version, "--user", "u7")
    assert f"u7\tlive {live['u7']}\treplay {(live['u7'] + 2) % 4}" in told.stdout
    assert f"Live, other releases decided too: {a_release().version}." in told.stderr


def placed(deployment: Deployment, option: str, ends: Mapping[tuple[str, int], int]) -> list[str]:
    """This option for every lane."""
    signups, orders = deployment.topics.inputs
    return [
        text
        for lane in deployment.lanes
        for text in (option, f"{lane}:{ends[signups, lane]}:{ends[orders, lane]}")
    ]


def reached(deployment: Deployment) -> tuple[datetime, dict[tuple[str, int], int], int]:
    """Now that all is applied: the time, the ends of the inputs, and how many changes there are."""
    deployment.caught_up()
    ends: dict[tuple[str, int], int] = dict.fromkeys(product(deployment.topics.inputs, deployment.lanes), 0)
    for topic in deployment.topics.inputs:
        for message in read_topic(deployment.bootstrap, topic):
            ends[topic, message.partition()] = message.offset() + 1
    return datetime.now(UTC), ends, len(read_topic(deployment.bootstrap, deployment.topics.changes))


@pytest.mark.long
def test_a_window_takes_its_events_alone_and_begins_where_they_found_the_users(
    deployment: Deployment,
) -> None:
    """A signup and a first order of each user, then a second one, then a third: the window is the second."""
    deployment.worker().ready()
    users = 60
    told = [list(events) for events in zip(*(a_shop_of(number) for number in range(users)), strict=True)]
    deployment.send([*told[0], *told[1]])
    begin, begin_ends, begin_changes = reached(deployment)
    deployment.send(told[2])
    end, end_ends, end_changes = reached(deployment)
    deployment.send(told[3])
    reached(deployment)
    changes = [json.loads(value_of(m)) for m in read_topic(deployment.bootstrap, deployment.topics.changes)]
    offsets = {
        (message.partition(), message.offset())
        for message in read_topic(deployment.bootstrap, deployment.topics.orders)
        if begin_ends[message.topic(), message.partition()]
        <= message.offset()
        < end_ends[message.topic(), message.partition()]
    }
    assert len(offsets) == users
    live = [
        change
        for change in changes
        if change["cause"]["type"] == "order"
        and (change["cause"]["partition"], change["cause"]["offset"]) in offsets
    ]
    assert len(live) == end_changes - begin_changes > users / 3
    assert any(change["previous_segment"] != change["segment"] for change in live)

    topic = f"{deployment.prefix}window"
    in_time = "--from", begin.isoformat(), "--to", end.isoformat()
    by_time = replayed(deployment, *in_time, "--to-topic", topic)

    # Orders alone, each of another user: nothing on the way can differ.
    assert (by_time["events"], by_time["users"], by_time["differing"]) == (users, users, [])
    assert by_time["changes"] == by_time["live_changes"] == len(live)
    again = [json.loads(value_of(message)) for message in read_topic(deployment.bootstrap, topic)]
    assert sorted(map(what_was_told, again)) == sorted(map(what_was_told, live))

    places = placed(deployment, "--from-offsets", begin_ends), placed(deployment, "--to-offsets", end_ends)
    assert replayed(deployment, *places[0], *places[1]) == by_time
    since = replayed(deployment, "--from", end.isoformat())
    assert (since["events"], since["live_changes"]) == (users, len(changes) - end_changes)
    before = replayed(deployment, *places[1])
    assert (before["events"], before["live_changes"]) == (3 * users, end_changes)
    of_lane = len([order for order in told[2] if partition_of(order.user_id, deployment.partitions) == 1])
    alone = replayed(deployment, *places[0][2:4], *places[1][2:4])
    assert (alone["events"], alone["users"]) == (of_lane, of_lane)


def what_was_told(change: dict[str, Any]) -> tuple[str, ...]:
    """A change without its times and its similar users."""
    told = ("user_id", "sequence", "kind", "previous_segment", "segment", "features", "components")
    return (*(str(change[name]) for name in told), str(change["cause"]["offset"]))


# By the release's numbers a user of 20 is in segment 2; with the order alone in 3; with the second signup in
# 2 again.
FIRST = Signup("7", START, age=20, gender="F")  # (-0.8, 0.2)
SECOND = Signup("7", START.replace(hour=1), age=10, country="Spain", traffic_source="Email")
ORDER = Order(
    "7", "1", START.replace(hour=2), (Item("Carhartt"),)
)  # (-0.62, -2.08) beside what the others say


@pytest.mark.long
def test_where_the_order_between_the_topics_was_another_one_the_way_differs_and_the_end_does_not(
    deployment: Deployment,
) -> None:
    """The order was written before the second signup, and committed after that one was applied."""
    worker = deployment.worker().ready()

    def applied() -> int:
        return sum(lane["events"] for lane in worker.get("/status")[1]["lanes"])

    deployment.send([FIRST])
    eventually(lambda: applied() == 1, "the first signup")
    config = {"bootstrap.servers": deployment.bootstrap, "partitioner": "murmur2_random", "log_level": 0}
    producer = Producer({**config, "transactional.id": f"{deployment.prefix}shop"})
    producer.init_transactions(HANG_S)
    producer.begin_transaction()
    key, value = encode_order(ORDER)
    producer.produce(deployment.topics.orders, value, key)
    assert producer.flush(HANG_S) == 0
    deployment.send([SECOND])
    eventually(lambda: applied() == 2, "the second signup")
    producer.commit_transaction(HANG_S)
    eventually(lambda: applied() == 3, "the order")
    live = [json.loads(value_of(m)) for m in read_topic(deployment.bootstrap, deployment.topics.changes)]
    assert [change["segment"] for change in live] == [2]

    whole = replayed(deployment)

    assert (whole["events"], whole["live_changes"], whole["changes"]) == (3, 1, 3)
    (differing,) = whole["differing"]
    assert [change["segment"] for change in differing["live"]] == [2]
    assert [change["segment"] for change in differing["replayed"]] == [2, 3, 2]
    assert (differing["live_segment"], differing["replayed_segment"]) == (2, 2)
    told = deployment.segue("replay").stderr
    assert "0 users end in another segment; 1 in the same segment after other changes." in told
    assert "Kafka fixes no order between signups and orders, and live the order was different" in told
    # Without the order there is one way alone.
    lane = partition_of("7", deployment.partitions)
    alike = deployment.segue("replay", "--to-offsets", f"{lane}:2:0").stderr
    assert "2 events of 1 user " in alike
    assert "live the order was different" not in alike


@pytest.mark.long
def test_into_a_topic_of_its_own(deployment: Deployment) -> None:
    deployment.worker().ready()
    deployment.send(a_shop(0, 20))
    deployment.caught_up()
    topic = f"{deployment.prefix}what-if"
    before = read_topic(deployment.bootstrap, deployment.topics.changes)

    told = deployment.segue("replay", "--release", OTHER.version, "--to-topic", topic)

    assert f"Created the topic {topic}; 3 partitions." in told.stderr
    records = read_topic(deployment.bootstrap, topic)
    found = [json.loads(value_of(record)) for record in records]
    assert f"{len(found)} changes in the replay, to {topic}" in told.stderr
    assert {change["cause"]["type"] for change in found} == {"replay"}
    assert {change["model_version"] for change in found} == {OTHER.version}
    assert {change["user_id"] for change in found} == {f"u{number}" for number in range(20)}
    for record in records:
        assert key_of(record) == json.loads(value_of(record))["user_id"]
        assert headers_of(record)["ce_type"].startswith(b"segue.segment.")
    assert len(read_topic(deployment.bootstrap, deployment.topics.changes)) == len(before)

    refused = deployment.segue("replay", "--to-topic", deployment.topics.changes, check=False)
    assert refused.returncode == 2
    assert "give a topic that workers neither read nor write" in refused.stderr
    unknown = deployment.segue("replay", "--release", "nothing", check=False)
    assert unknown.returncode == 4
