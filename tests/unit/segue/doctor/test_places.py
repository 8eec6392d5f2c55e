"""What `doctor` makes of a lane's place."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from schemas.features import FEATURES
from segue.doctor.check import OK, WARN
from segue.doctor.places import LaneFacts, judged
from tests.support.worlds.lane_world import NOW, World
from tests.support.worlds.made_up_release import RECENCY, a_recency_release, an_active_model
from tests.support.worlds.refolding import a_lane_log


def facts(today: date | None) -> LaneFacts:
    """The facts of a lane that decides on the day of ``NOW``."""
    world = World(features=(*FEATURES, RECENCY))
    world.models.model = an_active_model(release=a_recency_release())
    world.run()
    log = a_lane_log(world)
    return LaneFacts(
        stored=world.redis.places[0],
        torn=None,
        committed=log.committed,
        inputs={topic: log.bounds[topic] for topic in world.topics.inputs},
        users_topic=world.topics.users,
        users=log.bounds[world.topics.users],
        settings=world.config.settings,
        prefix="segue:",
        users_empty=lambda: True,
        bootstrapped=False,
        today=today,
    )


@pytest.mark.parametrize(
    ("days", "state", "text"),
    [
        (0, OK, "Redis has come to signups@0, orders@0"),
        (1, OK, "Redis has come to signups@0, orders@0"),
        (3, WARN, "Redis has come to signups@0, orders@0, and decides on 2024-06-01, 3 days behind"),
        (-40, WARN, "Redis has come to signups@0, orders@0, and decides on 2024-06-01, 40 days ahead"),
    ],
)
def test_a_lane_on_another_day_is_a_warning(days: int, state: str, text: str) -> None:
    check = judged(0, facts(NOW.date() + timedelta(days=days)))
    assert (check.state, check.text) == (state, text)
    assert (check.fix is None) == (state == OK)


def test_without_features_of_time_there_is_no_day_to_compare() -> None:
    found = replace(facts(NOW.date()), today=None)
    assert judged(0, found).state == OK
