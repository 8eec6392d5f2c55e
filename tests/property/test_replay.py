"""A replay by the same release ends where the lane did, in whatever order the lane took the events."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.input_events import Event, Item, Order
from schemas.inputs.decode import encode_order, encode_signup
from schemas.outputs.segment_change import Cause
from streamer.batch.read_batch import Incoming, read_batch
from streamer.refill.live_decisions import Window
from streamer.refill.live_order import in_live_order
from tests.support.inputs.laws import examples
from tests.support.strategies.events import histories
from tests.support.worlds.lane_world import NOW, World, a_signup, drain
from tests.support.worlds.made_up_release import a_release, an_active_model
from tests.support.worlds.replays import replayed

shops = st.tuples(histories("7"), histories("21"), histories("España")).map(
    lambda of_users: [event for history in of_users for event in history]
)
REKEYED = "segue-rekeyed"
some_settings = examples(30)


def lived(parts: list[list[Event]]) -> tuple[World, list[Mapping[str, int]]]:
    """A world whose lane took these parts one after the other, and its offsets after each."""
    world = World(1, max_batch=3)
    lane = world.take_over()
    cuts: list[Mapping[str, int]] = [lane.positions]
    for part in parts:
        world.send(*part)
        drain(lane)
        cuts.append(lane.positions)
    return world, cuts


def inputs_of(world: World, window: Window) -> dict[str, Iterator[Incoming]]:
    def events(topic: str) -> Iterator[Incoming]:
        records = world.kafka.topics[topic].partitions[window.lane][window.begin[topic] : window.end[topic]]
        begin = {topic: window.begin[topic]}
        return iter(
            read_batch(records, begin, world.topics, world.config.settings, world.config.max_ahead).events
        )

    return {topic: events(topic) for topic in world.topics.inputs}


@some_settings
@given(st.lists(shops, min_size=1, max_size=3))
def test_the_order_of_the_marks_is_kept_and_nothing_is_left_out(parts: list[list[Event]]) -> None:
    world, cuts = lived(parts)
    window = Window(cuts[0], cuts[-1], 0, REKEYED)
    marks = [change.cause for change in world.changes()]

    order = [(e.cause.topic, e.cause.offset) for e in in_live_order(inputs_of(world, window), marks)]

    for topic in world.topics.inputs:
        assert [offset for of, offset in order if of == topic] == list(range(cuts[-1][topic]))
    for mark in marks:
        at = order.index((mark.topic, mark.offset))
        for topic in world.topics.inputs:
            assert sum(of == topic for of, _ in order[: at + 1]) == mark.positions[topic]


def test_an_order_before_the_signup_is_replayed_in_that_order() -> None:
    order = Order("7", "1", NOW, (Item(brand="Ön", category="Jeans"),))
    signup = a_signup("7", age=30, gender="F", country="Spain", traffic_source="Email")
    world, cuts = lived([[order], [signup]])
    (found,) = replayed(world, cuts[0], cuts[-1]).values()
    assert [told.topic for told in found.live][-2:] == ["orders", "signups"]
    assert found.same_way


def test_what_was_handed_over_is_replayed_in_the_order_in_which_it_was_live() -> None:
    """User 7 belongs to partition 1 of 2; its events come on partition 0."""
    world = World(2, rekey=True)
    lanes = [world.take_over(partition) for partition in range(2)]
    order = Order("7", "1", NOW, (Item(brand="Ön", category="Jeans"),))
    signup = a_signup("7", age=30, gender="F", country="Spain", traffic_source="Email")
    older = replace(signup, created_at=NOW - timedelta(days=1), age=100)
    cuts = [lanes[1].positions]
    for event in (order, older, signup):
        topic = "orders" if isinstance(event, Order) else "signups"
        _, value = encode_order(event) if isinstance(event, Order) else encode_signup(event)
        world.kafka.append(topic, 0, None, value)
        drain(lanes[0])
        drain(lanes[1])
        cuts.append(lanes[1].positions)
    assert [cut[REKEYED] for cut in cuts] == [0, 1, 2, 3]
    assert len(world.changes("7")) >= 2

    for cut in cuts[:3]:
        (found,) = replayed(world, cut, cuts[-1], 1).values()
        assert found.same_way
        assert found.ends_alike
        live = [c for c in world.changes("7") if c.cause.positions[REKEYED] > cut[REKEYED]]
        assert [told.kind for told in found.live] == [change.kind for change in live]


def test_a_cause_on_another_partition_stands_where_it_was_handed_over() -> None:
    window = Window(
        {"signups": 50, "orders": 50, REKEYED: 4}, {"signups": 90, "orders": 90, REKEYED: 6}, 1, REKEYED
    )
    for rekeyed, when in ((4, "before"), (5, "within"), (6, "within"), (7, "after")):
        # Offset 3 of partition 0 says nothing of this lane; nor do its other inputs, which may be ahead.
        positions = {"signups": 99, "orders": 0, REKEYED: rekeyed}
        assert window.when(Cause("signup", "signups", 0, 3, positions=positions)) == when


def test_another_release_decides_by_its_own_centres() -> None:
    world, cuts = lived([[a_signup("7", age=20)]])
    live = world.changes()[-1]
    turned = a_release(centres=((-1.5, 0.0), (0.0, -1.5), (1.5, 0.0), (0.0, 1.5)))
    world.models.model = an_active_model(1, turned)

    (found,) = replayed(world, cuts[0], cuts[-1]).values()

    # Age 20 lies at (-0.3, 0.4): nearest to (0, 1.5), which is centre 1 there and 3 here.
    assert (found.live_segment, found.replayed_segment) == (1, 3)
    assert live.kind == "moved"
    assert not found.ends_alike


def test_a_change_that_no_input_caused_stands_where_the_lane_stood() -> None:
    window = Window({"signups": 2, "orders": 5}, {"signups": 4, "orders": 9}, 0, REKEYED)
    for signups, orders, when in ((2, 5, "before"), (2, 6, "within"), (4, 9, "within"), (4, 10, "after")):
        cause = Cause("model", "segment-models", 0, 3, positions={"signups": signups, "orders": orders})
        assert window.when(cause) == when
    assert window.when(Cause("order", "orders", 0, 4, positions={"signups": 9, "orders": 5})) == "before"
    assert window.when(Cause("order", "orders", 0, 5, positions={})) == "within"
    assert window.when(Cause("order", "orders", 0, 9, positions={})) == "after"
