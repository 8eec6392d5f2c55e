"""`segue replay` on real servers: a dry run, a window, another release, and a topic of its own."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.events import Event, Item, Order, Signup
from segue.services import KafkaService, RedisService
from tests.deployment import Deployment, deployed
from tests.releases import a_release
from tests.verify import read_topic

pytestmark = pytest.mark.timeout(240)

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
    """A signup and three orders of each user, the first order before the signup."""
    for number in range(first, end):
        user_id = f"u{number}"
        orders = [
            Order(user_id, f"{number}-{i}", START, (Item(BRANDS[(number + i) % 3], "Jeans"),))
            for i in range(3)
        ]
        signup = Signup(
            user_id,
            START,
            age=20 + number % 50,
            gender="FM"[number % 2],
            country="Spain",
            traffic_source="Email",
        )
        yield from (orders[0], signup, *orders[1:])


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
    found = [json.loads(record.value()) for record in records]
    assert f"{len(found)} changes to {topic}" in told.stderr
    assert {change["cause"]["type"] for change in found} == {"replay"}
    assert {change["model_version"] for change in found} == {OTHER.version}
    assert {change["user_id"] for change in found} == {f"u{number}" for number in range(20)}
    for record in records:
        assert record.key().decode() == json.loads(record.value())["user_id"]
        assert dict(record.headers())["ce_type"].startswith(b"segue.segment.")
    assert len(read_topic(deployment.bootstrap, deployment.topics.changes)) == len(before)

    refused = deployment.segue("replay", "--to-topic", deployment.topics.changes, check=False)
    assert refused.returncode == 2
    assert "give a topic that workers neither read nor write" in refused.stderr
    unknown = deployment.segue("replay", "--release", "nothing", check=False)
    assert unknown.returncode == 4
