"""A whole worker whose lane cannot go on, since a producer of an input leaves a transaction open."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Producer

from schemas.input_events import Signup
from schemas.inputs.decode import encode_signup
from schemas.partitioner import librdkafka_name, partition_of
from tests.support.checks.check_promises import expected_users
from tests.support.servers.deployment import Deployment
from tests.support.servers.services import HANG_S, eventually
from tests.support.workers.at_work import AtWork
from trainer.release.release_folder import load_release

pytestmark = pytest.mark.long

AT = datetime(2024, 5, 1, tzinfo=UTC)
HELD = 1  # the lane
NO_PROGRESS_S = 3


def signups(lane: int, partitions: int, count: int) -> list[Signup]:
    """Of users of this lane."""
    ids = (str(number) for number in range(10_000))
    users = [user_id for user_id in ids if partition_of(user_id, partitions) == lane][:count]
    return [Signup(user_id, AT, age=20 + number, gender="F") for number, user_id in enumerate(users)]


def open_transaction(deployment: Deployment, signup: Signup) -> Producer:
    """A producer that has written a signup and does not commit it."""
    producer = Producer(
        {
            "bootstrap.servers": deployment.bootstrap,
            "partitioner": librdkafka_name("murmur2"),
            "transactional.id": f"{deployment.prefix}producer",
            "log_level": 0,
        }
    )
    producer.init_transactions(HANG_S)
    producer.begin_transaction()
    key, value = encode_signup(signup)
    producer.produce(deployment.topics.signups, value, key)
    assert producer.flush(HANG_S) == 0
    return producer


def test_a_transaction_that_a_producer_left_open_is_told_of_and_gone_on_with(
    deployment: Deployment, release: Path
) -> None:
    deployment.settings = {"SEGUE_NO_PROGRESS_S": str(NO_PROGRESS_S)}
    deployment.announce(load_release(release))
    busy = AtWork(deployment, release, deployment.worker().ready())
    of_lane = {lane: signups(lane, deployment.partitions, 6) for lane in deployment.lanes}
    first, *behind = of_lane[HELD]
    producer = open_transaction(deployment, first)
    everybody_else = [signup for lane, some in of_lane.items() if lane != HELD for signup in some]
    deployment.send([*behind, *everybody_else])

    busy.is_not_ready_for(f"lane {HELD} has applied none of the events that wait for ")
    (reason,) = busy.reasons()  # the other lanes go on
    waited_s = int(reason.removesuffix(" s").rpartition(" ")[2])
    assert waited_s >= NO_PROGRESS_S
    eventually(lambda: busy.applied() == len(everybody_else), "the other lanes have applied theirs")
    lane = busy.lanes()[HELD]
    assert (lane["phase"], lane["events"], lane["lag"][deployment.topics.signups]) == ("live", 0, 6)
    checks = json.loads(deployment.segue("doctor", "--json", check=False).stdout)["checks"]
    shown = {check["name"]: check["text"].partition(" (")[0] for check in checks}
    assert {name: text for name, text in shown.items() if name.startswith("lane ")} == {
        f"lane {lane}": "6 events behind" if lane == HELD else "no event behind" for lane in deployment.lanes
    }

    producer.commit_transaction(HANG_S)
    eventually(lambda: busy.reasons() == [], "ready again")
    facts = {signup.user_id: [signup] for some in of_lane.values() for signup in some}
    eventually(lambda: busy.applied() == len(facts), "every event is applied")
    deployment.caught_up()
    outcome = deployment.verified(expected_users(facts, release))
    assert outcome.users == len(facts)
    busy.is_well()
