"""Each field of a user that is not as the log says is named, with both values."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial

import msgspec
import pytest

from schemas.features import FEATURES
from schemas.input_events import Item, Order, Signup, UserErased
from streamer.in_memory import MemoryUser
from tests.support.checks.stored_json import order_json, state_json
from tests.support.worlds.lane_world import World, drain
from tests.support.worlds.made_up_release import RECENCY, a_recency_release, an_active_model
from tests.support.worlds.refolding import a_refold, differing, position_of

START = datetime(2024, 5, 1, 8, tzinfo=UTC)
SIGNUP = Signup("7", START, age=30, gender="F", country="Spain", traffic_source="Email")
ORDER = Order("7", "1", START, (Item(brand="Ön", category="Jeans"),))


@pytest.fixture
def world() -> World:
    made = World()
    made.send(SIGNUP, ORDER)
    made.run()
    return made


def found(world: World) -> list[tuple[str, object, object]]:
    """What differs of user 7, at the lane's place."""
    past = a_refold(world)
    past.go_to(position_of(world))
    return [(one.field, one.log, one.redis) for one in differing(world, past).get("7", [])]


def test_who_would_be_decided_otherwise_on_the_lanes_day_must_be_due() -> None:
    """By ``a_recency_release`` user 7 moves on the 6th day after the order."""
    world = World(features=(*FEATURES, RECENCY))
    world.models.model = an_active_model(release=a_recency_release())
    world.send(ORDER)
    world.now = datetime(2024, 5, 3, tzinfo=UTC)
    lane = world.run()
    assert found(world) == []
    world.redis.due[0]["7"] = date(2024, 5, 8)
    world.now = datetime(2024, 5, 7, tzinfo=UTC)
    drain(lane)
    assert found(world) == [("due", 20240507, 20240508)]
    world.redis.due[0]["7"] = date(2024, 5, 7)
    assert found(world) == []


def in_state(user: MemoryUser, change: Callable[[dict[str, dict[str, object]]], None]) -> None:
    stored = state_json(user.fields["state"])
    change(stored)
    user.fields["state"] = msgspec.json.encode(stored)


def test_nothing_differs_where_nothing_was_touched(world: World) -> None:
    assert found(world) == []


def test_a_user_who_is_missing(world: World) -> None:
    del world.redis.users["7"]
    assert found(world) == [("user", "known", "missing")]


def test_a_user_of_whom_the_log_says_nothing(world: World) -> None:
    world.redis.users["99"] = world.redis.users["7"]
    world.redis.swept[0]["99"] = 1
    past = a_refold(world)
    past.go_to(position_of(world))
    differs = differing(world, past)
    assert list(differs) == ["99"]
    assert {one.field for one in differs["99"]} >= {"profile", "held", "o:1", "segment"}


def test_a_state_that_cannot_be_read(world: World) -> None:
    world.redis.users["7"].fields["state"] = b"{"
    ((field, log, _),) = found(world)
    assert (field, log) == ("state", "readable")


def test_a_fact(world: World) -> None:
    in_state(world.redis.users["7"], lambda stored: stored["facts"].update(counted=2))
    assert ("counted", 1, 2) in found(world)


def test_an_order_that_is_another_and_one_that_is_missing(world: World) -> None:
    orders = world.redis.users["7"].orders
    right = order_json("7", "1", orders["1"]).decode()
    orders["1"] = orders["1"].replace(b"Jeans", b"Socks")
    assert found(world) == [("o:1", right, right.replace("Jeans", "Socks"))]
    del orders["1"]
    assert found(world) == [("o:1", right, None)]


def test_a_decision(world: World) -> None:
    right = world.state("7").decided
    assert right is not None
    in_state(world.redis.users["7"], lambda stored: stored["decided"].update(segment=right.segment + 1))
    assert found(world) == [
        ("segment", right.segment, right.segment + 1),
        ("field segment", str(right.segment + 1), str(right.segment)),
    ]


def decide_by(activation: int, stored: dict[str, dict[str, object]]) -> None:
    stored["decided"]["activation"] = activation


def test_a_decision_by_an_older_activation_but_not_by_a_newer_one(world: World) -> None:
    user = world.redis.users["7"]
    for activation, differs in ((-1, [("activation", 0, -1)]), (9, [])):
        in_state(user, partial(decide_by, activation))
        user.fields["activation"] = str(activation).encode()
        assert found(world) == differs


def test_a_plain_field_that_does_not_say_what_the_state_says(world: World) -> None:
    world.redis.users["7"].fields["segment_name"] = b"another"
    ((field, _, redis),) = found(world)
    assert (field, redis) == ("field segment_name", "another")


def test_components_and_the_angle(world: World) -> None:
    position = world.state("7").position
    assert position is not None
    in_state(world.redis.users["7"], lambda stored: stored["position"].update(components=[0.0, 2.0]))
    differs = {field: (log, redis) for field, log, redis in found(world)}
    assert differs["components"] == (position.components, (0.0, 2.0))
    assert f"angle in {position.space}" in differs


def test_an_index_that_lost_the_user(world: World) -> None:
    (index,) = world.redis.indexes.values()
    index.remove("7")
    ((field, _, redis),) = found(world)
    assert field.startswith("angle in ")
    assert redis is None


def test_a_user_whom_no_sweep_would_come_to(world: World) -> None:
    del world.redis.swept[0]["7"]
    assert found(world) == [("among the lane's users", True, False)]


def test_what_an_erasure_was_to_take(world: World) -> None:
    world.send(UserErased("7", START.replace(hour=9)))
    world.run()
    assert found(world) == []
    ((space, index),) = world.redis.indexes.items()
    index.put("7", 0.5)
    world.redis.users["7"].fields["h:3"] = b"[1]"
    assert found(world) == [("h:3", None, "[1]"), (f"angle in {space}", None, 0.5)]
