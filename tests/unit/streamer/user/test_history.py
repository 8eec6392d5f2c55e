"""When and why a user entered each segment."""

from datetime import UTC, datetime

from msgspec.structs import replace

from schemas.input_events import UserErased
from schemas.outputs.segment_change import Cause
from streamer.user.history import FIELDS, Entered, history_fields, read_history
from tests.support.strategies.events import START
from tests.support.worlds.lane_world import World, a_signup, check_promises, drain
from tests.support.worlds.rebuilds import rebuilt

AT = datetime(2024, 6, 1, tzinfo=UTC)


def entry(sequence: int) -> Entered:
    return Entered(sequence, AT, 2, "two", None, "v1", "order", "orders", 3, 17)


def test_an_entry_is_written_and_read_again() -> None:
    fields = history_fields(0, 2, [entry(1), entry(4)])
    assert list(fields) == ["h:0", "h:1"]
    assert fields["h:0"] == b'[1,"2024-06-01T00:00:00Z",2,"two",null,"v1","order","orders",3,17]'
    assert read_history([fields["h:1"], None, fields["h:0"]]) == (entry(1), entry(4))
    assert entry(1).cause == Cause("order", "orders", 3, 17)


def test_the_oldest_gives_its_field_to_the_newest() -> None:
    assert list(history_fields(49, 51, [entry(50), entry(51)])) == ["h:49", "h:0"]
    # 120 entries at once: the newest of each field stays, 100 to 119 in h:0 to h:19 and 70 to 99 in the rest.
    kept = history_fields(0, 120, [entry(n) for n in range(120)])
    assert [e.sequence for e in read_history(kept.values())] == list(range(70, 120))


def test_nothing_new_writes_nothing_and_a_new_life_forgets_the_one_before() -> None:
    assert history_fields(3, 3, ()) == {}
    assert history_fields(3, 0, ()) == {"h:0": None, "h:1": None, "h:2": None}
    reborn = history_fields(3, 1, [entry(1)])
    assert (reborn["h:1"], reborn["h:2"]) == (None, None)
    assert read_history(reborn.values()) == (entry(1),)
    assert len(history_fields(70, 0, ())) == 50


def a_world_of_moves(moves: int, max_batch: int) -> World:
    """The age goes up and down, so that the user moves between two segments with each event."""
    world = World(max_batch=max_batch)
    for i in range(moves):
        world.send(a_signup(created_at=START.replace(minute=i), age=100 if i % 2 else 20, gender="F"))
    return world


def test_a_lane_keeps_the_newest_fifty() -> None:
    world = a_world_of_moves(56, max_batch=5)
    world.run()
    fields = world.redis.users["7"].fields
    kept = read_history(fields.get(name) for name in FIELDS)
    assert [e.sequence for e in kept] == list(range(7, 57))
    assert kept[-1].cause == Cause("signup", "signups", 0, 55)
    assert kept[-1].at == START.replace(minute=55)
    check_promises(world)


def test_of_many_at_once_the_newest_fifty_and_nothing_of_the_life_before() -> None:
    world = a_world_of_moves(3, max_batch=100)
    lane = world.run()
    world.send(UserErased("7", START.replace(minute=10)))
    for i in range(11, 59):
        world.send(a_signup(created_at=START.replace(minute=i), age=100 if i % 2 else 20, gender="F"))
    for i in range(12):
        world.send(a_signup(created_at=START.replace(hour=1, minute=i), age=20 if i % 2 else 100, gender="F"))
    drain(lane)
    kept = read_history(world.redis.users["7"].fields.get(name) for name in FIELDS)
    assert [e.sequence for e in kept] == list(range(11, 61))
    check_promises(world)


def test_a_rebuild_has_the_newest_fifty_too() -> None:
    world = a_world_of_moves(56, max_batch=5)
    lane = world.run()
    live = world.redis.users["7"].fields
    assert rebuilt(world, lane.positions).users["7"].fields == live


def test_an_emptied_redis_has_it_again_and_an_erasure_takes_it_away() -> None:
    world = a_world_of_moves(5, max_batch=2)
    world.run()
    before = dict(world.redis.users["7"].fields)
    world.lose_redis()
    world.run()
    assert {name: world.redis.users["7"].fields[name] for name in FIELDS[:5]} == {
        name: before[name] for name in FIELDS[:5]
    }
    world.send(UserErased("7", START.replace(hour=9)))
    world.run()
    assert set(world.redis.users["7"].fields) == {"state"}
    world.send(replace(a_signup(age=20, gender="F"), created_at=START.replace(hour=10)))
    world.run()
    check_promises(world)
