"""The trace context of an event stands on the changes that it caused, and on no other record."""

from msgspec.structs import replace

from schemas.input_events import Event
from tests.support.checks.moves import OLD, YOUNG
from tests.support.worlds.lane_world import TOPICS, World, check_promises, drain
from tests.support.worlds.made_up_release import a_release, an_active_model

ONE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"


def send_traced(world: World, event: Event, context: bytes) -> None:
    """Write an event with a `traceparent`, as an instrumented producer does."""
    world.send(event)
    for topic in (TOPICS.signups, TOPICS.orders):
        for records in world.kafka.topics[topic].partitions:
            if records and not records[-1].headers:
                records[-1] = replace(records[-1], headers=(("traceparent", context),))


def contexts(world: World, topic: str) -> list[bytes | None]:
    return [dict(record.headers).get("traceparent") for record in world.records(topic)]


def test_each_change_of_a_batch_has_the_context_of_its_own_event() -> None:
    world = World()
    send_traced(world, YOUNG, ONE)
    send_traced(world, OLD, OTHER)
    world.run()
    assert len(world.changes("7")) == 2
    assert contexts(world, TOPICS.changes) == [ONE, OTHER]
    assert contexts(world, TOPICS.users) == [None, None]
    check_promises(world)


def test_a_context_that_is_not_valid_is_dropped_and_the_event_still_counts() -> None:
    world = World()
    send_traced(world, YOUNG, b"hello")
    world.run()
    assert contexts(world, TOPICS.changes) == [None]


def test_a_change_without_an_event_has_no_context() -> None:
    world = World()
    send_traced(world, YOUNG, ONE)
    lane = world.run()
    swapped = a_release(centres=((-1.5, 0.0), (0.0, 1.5), (1.5, 0.0), (0.0, -1.5)))
    world.models.model = an_active_model(activation=9, release=swapped)
    drain(lane)
    assert contexts(world, TOPICS.changes) == [ONE, None]
