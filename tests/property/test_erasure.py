"""An erasure ends all that was said before it: in every order of arrival, whatever happens to the lanes."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from schemas.input_events import Event, Order, Signup, UserErased
from schemas.inputs.decode import encode_order, encode_signup
from schemas.partitioner import partition_of
from schemas.release.model_release import ModelRelease
from streamer.user.stored.stored_state import encode
from streamer.user.user_state import Facts, UserState
from tests.support.inputs.laws import examples
from tests.support.strategies.events import START, orders, signups
from tests.support.worlds.bootstraps import fill
from tests.support.worlds.failing_ends import Calls, Crash
from tests.support.worlds.lane_world import TOPICS, World, check_promises, drain
from tests.support.worlds.made_up_release import CENTRES, a_release, an_active_model
from tests.support.worlds.rebuilds import committed_in, rebuilt
from tests.support.worlds.refolding import a_refold, differing, position_of

# The strategies' latest time: some facts are of just that moment.
ERASED_AT = START.replace(hour=8)
ERASED = UserErased("7", ERASED_AT)
TOMBSTONE = {"state": encode(UserState("7", Facts(erased_at=START.replace(hour=8))))}
SWAPPED = a_release(centres=(CENTRES[2], CENTRES[1], CENTRES[0], CENTRES[3]))
ELSEWHERE = a_release(scale=2.0)

facts_before = st.lists(signups("7") | orders("7"), max_size=7)
arrivals = facts_before.flatmap(lambda facts: st.permutations([*facts, ERASED, *facts[:2]]))
some_settings = examples(30)


def only_the_tombstone_is_left(world: World) -> None:
    """Redis has only user 7's tombstone, and the user's changes end with the erasure."""
    kept = world.redis.users["7"]
    assert (kept.fields, kept.orders) == (TOMBSTONE, {})
    assert [index for index in world.redis.indexes.values() if "7" in index._angles] == []
    assert [lane for lane in world.redis.swept.values() if "7" in lane] == []
    told = [change.kind for change in world.changes("7")]
    nulls = [record.value is None for record in world.records(TOPICS.users) if record.key == b"7"]
    assert told.count("erased") == nulls.count(True) <= 1
    assert not told or told[-1] == "erased"
    assert not nulls or nulls[-1]


def run_with_crashes(world: World, data: st.DataObject) -> None:
    """Each crash at any call of any lane, before it or after it; then to the end."""
    for _ in range(data.draw(st.integers(0, 3), label="crashes")):
        calls = Calls(
            data.draw(st.integers(0, 25), label="call"), data.draw(st.sampled_from(["before", "after"]))
        )
        with suppress(Crash):
            for partition in range(world.partitions):
                lane = world.lane(partition, calls.wrap)
                lane.take_over(world.writer())
                drain(lane)
    world.run_all()


def nothing(world: World) -> None:
    """All goes on."""


def redis_is_emptied(world: World) -> None:
    world.lose_redis()


def activated(world: World, release: ModelRelease) -> None:
    model = world.models.model
    assert model is not None
    world.models.model = an_active_model(model.activation + 1, release)


def states_are_rebuilt(world: World) -> None:
    """By the log alone, and the lanes move to the new prefix."""
    committed = [committed_in(world, lane) for lane in range(world.partitions)]
    known = [offsets for offsets in committed if offsets is not None]
    if len(known) == len(committed):
        world.redis = rebuilt(world, *known)


befalls: Sequence[Callable[[World], None]] = (
    nothing,
    redis_is_emptied,
    lambda world: activated(world, SWAPPED),
    lambda world: activated(world, ELSEWHERE),
    states_are_rebuilt,
)


@some_settings
@given(arrivals, st.integers(1, 4), st.integers(0, 10), st.sampled_from(befalls), st.data())
def test_in_any_order_of_arrival_and_whatever_befalls_nothing_but_the_tombstone_is_left(
    arrival: list[Event], max_batch: int, cut: int, befalls: Callable[[World], None], data: st.DataObject
) -> None:
    world = World(max_batch=max_batch)
    world.send(Signup("21", START, age=60), *arrival[:cut])
    run_with_crashes(world, data)
    befalls(world)
    world.send(*arrival[cut:])
    run_with_crashes(world, data)
    nothing_brings_the_user_back(world)


@some_settings
@given(arrivals, st.data())
def test_nor_does_what_another_lane_hands_over_bring_the_user_back(
    arrival: list[Event], data: st.DataObject
) -> None:
    """With re-keying, each event on any partition, the erasure as an event or as a null."""
    world = World(2, rekey=True, max_batch=2)
    cut = data.draw(st.integers(0, len(arrival)), label="cut")
    for number, event in enumerate(arrival):
        if number == cut:
            run_with_crashes(world, data)
        send_anywhere(world, event, data)
    run_with_crashes(world, data)
    nothing_brings_the_user_back(world)


def nothing_brings_the_user_back(world: World) -> None:
    """Not by now, and not when the states are rebuilt."""
    only_the_tombstone_is_left(world)
    check_promises(world)
    states_are_rebuilt(world)
    world.run_all()
    only_the_tombstone_is_left(world)
    check_promises(world)


def send_anywhere(world: World, event: Event, data: st.DataObject) -> None:
    """On the user's own partition under its key, or on another one under any; a null needs the key."""
    partition, is_null = data.draw(st.integers(0, 1)), data.draw(st.booleans())
    topic = world.topics.orders if isinstance(event, Order) else world.topics.signups
    key, value = encode_order(event) if isinstance(event, Order) else encode_signup(event)
    if isinstance(event, UserErased) and is_null:
        world.kafka.append(topic, partition, key, None, millis(event.erased_at))
    else:
        astray = partition != partition_of("7", 2)
        world.kafka.append(topic, partition, None if astray else key, value)


def millis(at: datetime) -> int:
    return int((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


@some_settings
@given(facts_before, arrivals, st.booleans(), st.data())
def test_nor_do_the_warehouses_facts_after_a_bootstrap(
    warehouse: list[Signup | Order], arrival: list[Event], compacted: bool, data: st.DataObject
) -> None:
    """The log has the erasure and late facts; a rebuild asks the warehouse, which still has the old facts."""
    world = World(max_batch=data.draw(st.integers(1, 4)))
    fill(world, warehouse)
    cut = data.draw(st.integers(0, len(arrival)), label="cut")
    world.send(*arrival[:cut])
    run_with_crashes(world, data)
    world.send(*arrival[cut:])
    run_with_crashes(world, data)
    gone(world)
    if compacted:
        the_null_is_compacted_away(world)
    committed = committed_in(world, 0)
    assert committed is not None
    world.redis = rebuilt(world, committed, warehouse=warehouse)
    gone(world)
    world.send(*warehouse)
    world.run_all()
    gone(world)
    past = a_refold(world)
    past.go_to(position_of(world))
    assert differing(world, past) == {}


def gone(world: World) -> None:
    assert world.redis.users["7"].fields == TOMBSTONE
    assert world.redis.users["7"].orders == {}
    assert all(len(index) == 0 for index in world.redis.indexes.values())
    assert all("7" not in lane for lane in world.redis.swept.values())


def the_null_is_compacted_away(world: World) -> None:
    """As after the topic's delete.retention.ms. Memory counts records, so others fill their places."""
    records = world.kafka.topics[TOPICS.users].partitions[0]
    for offset, record in enumerate(records):
        records[offset] = type(record)(record.topic, 0, offset, None, None, 0)
