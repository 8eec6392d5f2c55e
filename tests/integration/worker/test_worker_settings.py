"""Settings that change a running worker's decisions: statuses that do not count, and the margin."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from math import dist
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from schemas.input_events import Event, Signup
from tests.campaigns.chaos.customers import records
from tests.support.checks.check_promises import expected_users
from tests.support.checks.moves import OLD, YOUNG
from tests.support.checks.read_records import read_topic, value_of
from tests.support.inputs.bad_events import BadRecord
from tests.support.servers.deployment import Deployment
from tests.support.worlds.made_up_release import CENTRES, MEAN, PROJECTION, SCALE
from tests.support.worlds.trained_shops import QUICK, a_trained_folder
from trainer.release.release_folder import load_release

EXCLUDED = ("Cancelled", "Returned")
MARGIN = 0.1
ON_THE_WAY = replace(OLD, age=50)
LATER = replace(OLD, created_at=OLD.created_at.replace(hour=2))


def test_orders_of_excluded_statuses_do_not_count(deployment: Deployment, tmp_path: Path) -> None:
    """Also one that gets such a status later, or loses it."""
    release = a_trained_folder(tmp_path, dataclasses.replace(QUICK, exclude_statuses=EXCLUDED))
    deployment.settings = {"SEGUE_EXCLUDE_STATUSES": ",".join(EXCLUDED)}
    deployment.announce(load_release(release))
    deployment.worker().ready()
    facts: dict[str, list[Event]] = defaultdict(list)
    for event in records(Random(7), 1_500, 150):
        if not isinstance(event, BadRecord):
            facts[event.user_id].append(event)
    deployment.send(event for of_user in facts.values() for event in of_user)
    deployment.caught_up()

    right = expected_users(facts, release, exclude=EXCLUDED)
    outcome = deployment.verified(right, facts.keys() - right.keys())
    assert outcome.users > 100
    others = expected_users(facts, release)
    differing = [user_id for user_id, user in right.items() if user.segment != others[user_id].segment]
    assert len(differing) > 5, "with every status they would end in the same segments"


def distances(signup: Signup) -> tuple[float, ...]:
    """The distance to each centre of a woman of whom only the age is known, by the release's own numbers.

    Age and gender are its first two columns, and F has the code 0.
    """
    assert signup.age is not None
    scaled = (signup.age - MEAN[0]) / SCALE[0], (0.0 - MEAN[1]) / SCALE[1]
    at = [sum(value * weight for value, weight in zip(scaled, axis[:2], strict=True)) for axis in PROJECTION]
    return tuple(dist(at, centre) for centre in CENTRES)


@pytest.mark.parametrize("min_margin", [0.0, MARGIN])
def test_a_user_near_a_border_stays_in_its_segment_if_there_is_a_margin(
    deployment: Deployment, min_margin: float
) -> None:
    young, on_the_way, old = distances(YOUNG), distances(ON_THE_WAY), distances(LATER)
    assert [min(range(4), key=of.__getitem__) for of in (young, on_the_way, old)] == [2, 3, 3]
    # The next centre is nearer: by too little on the way, and by enough in the end.
    assert 0 < on_the_way[2] - on_the_way[3] < MARGIN * on_the_way[2]
    assert old[2] - old[3] > MARGIN * old[2]
    deployment.settings = {"SEGUE_MIN_MARGIN": str(min_margin)}
    deployment.worker().ready()
    deployment.send([YOUNG, ON_THE_WAY, LATER])
    deployment.caught_up()

    told = [
        json.loads(value_of(message))
        for message in read_topic(deployment.bootstrap, deployment.topics.changes)
    ]
    moves = [(change["previous_segment"], change["segment"], change["cause"]["offset"]) for change in told]
    assert moves == [(None, 2, 0), (2, 3, 2 if min_margin else 1)]
