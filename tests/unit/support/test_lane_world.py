"""The promises that tests check over a world in memory: what is lost is seen."""

import pytest

from tests.support.checks.moves import OLD, YOUNG
from tests.support.worlds.lane_world import World, check_promises


def test_a_user_lost_among_those_to_be_swept_is_seen() -> None:
    world = World()
    world.send(YOUNG, OLD)
    world.run()
    check_promises(world)
    del world.redis.swept[0]["7"]
    with pytest.raises(AssertionError):
        check_promises(world)
