"""A rehearsal also counts who moves because a day begins.

By ``a_recency_release`` a user is in segment 0 up to 5 days after the last order, in 1 up to 20, then in 2.
By the new release the borders are at 10 and 40 days.
"""

from datetime import UTC, date, datetime, timedelta

from schemas.features import FEATURES
from schemas.input_events import Item, Order
from segue.rehearsal.rehearse_log import RehearsalRun
from tests.support.worlds.lane_world import NOW, World
from tests.support.worlds.made_up_release import RECENCY, a_recency_release, an_active_model
from tests.support.worlds.replays import a_window, replayed

BEGINS = datetime(2024, 6, 2, tzinfo=UTC)


def a_world() -> World:
    """User 7 orders once; a worker is there on the 7th day and on the 30th."""
    world = World(features=(*FEATURES, RECENCY))
    world.models.model = an_active_model(release=a_recency_release())
    world.send(Order("7", "1", NOW, (Item("Ön"),)))
    world.run()
    for days in (6, 29):
        world.now = NOW + timedelta(days=days)
        world.run()
    assert [change.cause.day for change in world.changes()] == [
        date(2024, 6, 1),
        date(2024, 6, 7),
        date(2024, 6, 30),
    ]
    return world


def test_a_replay_decides_on_the_days_of_the_live_changes() -> None:
    (found,) = replayed(a_world()).values()
    assert [change.segment for change in found.replayed] == [0, 1, 2]
    assert found.same_way
    assert found.ends_alike


def test_a_rehearsal_counts_moves_by_time() -> None:
    world = a_world()
    current = world.models.model
    assert current is not None
    new = an_active_model(1, a_recency_release((0.0, 20.0, 60.0)))
    run = RehearsalRun(current, new, 0.0, BEGINS, world.now)
    run.lane(a_window(world))
    assert run.done.live.moves == {"time": 2}
    assert run.done.current.counts.moves == {"time": 2}
    # On the 7th it is 6 days, which is below 10; on the 30th 29, which is below 40.
    assert run.done.new.counts.moves == {"time": 1}
    assert [(moved.previous_segment, moved.segment) for moved in run.done.switch.moved] == [(2, 1)]
