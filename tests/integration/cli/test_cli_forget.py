"""`segue forget` on real servers: the data goes, the messages are right, and nothing restores the user."""

import json
from datetime import UTC, datetime, timedelta
from typing import cast

import redis

from schemas import times
from schemas.input_events import Item, Order, Signup
from streamer.user.stored.stored_formats import NEWEST
from tests.support.checks.read_records import read_topic, value_of
from tests.support.checks.stored_json import state_json
from tests.support.servers.deployment import Deployment
from tests.support.worlds.made_up_release import a_release

START = datetime(2024, 5, 1, tzinfo=UTC)
SIGNUP = Signup("7", START, age=30, gender="F", country="Spain", traffic_source="Email")
ORDER = Order("7", "1", START, (Item(brand="Ön", category="Jeans"),))


def test_a_user_is_forgotten_and_stays_forgotten(deployment: Deployment) -> None:
    store = redis.Redis.from_url(deployment.redis_url)
    user, index = f"{deployment.redis_prefix}user:7", f"{deployment.redis_prefix}angles:{a_release().space}"
    deployment.worker().ready()
    deployment.send([SIGNUP, ORDER, Signup("8", START, age=55)])
    deployment.caught_up()
    assert store.hget(user, "segment") is not None
    assert store.zscore(index, "7") is not None

    told = json.loads(deployment.segue("forget", "7", "--wait", "60", "--json").stdout)

    assert (told["gone"], told["was_unknown"]) == (True, False)
    erased_at = times.parse(told["erased_at"])
    assert abs(datetime.now(UTC) - erased_at) < timedelta(minutes=5)
    kept = cast(dict[bytes, bytes], store.hgetall(user))
    assert list(kept) == [b"state"]
    assert state_json(kept[b"state"]) == {
        "facts": {"erased_at": told["erased_at"]},
        "format": NEWEST,
    }
    assert store.zscore(index, "7") is None
    assert store.zscore(index, "8") is not None

    # What arrives late stays out; what happens later begins anew. Erasing again, or nobody, is no error.
    deployment.send([SIGNUP, Order("7", "2", erased_at, (Item(brand="Ön"),))])
    nobody = deployment.segue("forget", "nobody", "--wait", "60")
    assert "Redis knew no user of this id" in nobody.stderr
    deployment.caught_up()
    assert list(store.hgetall(user)) == [b"state"]
    deployment.send([Signup("7", erased_at + timedelta(microseconds=1), age=31)])
    deployment.caught_up()
    changes = [
        json.loads(value_of(message))
        for message in read_topic(deployment.bootstrap, deployment.topics.changes)
        if message.key() == b"7"
    ]
    erased = [change["kind"] for change in changes].index("erased")
    assert changes[erased]["sequence"] == changes[erased - 1]["sequence"] + 1
    assert "features" not in changes[erased]
    assert [(c["sequence"], c["previous_segment"]) for c in changes[erased + 1 :]] == [(1, None)]
    records = [
        message
        for message in read_topic(deployment.bootstrap, deployment.topics.users)
        if message.key() == b"7"
    ]
    assert [record.value() is None for record in records] == [c["kind"] == "erased" for c in changes]
    store.close()


def test_without_a_worker_the_event_is_there_and_the_wait_ends(deployment: Deployment) -> None:
    done = deployment.segue("forget", "7", "--wait", "0.2", check=False)

    assert done.returncode == 1
    assert "no worker has applied it within 0.2 s" in done.stderr
    (record,) = read_topic(deployment.bootstrap, deployment.topics.signups)
    assert record.key() == b"7"
    assert json.loads(value_of(record))["type"] == "user.erased"
