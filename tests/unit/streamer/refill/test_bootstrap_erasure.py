"""A bootstrap where ``user-segments`` has records: erasures, and users who are not in the warehouse."""

import pytest
from msgspec.structs import replace

from schemas.input_events import UserErased
from streamer.segment.neighbours import angle
from tests.support.checks.moves import OLD, YOUNG
from tests.support.strategies.events import START
from tests.support.worlds.bootstraps import SINCE, an_order, fill, newest
from tests.support.worlds.lane_world import World
from tests.support.worlds.rebuilds import rebuilt
from tests.support.worlds.refolding import a_lane_log, a_past, differing, position_of

ERASED_AT = START.replace(hour=9)


def erased_world() -> World:
    """User 7 moved, and was erased; Redis and the group are new."""
    world = World()
    world.send(YOUNG, UserErased("7", ERASED_AT))
    world.run()
    assert [change.kind for change in world.changes("7")] == ["moved", "erased"]
    world.lose_redis()
    world.kafka.offsets.clear()
    return world


def test_facts_of_a_user_before_its_erasure_do_not_count_and_ids_go_on() -> None:
    world = erased_world()
    first = world.changes("7")[0]
    filled = fill(world, [YOUNG, an_order("1", "Ön"), an_order("2", "Carhartt", ERASED_AT.replace(hour=10))])
    assert filled.records == 1
    facts = world.state("7").facts
    assert (facts.erased_at, facts.held, facts.signed_up_at) == (ERASED_AT, 1, None)
    told = newest(world, "7")
    assert told is not None
    assert told.sequence == 1
    assert told.event_id != first.event_id
    world.send(an_order("1", "Ön"))
    world.run()
    assert set(world.redis.users["7"].orders) == {"2"}


def test_a_user_of_whom_the_tombstone_alone_is_left_keeps_it() -> None:
    world = erased_world()
    filled = fill(world, [replace(YOUNG, user_id="8")])
    assert filled.records == 1
    kept = world.redis.users["7"]
    assert set(kept.fields) == {"state"}
    assert world.state("7").facts.erased_at == ERASED_AT
    model = world.models.model
    assert model is not None
    assert len(world.redis.indexes[model.release.space]) == 1


def test_facts_that_an_erasure_took_all_leave_a_tombstone() -> None:
    world = erased_world()
    filled = fill(world, [YOUNG, an_order("1", "Ön")])
    assert filled.records == 0
    assert set(world.redis.users["7"].fields) == {"state"}
    assert not world.state("7").facts.alive


@pytest.mark.parametrize("by", ["bootstrap", "lane"])
def test_a_later_life_carries_its_erasure_when_compaction_has_taken_the_null(by: str) -> None:
    world = erased_world()
    if by == "bootstrap":
        fill(world, [an_order("2", "Carhartt", ERASED_AT.replace(hour=10))])
    else:
        world = World()
        world.send(YOUNG, UserErased("7", ERASED_AT), an_order("2", "Carhartt", ERASED_AT.replace(hour=10)))
        world.run()
    assert newest(world, "7") is not None
    compacted(world)
    again = World()
    again.kafka.topics[again.topics.users].partitions = world.kafka.topics[world.topics.users].partitions
    fill(again, [YOUNG, an_order("2", "Carhartt", ERASED_AT.replace(hour=10))])
    facts = again.state("7").facts
    assert (facts.erased_at, facts.signed_up_at) == (ERASED_AT, None)


def compacted(world: World) -> None:
    """Keep the newest record of each key, numbered anew, since memory counts from 0."""
    topic = world.kafka.topics[world.topics.users]
    for partition, records in enumerate(topic.partitions):
        newest = list({record.key: record for record in records}.values())
        topic.partitions[partition] = [replace(r, offset=offset) for offset, r in enumerate(newest)]


def verified(world: World) -> dict[str, list[str]]:
    """Return the fields that differ, by user, as `segue verify` finds them."""
    past = a_past(world, a_lane_log(world), [], decisions=True)
    past.go_to(position_of(world))
    return {user_id: [one.field for one in differs] for user_id, differs in differing(world, past).items()}


def test_a_decision_without_facts_agrees_with_the_log_until_its_erasure() -> None:
    """The user is not in the warehouse, and the events before T are not read again."""
    world = World()
    world.send(YOUNG)
    world.run()
    world.lose_redis()
    world.kafka.offsets.clear()
    fill(world, [], positions={0: {"signups": 1, "orders": 0}})
    assert world.state("7").exists
    assert verified(world) == {}
    entries = {name: value for name, value in world.redis.users["7"].fields.items() if name.startswith("h:")}
    assert entries.keys() == {"h:0"}
    world.redis = rebuilt(world, {"signups": 1, "orders": 0}, warehouse=[])
    assert verified(world) == {}

    world.send(UserErased("7", SINCE.replace(hour=1)))
    world.run()
    assert not world.state("7").exists
    assert verified(world) == {}
    world.redis.users["7"].fields.update(entries)
    assert verified(world) == {"7": ["h:0"]}


def test_a_user_who_is_not_in_the_warehouse_keeps_what_its_newest_record_says() -> None:
    world = World()
    world.send(replace(YOUNG, created_at=SINCE))
    world.run()
    (first,) = world.changes("7")
    world.lose_redis()
    world.kafka.offsets.clear()
    fill(world, [])
    assert world.redis.users["7"].fields["segment"] == b"2"
    world.run()
    assert world.changes("7") == [first]
    world.send(replace(OLD, created_at=SINCE.replace(hour=1)))
    world.run()
    assert [change.sequence for change in world.changes("7")] == [1, 2]
    at = world.state("7").position
    assert at is not None
    assert angle(at.components) is not None
