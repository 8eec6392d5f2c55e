"""A release of another space under running workers, on a real Kafka and a real Redis: every user gets it."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis
from confluent_kafka import Producer
from msgspec.structs import replace

from schemas.input_events import Event
from schemas.outputs.wire import encode_release
from schemas.topics import MODELS_CURRENT_KEY
from segue.services import KafkaService, RedisService
from tests.support.checks.check_promises import Expected, expected_users
from tests.support.checks.moves import OLD, YOUNG, YOUNG_AGAIN
from tests.support.checks.read_records import read_topic, value_of
from tests.support.servers.deployment import Deployment, WorkerProcess, deployed, trained
from tests.support.servers.services import HANG_S, eventually
from tests.support.worlds.made_up_release import a_release
from trainer.release.release_folder import load_release
from trainer.warehouse import open_warehouse

pytestmark = pytest.mark.long

THELOOK = Path(str(files("segue"))) / "data" / "thelook"
USERS_MOST = 500


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
    eventually(lambda: by_activation(deployment, users)[first] < len(users), "a sweep that has begun")
    worker.kill()
    left = by_activation(deployment, users)
    assert 0 < left[first] < len(users)
    successor = deployment.worker()
    eventually(lambda: by_activation(deployment, users)[first] == 0, "a sweep that has ended")
    deployment.caught_up()
    (newest,) = by_activation(deployment, users)
    assert newest > first

    right = expected_users(facts, releases[1])
    outcome = deployment.verified(right)
    assert outcome.users == len(users)
    told = [json.loads(value_of(m)) for m in read_topic(deployment.bootstrap, deployment.topics.changes)]
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
    assert len(swept) > 25
    check_similar_users(swept, right)
    space = json.loads((releases[1] / "model.json").read_bytes())["space"]
    assert indexes(deployment) == {f"{deployment.redis_prefix}angles:{space}": len(users)}


@pytest.mark.wide
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
    eventually(lambda: by_activation(deployment, users).keys() - {-1, first}, "a sweep that has begun")
    deployment.announce(load_release(releases[0]))
    deployment.send(events[len(events) // 2 :])
    middle = by_activation(deployment, users)
    assert middle[first] > 0
    second = max(middle)
    eventually(lambda: min(by_activation(deployment, users)) > second, "everybody by the rollback")
    deployment.caught_up()
    outcome = deployment.verified(expected_users(facts, releases[0]))
    assert outcome.users == len(users)
    told = [json.loads(value_of(m)) for m in read_topic(deployment.bootstrap, deployment.topics.changes)]
    versions = {change["model_version"] for change in told if change["cause"]["type"] == "model"}
    assert versions == {release.name for release in releases}
    assert len(indexes(deployment)) == 1
    assert all(worker.process.poll() is None for worker in workers)


BETTER = a_release(centres=((2.0, 0.0), (0.0, 2.0), (-2.0, 0.0), (0.0, -2.0)))


def test_a_broken_release_leaves_the_old_one_deciding_until_a_good_one_comes(deployment: Deployment) -> None:
    """One with NaN and one whose version is not the hash of what it says, under a worker at work."""
    producer = Producer({"bootstrap.servers": deployment.bootstrap})

    def moved_by(event: Event) -> tuple[int, str, int]:
        """Where this event takes the user, and by which release and activation."""
        before = len(read_topic(deployment.bootstrap, deployment.topics.changes))
        deployment.send([event])
        deployment.caught_up()
        (change,) = read_topic(deployment.bootstrap, deployment.topics.changes)[before:]
        told = json.loads(value_of(change))
        return told["segment"], told["model_version"], told["activation"]

    deployment.announce(a_release())
    worker = deployment.worker().ready()
    ((used, version),) = deployment.activations()
    assert moved_by(YOUNG) == (2, version, used)

    good = encode_release(BETTER)
    for old, new, why, event, segment in (
        (b'"mean":[40.0', b'"mean":[NaN', "cannot be read", OLD, 3),
        (b'"segment 0"', b'"segment A"', "was changed: version is", YOUNG_AGAIN, 2),
    ):
        assert old in good
        producer.produce(deployment.topics.models, good.replace(old, new, 1), MODELS_CURRENT_KEY.encode())
        assert producer.flush(HANG_S) == 0
        eventually(partial(_has_problem, worker, why), f"it is refused: {why}")
        shown = release_of(worker)
        assert shown["problem"].startswith("the newest release is refused: ")
        assert (shown["version"], shown["activation"]) == (version, used)
        activation = deployment.activations()[-1][0]
        line = eventually(partial(_refusal, worker, activation), "the line in the log")
        assert why in line
        assert moved_by(event) == (segment, version, used)
        assert worker.get("/readyz")[0] == 200
    assert len(refusals(worker)) == 2

    deployment.announce(BETTER)
    eventually(lambda: release_of(worker)["version"] == BETTER.version, "the good one is in use")
    assert release_of(worker)["problem"] is None
    deployment.swept()
    newest = deployment.activations()[-1][0]
    assert moved_by(replace(OLD, created_at=OLD.created_at.replace(hour=3))) == (3, BETTER.version, newest)
    assert "Traceback" not in worker.log()


def release_of(worker: WorkerProcess) -> dict[str, Any]:
    shown: dict[str, Any] = worker.get("/status")[1]["release"]
    return shown


def _has_problem(worker: WorkerProcess, why: str) -> bool:
    return why in (release_of(worker)["problem"] or "")


def refusals(worker: WorkerProcess) -> dict[int, str]:
    """By activation, why the worker's log says that the release is refused."""
    lines = [json.loads(line) for line in worker.log().splitlines() if '"release refused"' in line]
    return {line["activation"]: line["reason"] for line in lines}


def _refusal(worker: WorkerProcess, activation: int) -> str | None:
    return refusals(worker).get(activation)


def check_similar_users(swept: list[dict[str, Any]], users: dict[str, Expected]) -> None:
    """Each change names the nearest users by the new components, though the index was being filled."""
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
