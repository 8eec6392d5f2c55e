"""One event or one user that cannot be taken stops nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from schemas.errors import BadSetting
from schemas.features import Feature, declared
from schemas.input_events import Item, Order, UserErased
from streamer.batch import batch_users
from streamer.batch.refusals import Refusal, Refusals
from streamer.in_memory import MemoryStore
from streamer.interfaces import lane_errors
from streamer.interfaces.lane_errors import InDoubt, Torn
from streamer.user import order_totals, value_bounds
from streamer.user.fold_events import fold, fold_all, holds_together
from streamer.user.order_rules import Rules
from streamer.user.order_totals import one_more
from streamer.user.user_state import Facts, UserState
from tests.support.checks.moves import YOUNG
from tests.support.strategies.events import START
from tests.support.worlds.bootstraps import fill
from tests.support.worlds.lane_world import NOW, TOPICS, World, check_promises
from tests.support.worlds.refolding import a_lane_log, a_past, a_refold, position_of
from tests.support.worlds.replays import replay_of

BOUND = 8


def an_order(number: int, *brands: str, user_id: str = "7") -> Order:
    return Order(user_id, f"{number}", START.replace(minute=number), tuple(Item(brand=b) for b in brands))


@pytest.fixture
def few_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(value_bounds, "MAX_VALUES", BOUND)


def reasons(world: World) -> list[str]:
    letters = world.records(TOPICS.dead_letters)
    return [dict(letter.headers)["segue_reason"].decode() for letter in letters]


@pytest.mark.usefixtures("few_values")
def test_the_order_beyond_the_bound_is_a_dead_letter_and_all_others_go_on() -> None:
    world = World(max_batch=10)
    full = an_order(1, *"abcdefgh")
    world.send(YOUNG, full, an_order(2, "i"), an_order(3, "a"), an_order(4, "i", user_id="8"))
    world.run()
    assert reasons(world) == [
        "items: the user would have 9 different values of brand, and a user has at most 8"
    ]
    assert world.redis.users["7"].orders.keys() == {"1", "3"}
    assert world.redis.users["8"].orders.keys() == {"4"}

    # Redis is lost: healing leaves out what was left out, and a rebuild and a fold of all at once do, too.
    stored = {user_id: user.fields["state"] for user_id, user in world.redis.users.items()}
    world.lose_redis()
    world.run()
    assert {user_id: user.fields["state"] for user_id, user in world.redis.users.items()} == stored
    refusals = Refusals()
    events = [full, an_order(2, "i"), an_order(3, "a"), an_order(4, "j")]
    whole = fold_all(UserState("7"), events, Rules(), refusals.add)
    assert whole.orders.keys() == {"1", "3"}
    assert list(refusals) == [Refusal("7", 2, reasons(world)[0])]


@pytest.mark.usefixtures("few_values")
def test_every_command_that_folds_again_tells_what_it_leaves_out() -> None:
    world = World(max_batch=10)
    events = [an_order(1, *"abcdefgh"), an_order(2, "i"), an_order(3, "a"), an_order(4, "j")]
    world.send(*events, an_order(4, "i", user_id="8"))
    world.run()
    told = [Refusal("7", 2, reasons(world)[0])]

    past = a_refold(world)
    past.go_to(position_of(world))
    assert list(past.refusals) == told
    replay = replay_of(world)
    for _ in replay.changes(lambda: NOW):
        pass
    assert list(replay.refusals) == told
    assert list(fill(World(), events).refusals) == told
    # Of an earlier bootstrap's warehouse.
    world = World()
    fill(world, events)
    assert list(a_past(world, a_lane_log(world), events, decisions=True).refusals) == told


def test_what_was_beyond_a_later_bound_is_left_out_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    state = fold(UserState("7"), an_order(1, *"abcdefgh"), Rules())
    state = fold(state, an_order(2, *"ijklm"), Rules())
    monkeypatch.setattr(value_bounds, "MAX_VALUES", 3)
    assert holds_together(state, Rules())
    erased = fold(state, UserErased("7", START.replace(minute=1)), Rules())
    assert erased.orders.keys() == {"2"}


@pytest.mark.usefixtures("few_values")
def test_a_user_at_the_bound_can_lose_values_and_take_others_then() -> None:
    state = fold(UserState("7"), an_order(1, *"abcdefgh"), Rules())
    fewer = replace(an_order(1, "a"), updated_at=START.replace(hour=1))
    state = fold(fold(state, fewer, Rules()), an_order(2, "i"), Rules())
    assert state.facts.brands.keys() == {"a", "i"}


def test_the_declared_features_have_a_bound() -> None:
    features = [Feature(f"f{n}", "count", "order_id") for n in range(65)]
    assert len(declared(features[:64])) == 7 + 64
    with pytest.raises(BadSetting, match="declare at most 64"):
        declared(features)


def test_an_error_that_a_record_causes_each_time_is_its_dead_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(facts: Facts, order: Order, rules: Rules) -> dict[str, Any]:
        if order.order_id == "2":
            raise ZeroDivisionError("of a bug")
        return one_more(facts, order, rules)

    monkeypatch.setattr(order_totals, "one_more", wrong)
    world = World(max_batch=10)
    world.send(YOUNG, an_order(1, "a"), an_order(2, "b"), an_order(3, "c"))
    world.run()
    assert reasons(world) == ["the event cannot be applied (ZeroDivisionError: of a bug)"]
    assert world.redis.users["7"].orders.keys() == {"1", "3"}


def test_a_state_that_contradicts_itself_is_never_laid_at_the_records_door() -> None:
    world = World(max_batch=10)
    world.send(an_order(1, "a", "b"))
    lane = world.run()
    stored = world.redis.users["7"].fields
    assert isinstance(stored["state"], bytes)
    stored["state"] = stored["state"].replace(b"\xa1a", b"\xa1z")
    world.send(replace(an_order(1, "c"), updated_at=START.replace(hour=1)))
    with pytest.raises(Torn, match="contradicts itself"):
        lane.step(0.0)
    assert reasons(world) == []


def test_what_holds_together() -> None:
    state = fold(UserState("7"), an_order(1, "a", "b"), Rules())
    assert holds_together(state, Rules())
    assert not holds_together(replace(state, facts=replace(state.facts, held=2)), Rules())
    assert not holds_together(replace(state, orders={}), Rules())
    assert holds_together(fold(state, UserErased("7", START), Rules()), Rules())


def test_a_batch_too_large_to_save_is_halved_until_the_one_record_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit = 2_000
    monkeypatch.setattr(lane_errors, "MAX_SAVE_BYTES", limit)
    monkeypatch.setattr(batch_users, "MAX_SAVE_BYTES", limit)
    world = World(max_batch=10)
    large = an_order(2, *(f"{n:0>40}" for n in range(40)))
    innocent = [an_order(n, "a", user_id=f"{n}") for n in range(10, 16)]
    world.send(*innocent[:3], large, *innocent[3:])
    world.run()
    (reason,) = reasons(world)
    assert "the user's state would take" in reason
    assert f"a save at most {limit:,}" in reason
    assert "7" not in world.redis.users
    assert world.redis.users.keys() == {order.user_id for order in innocent}
    assert [change.user_id for change in world.changes()] == [order.user_id for order in innocent]

    stored = {user_id: user.fields["state"] for user_id, user in world.redis.users.items()}
    world.lose_redis()
    world.run()
    assert {user_id: user.fields["state"] for user_id, user in world.redis.users.items()} == stored


def test_users_too_large_to_be_read_at_once_are_read_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(max_batch=10)
    many = [an_order(n, *(f"{n}{m:0>40}" for m in range(9)), user_id=f"{n}") for n in range(10, 16)]
    world.send(*many)
    world.run()
    largest = max(len(user.fields["state"]) for user in world.redis.users.values())
    monkeypatch.setattr(lane_errors, "MAX_LOAD_BYTES", 2 * largest)
    read: list[int] = []
    load = MemoryStore.load

    def counted(store: MemoryStore, wanted: Any) -> Any:
        read.append(len(wanted))
        return load(store, wanted)

    monkeypatch.setattr(MemoryStore, "load", counted)
    # Live, in a sweep, and while healing.
    world.send(*(an_order(n, "a", user_id=f"{n}") for n in range(10, 16)))
    world.run()
    assert max(read) == 6
    world.lose_redis()
    world.run()
    assert reasons(world) == []
    check_promises(world)


def test_a_crash_between_the_parts_of_a_batch_loses_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_users, "MAX_SAVE_BYTES", 2_000)
    world = World(max_batch=10)
    many = [an_order(n, *(f"{n}{m:0>40}" for m in range(9)), user_id=f"{n}") for n in range(10, 16)]
    world.send(*many)
    lane = world.take_over()
    saves = 0
    save = MemoryStore.save

    def once(*args: Any, **named: Any) -> bool:
        nonlocal saves
        saves += 1
        if saves == 2:
            raise InDoubt("a crash")
        return save(*args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(MemoryStore, "save", once)
        with pytest.raises(InDoubt, match="a crash"):
            lane.step(0.0)
    assert 0 < len(world.changes()) < len(many)
    world.run()
    assert [change.user_id for change in world.changes()] == [order.user_id for order in many]
    check_promises(world)
