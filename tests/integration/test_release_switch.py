"""A second release under running workers, of another space, on a real Kafka and a real Redis: every user ends with it."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis

from schemas.events import Event
from segue.services import KafkaService, RedisService
from tests.deployment import Deployment, deployed, trained
from tests.services import eventually
from tests.verify import Expected, expected_users, read_topic
from trainer.release import load_release
from trainer.warehouse import open_warehouse

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]

THELOOK = Path(str(files("segue"))) / "data" / "thelook"
USERS_MOST = 1_000


@pytest.fixture(scope="module")
def facts() -> dict[str, list[Event]]:
    """All events of the first users of thelook."""
    by_user: dict[str, list[Event]] = defaultdict(list)
    with open_warehouse(str(THELOOK)) as warehouse:
        for event in warehouse.events():
            if event.user_id in by_user or len(by_user) < USERS_MOST:
                by_user[event.user_id].append(event)
    return dict(by_user)


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("releases")
    first = trained(THELOOK, folder, "--as-of", "2024-06-01")
    return first, trained(THELOOK, folder, "--current", first, "--refit-space")


@pytest.fixture
def deployment(
    kafka: KafkaService, redis_server: RedisService, topic_prefix: str, tmp_path: Path
) -> Iterator[Deployment]:
    """Its sweeps take some seconds, so that something can happen in the middle."""
    slowly = {"SEGUE_SWEEP_PER_S": "40"}
    of_test = Deployment(kafka.bootstrap, redis_server.url, topic_prefix, tmp_path, settings=slowly)
    with deployed(of_test) as running:
        yield running


def by_activation(deployment: Deployment, users: list[str]) -> Counter[int]:
    with redis.Redis.from_url(deployment.redis_url, socket_timeout=60) as client:
        pipeline = client.pipeline(transaction=False)
        for user_id in users:
            pipeline.hget(f"{deployment.redis_prefix}user:{user_id}", "activation")
        return Counter(int(activation or -1) for activation in pipeline.execute())


def test_every_user_ends_with_the_newest_release_whatever_happens_to_the_sweep(
    deployment: Deployment, facts: dict[str, list[Event]], releases: tuple[Path, Path]
) -> None:
    """The worker is killed in the middle of the sweep, and another goes on."""
    users = list(facts)
    deployment.publish(releases[0])
    worker = deployment.worker().ready()
    deployment.send(event for events in facts.values() for event in events)
    deployment.caught_up()
    (first,) = by_activation(deployment, users)
    events_told = len(read_topic(deployment.bootstrap, deployment.topics.changes))

    deployment.publish(releases[1])
    eventually(lambda: by_activation(deployment, users)[first] < len(users), 30, "a sweep that has begun")
    worker.kill()
    left = by_activation(deployment, users)
    assert 0 < left[first] < len(users)
    successor = deployment.worker()
    eventually(lambda: by_activation(deployment, users)[first] == 0, 60, "a sweep that has ended")
    deployment.caught_up()
    (newest,) = by_activation(deployment, users)
    assert newest > first

    right = expected_users(facts, releases[1])
    outcome = deployment.verified(right)
    assert outcome.users == len(users)
    told = [json.loads(m.value()) for m in read_topic(deployment.bootstrap, deployment.topics.changes)]
    swept = [change for change in told if change["cause"]["type"] == "model"]
    assert len(told) == events_told + len(swept)
    before = expected_users(facts, releases[0])
    assert {change["user_id"] for change in swept} == {
        user_id
        for user_id, user in right.items()
        if (user.segment, user.provisional) != (before[user_id].segment, before[user_id].provisional)
    }
    assert {(change["cause"]["offset"], change["activation"]) for change in swept} == {(newest, newest)}
    for lane in successor.ready().get("/status")[1]["lanes"]:
        assert (lane["activation"], lane["sweep_left"]) == (newest, 0)
    assert len(swept) > 50
    check_similar_users(swept, right)
    space = json.loads((releases[1] / "model.json").read_bytes())["space"]
    assert indexes(deployment) == {f"{deployment.redis_prefix}angles:{space}": len(users)}


def test_a_rollback_in_the_middle_of_a_sweep_brings_everybody_back(
    deployment: Deployment, facts: dict[str, list[Event]], releases: tuple[Path, Path]
) -> None:
    """Two workers share the lanes, and events come in meanwhile."""
    users = list(facts)
    deployment.publish(releases[0])
    workers = [deployment.worker().ready(), deployment.worker().ready()]
    events = [event for of_user in facts.values() for event in of_user]
    deployment.send(events[: len(events) // 2])
    deployment.caught_up()
    (first,) = by_activation(deployment, users).keys() - {-1}

    deployment.publish(releases[1])
    eventually(lambda: by_activation(deployment, users).keys() - {-1, first}, 60, "a sweep that has begun")
    deployment.announce(load_release(releases[0]))
    deployment.send(events[len(events) // 2 :])
    middle = by_activation(deployment, users)
    assert middle[first] > 0
    second = max(middle)
    eventually(lambda: min(by_activation(deployment, users)) > second, 60, "everybody by the rollback")
    deployment.caught_up()
    outcome = deployment.verified(expected_users(facts, releases[0]))
    assert outcome.users == len(users)
    told = [json.loads(m.value()) for m in read_topic(deployment.bootstrap, deployment.topics.changes)]
    versions = {change["model_version"] for change in told if change["cause"]["type"] == "model"}
    assert versions == {release.name for release in releases}
    assert len(indexes(deployment)) == 1
    assert all(worker.process.poll() is None for worker in workers)


def check_similar_users(swept: list[dict[str, Any]], users: dict[str, Expected]) -> None:
    """Each change names the nearest of all users by the new release's components, though its index was filled meanwhile."""
    ids = list(users)
    at = np.array([users[user_id].components for user_id in ids])
    directions = at / np.linalg.norm(at, axis=1, keepdims=True)
    for change in swept:
        me = ids.index(change["user_id"])
        cosines = np.delete(directions @ directions[me], me)
        nearest = np.sort(cosines)[::-1][:5]
        told = [user["similarity"] for user in change["similar_users"]]
        assert np.allclose(told, nearest, atol=1e-9), change


def indexes(deployment: Deployment) -> dict[str, int]:
    """The indexes that Redis holds, with the number of users in each."""
    with redis.Redis.from_url(deployment.redis_url, socket_timeout=60) as client:
        keys = list(client.scan_iter(f"{deployment.redis_prefix}angles:*"))
        return {key.decode(): client.zcard(key) for key in keys}
