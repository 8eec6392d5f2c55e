"""How far an erasure reaches: re-keyed copies, letters, neighbours, a sweep, a rebuild."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import pytest
from msgspec.structs import replace

from schemas.input_events import Event, Item, Order, Signup, UserErased
from schemas.inputs.decode import encode_order, encode_signup
from schemas.outputs.segment_change import SegmentChange
from schemas.release.model_release import ModelRelease
from streamer.user.stored.stored_state import encode, unpack_order
from streamer.user.user_state import Facts, UserState
from tests.support.checks.moves import OLD, YOUNG
from tests.support.strategies.events import START
from tests.support.worlds.bootstraps import an_order, fill
from tests.support.worlds.lane_world import TOPICS, World, check_promises, drain
from tests.support.worlds.made_up_release import CENTRES, a_release, an_active_model
from tests.support.worlds.rebuilds import committed_in, rebuilt

ERASED_AT = START.replace(hour=12)
ERASED = UserErased("7", ERASED_AT)
TOMBSTONE = {"state": encode(UserState("7", Facts(erased_at=ERASED_AT)))}
AFTER = ERASED_AT + timedelta(microseconds=1)
SIGNUP = Signup("7", ERASED_AT, age=30, gender="F")
ORDER = Order("7", "1", ERASED_AT, (Item(brand="Ön"),))
VERSION = replace(ORDER, created_at=START, updated_at=ERASED_AT)
LATER_VERSION = replace(ORDER, created_at=START, status="Shipped", updated_at=AFTER + timedelta(hours=1))
ORDER_AFTER = replace(ORDER, created_at=AFTER)
SWAPPED = a_release(centres=(CENTRES[2], CENTRES[1], CENTRES[0], CENTRES[3]))


def only_the_tombstone_is_left(world: World) -> None:
    kept = world.redis.users["7"]
    assert (kept.fields, kept.orders) == (TOMBSTONE, {})
    assert all("7" not in index._angles for index in world.redis.indexes.values())
    assert all("7" not in lane for lane in world.redis.swept.values())


@pytest.mark.parametrize("fact", [SIGNUP, ORDER, VERSION])
@pytest.mark.parametrize("first", ["fact", "erasure"])
def test_a_fact_of_the_very_moment_does_not_count(fact: Event, first: str) -> None:
    world = World(max_batch=1)
    world.send(*((fact, ERASED) if first == "fact" else (ERASED, fact)))
    world.run()
    only_the_tombstone_is_left(world)
    check_promises(world)


@pytest.mark.parametrize(
    "fact",
    [
        replace(SIGNUP, created_at=AFTER),
        replace(ORDER, created_at=AFTER),
    ],
)
@pytest.mark.parametrize("first", ["fact", "erasure"])
def test_a_microsecond_later_it_begins_a_new_life(fact: Event, first: str) -> None:
    world = World(max_batch=1)
    world.send(*((fact, ERASED) if first == "fact" else (ERASED, fact)))
    world.run()
    assert world.changes("7")[-1].sequence == 1
    check_promises(world)


@pytest.mark.parametrize("arrival", list(permutations((ORDER, LATER_VERSION, ERASED))))
def test_a_later_version_of_an_order_made_before_does_not_bring_the_user_back(
    arrival: Sequence[Event],
) -> None:
    world = World(max_batch=1)
    world.send(*arrival)
    world.run()
    only_the_tombstone_is_left(world)
    check_promises(world)


@pytest.mark.parametrize("arrival", list(permutations((ORDER_AFTER, LATER_VERSION, ERASED))))
def test_versions_that_differ_in_when_the_order_was_made_end_alike_in_any_order(
    arrival: Sequence[Event],
) -> None:
    """The version made before the erasure is the newest, and the erasure takes it away alone."""
    world = World(max_batch=1)
    world.send(*arrival)
    world.run()
    check_promises(world)
    (stored,) = world.redis.users["7"].orders.values()
    assert unpack_order("7", "1", stored or b"") == ORDER_AFTER


@pytest.mark.parametrize("arrival", list(permutations((YOUNG, an_order("1", "Ön"), ERASED))))
@pytest.mark.parametrize("astray", ["the facts", "the erasure", "all"])
def test_what_was_handed_over_stays_out_and_its_copy_stays_in_the_topic(
    arrival: Sequence[Event], astray: str
) -> None:
    """User 7 belongs to partition 1 of 2."""
    world = World(2, rekey=True, max_batch=1)
    for event in arrival:
        if astray == "all" or (event is ERASED) == (astray == "the erasure"):
            ours = isinstance(event, Order)
            value = encode_order(event)[1] if isinstance(event, Order) else encode_signup(event)[1]
            world.kafka.append(TOPICS.orders if ours else TOPICS.signups, 0, None, value)
        else:
            world.send(event)
    world.run_all()
    only_the_tombstone_is_left(world)
    copies = world.records(TOPICS.rekeyed)
    assert [copy.key for copy in copies] == [b"7"] * {"the facts": 2, "the erasure": 1, "all": 3}[astray]
    check_promises(world)


def test_a_letter_stays_as_it_came_and_sent_again_it_does_not_count() -> None:
    """On the wrong partition, so a dead letter, and sent again to the right one once the user was erased."""
    world = World(2)
    value = encode_order(an_order("1", "Ön"))[1]
    world.kafka.append(TOPICS.orders, 0, b"7", value)
    world.send(YOUNG, ERASED)
    world.run_all()
    (letter,) = world.records(TOPICS.dead_letters)
    assert (letter.key, letter.value) == (b"7", value)
    world.kafka.append(TOPICS.orders, 1, letter.key, letter.value)
    world.run_all()
    only_the_tombstone_is_left(world)


def test_nobody_is_told_an_erased_user_as_similar_but_what_was_told_before_stays() -> None:
    world = World()
    world.send(YOUNG, replace(YOUNG, user_id="8"))
    lane = world.run()
    assert similar_to(world, "8") == ["7"]
    world.send(ERASED, replace(YOUNG, user_id="9"))
    drain(lane)
    assert similar_to(world, "8") == ["7"]
    assert similar_to(world, "9") == ["8"]
    world.send(replace(OLD, user_id="8"))
    drain(lane)
    assert "7" not in similar_to(world, "8")


def similar_to(world: World, user_id: str) -> list[str]:
    change = world.changes(user_id)[-1]
    assert isinstance(change, SegmentChange)
    return [similar.user_id for similar in change.similar_users]


@pytest.mark.parametrize("release", [SWAPPED, a_release(scale=2.0)])
def test_erased_while_a_new_release_comes_into_use(release: ModelRelease) -> None:
    """In the middle of a sweep, also of one that fills another space's index."""
    world = World(max_batch=1)
    world.send(*(replace(YOUNG, user_id=user_id) for user_id in ("21", "7", "8")))
    lane = world.run()
    world.models.model = an_active_model(4, release)
    lane.step(0.0)
    world.send(ERASED)
    drain(lane)
    only_the_tombstone_is_left(world)
    assert [change.kind for change in world.changes("7")][-1] == "erased"
    check_promises(world)


def test_after_a_rebuild_from_the_log() -> None:
    world = World(max_batch=1)
    world.send(YOUNG, an_order("1", "Ön"), VERSION, ERASED)
    world.run()
    told = world.changes()
    taken_over_under_the_new_prefix(world)
    only_the_tombstone_is_left(world)
    assert world.changes() == told


def test_after_a_rebuild_from_the_warehouse_that_still_has_the_user() -> None:
    """Bootstrapped, then erased, but not in the warehouse: with the null, and after compaction dropped it."""
    world = World(max_batch=1)
    warehouse: list[Signup | Order] = [YOUNG, an_order("1", "Ön"), an_order("2", "Carhartt", user_id="8")]
    fill(world, warehouse)
    world.send(ERASED)
    world.run()
    told = world.changes()
    assert [change.kind for change in told] == ["erased"]
    for _ in range(2):
        taken_over_under_the_new_prefix(world, warehouse)
        only_the_tombstone_is_left(world)
        assert world.changes() == told
        records = world.kafka.topics[TOPICS.users].partitions[0]
        records[:] = [replace(record, key=None) if record.key == b"7" else record for record in records]


def test_after_a_rebuild_when_the_erasure_lies_before_the_bootstrap_and_its_null_is_gone() -> None:
    """The log begins with the bootstrap, and compaction drops nulls: the rebuild learns it from Redis."""
    before = World()
    before.send(YOUNG, ERASED)
    before.run()
    world = World(max_batch=1)
    world.kafka.topics[TOPICS.users] = before.kafka.topics[TOPICS.users]
    warehouse: list[Signup | Order] = [YOUNG, an_order("2", "Carhartt", user_id="8")]
    fill(world, warehouse)
    world.run()
    only_the_tombstone_is_left(world)
    records = world.kafka.topics[TOPICS.users].partitions[0]
    records[:] = [
        replace(record, key=None, headers=()) if record.key == b"7" else record for record in records
    ]

    taken_over_under_the_new_prefix(world, warehouse)

    only_the_tombstone_is_left(world)
    assert world.changes("7") == []


def taken_over_under_the_new_prefix(world: World, warehouse: Sequence[Signup | Order] | None = None) -> None:
    """Rebuild; then the user's facts arrive once more."""
    committed = committed_in(world, 0)
    assert committed is not None
    world.redis = rebuilt(world, committed, warehouse=warehouse)
    world.send(YOUNG, an_order("1", "Ön"), VERSION)
    world.run()
