"""Bootstrap and rebuild name the day of their states, and say who is due.

By ``a_recency_release`` a user is in segment 0 up to 5 days after the last order, in 1 up to 20, then in 2.
"""

from datetime import UTC, date, datetime, timedelta

from schemas.features import FEATURES
from schemas.input_events import Item, Order
from schemas.outputs.segment_change import SegmentChange
from streamer.place import place as places
from tests.support.worlds.bootstraps import T, fill, newest
from tests.support.worlds.lane_world import NOW, World, check_promises
from tests.support.worlds.made_up_release import RECENCY, a_recency_release, an_active_model
from tests.support.worlds.rebuilds import rebuilt


def a_world() -> World:
    world = World(features=(*FEATURES, RECENCY))
    world.models.model = an_active_model(release=a_recency_release())
    return world


def an_order(at: datetime = NOW, user_id: str = "7") -> Order:
    return Order(user_id, "1", at, (Item("Ön"),))


def days(world: World) -> tuple[date | None, set[date | None]]:
    """The lane's day, in the place and in the offsets."""
    place = places.decode(world.redis.places[0])
    return place.decides_on, {committed.day for committed in world.kafka.offsets.values()}


def test_a_bootstrap_decides_on_the_day_of_its_snapshot() -> None:
    """The snapshot is of January 2nd, and the worker starts in June."""
    world = a_world()
    fill(world, [an_order(T - timedelta(days=3))])
    first = newest(world, "7")
    assert first is not None
    assert (first.segment, first.cause.day, first.features["recency"]) == (0, T.date(), 3)
    assert days(world) == (T.date(), {T.date()})
    assert world.redis.due[0] == {"7": date(2024, 1, 5)}
    world.run()
    (moved,) = world.changes()
    assert isinstance(moved, SegmentChange)
    assert (moved.segment, moved.cause.type, moved.cause.day) == (2, "time", date(2024, 6, 1))


def test_a_bootstrap_does_not_go_back_behind_a_decision() -> None:
    """Another group decided in June, and the snapshot is of January."""
    world = a_world()
    world.send(an_order(T))
    world.run()
    world.kafka.offsets.clear()
    world.lose_redis()
    fill(world, [an_order(T)], positions={0: {"signups": 0, "orders": 1}})
    assert days(world) == (NOW.date(), {NOW.date()})
    assert len(world.records(world.topics.users)) == 1


def test_a_rebuild_names_the_day_and_fills_those_who_are_due() -> None:
    world = a_world()
    world.send(an_order(NOW - timedelta(days=4), "7"), an_order(NOW, "9"))
    world.run()
    world.now = datetime(2024, 6, 3, tzinfo=UTC)
    world.redis = rebuilt(world, {"signups": 0, "orders": 2})
    assert days(world) == (date(2024, 6, 3), {date(2024, 6, 1)})
    # User 7 would be decided otherwise on this day already; a sweep has nothing to do.
    assert world.redis.due[0] == {"7": date(2024, 6, 3), "9": date(2024, 6, 7)}
    assert world.redis.swept[0] == {"7": 1, "9": 1}
    world.run()
    assert [(c.user_id, c.cause.type, c.cause.day) for c in world.changes()[2:]] == [
        ("7", "time", date(2024, 6, 3))
    ]
    check_promises(world)


def test_a_rebuild_under_new_settings_leaves_everybody_to_a_sweep() -> None:
    world = a_world()
    world.send(an_order())
    world.run()
    world.redis = rebuilt(world, {"signups": 0, "orders": 1}, anew=True)
    assert world.redis.swept[0] == {"7": 0}
    world.run()
    assert len(world.changes()) == 1
    check_promises(world)
