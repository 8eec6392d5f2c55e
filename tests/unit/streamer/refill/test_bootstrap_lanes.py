"""A bootstrap over memory: crashes at every call, what erasures leave, and whom it refuses."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import count
from typing import Any, TypeVar, cast

import pytest
from msgspec.structs import replace

from schemas.errors import BadSetting, NeedsRebuild, Unreachable
from schemas.outputs.segment_change import SegmentChange
from schemas.partitioner import partition_of
from streamer.in_memory import MemoryRedis
from streamer.interfaces.lane_errors import Fenced, InDoubt
from streamer.interfaces.lane_interfaces import Log, Store
from streamer.place.place_marks import is_refilled
from streamer.refill.bootstrap_lanes import Fact, NotFresh
from streamer.user.history import FIELDS
from tests.support.checks.moves import OLD, YOUNG
from tests.support.worlds.bootstraps import SINCE, Wrap, an_order, fill, newest
from tests.support.worlds.failing_ends import Calls, Crash, When
from tests.support.worlds.lane_world import World

End = TypeVar("End", Log, Store)


def interrupted(world: World, facts: Sequence[Fact], call: str, nth: int = 0, when: When = "before") -> None:
    """A bootstrap that dies at the nth call of this name."""
    counted = Calls()
    fill(deepcopy(world), facts, wrap=counted.wrap)
    at = [i for i, made in enumerate(counted.made) if made == call][nth]
    with pytest.raises(Crash):
        fill(world, facts, wrap=Calls(at, when).wrap)


def twin(world: World) -> World:
    """A world like this one before anything happened."""
    return World(world.partitions, exclude=world.config.settings.exclude_statuses)


def stored(world: World) -> tuple[object, ...]:
    """What Redis holds but for the decisions, which depend on earlier changes."""
    return (
        {user_id: world.state(user_id).facts for user_id in world.redis.users},
        {user_id: user.orders for user_id, user in world.redis.users.items()},
        {
            (space, entry)
            for space, index in world.redis.indexes.items()
            for entry in index.nearest(0.0, len(index))
        },
    )


def test_the_states_are_those_of_the_facts_and_the_events_since_go_on() -> None:
    world = World()
    filled = fill(world, [YOUNG, an_order("1", "Ön")])
    assert (filled.users, filled.records) == (1, 1)
    assert world.changes() == []  # or triggers would welcome old users
    first = newest(world, "7")
    assert first is not None
    assert (first.kind, first.sequence, first.cause.type) == ("moved", 1, "bootstrap")
    world.send(OLD)
    world.run()
    (change,) = world.changes("7")
    assert isinstance(change, SegmentChange)
    assert (change.previous_segment, change.sequence) == (first.segment, 2)


def test_a_run_after_an_interrupted_one_leaves_nothing_of_the_facts_before() -> None:
    world = World()
    before: list[Fact] = [YOUNG, an_order("1", "Ön"), an_order("2", "Carhartt"), replace(YOUNG, user_id="8")]
    interrupted(world, before, "store.save", nth=-1)
    assert set(world.redis.users) == {"7", "8"}
    after: list[Fact] = [OLD, an_order("1", "Ön")]
    fill(world, after)
    alone = twin(world)
    fill(alone, after)
    assert {user_id: user.orders for user_id, user in world.redis.users.items() if user.orders} == {
        "7": alone.redis.users["7"].orders
    }
    # Where an order was left behind without its tallies, its next version ended the lane.
    world.send(an_order("2", "Allegra K", SINCE))
    world.run()
    facts = world.state("7").facts
    assert (facts.held, {brand: tally.items for brand, tally in facts.brands.items()}) == (
        2,
        {"Ön": 1, "Allegra K": 1},
    )


def test_users_of_an_interrupted_run_alone_are_like_nobody() -> None:
    world = World()
    interrupted(world, [YOUNG, replace(YOUNG, user_id="8")], "store.save", nth=-1)
    model = world.models.model
    assert model is not None
    fill(world, [YOUNG])
    index = world.redis.indexes[model.release.space]
    assert [user_id for user_id, _ in index.nearest(0.0, 10)] == ["7"]


FIRST: list[Fact] = [YOUNG, an_order("1", "Ön"), *(replace(YOUNG, user_id=str(n)) for n in range(10, 18))]
CHANGED: list[Fact] = [
    OLD,
    an_order("2", "Ön"),
    *(replace(YOUNG, user_id=str(n), age=90) for n in range(12, 20)),
]


def calls_of_a_bootstrap() -> list[str]:
    counted = Calls()
    fill(World(2), FIRST, wrap=counted.wrap)
    return counted.made


def all_written(made: list[str], at: int, when: When) -> bool:
    """Whether the last place was written: what follows only looks at it."""
    last = len(made) - 1 - made[::-1].index("store.save")
    return at > last or (at, when) == (last, "after")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("facts", [FIRST, CHANGED], ids=["same facts", "changed facts"])
def test_a_crash_at_any_call_is_ended_by_another_run(when: When, facts: list[Fact]) -> None:
    made = calls_of_a_bootstrap()
    undisturbed = World(2)
    fill(undisturbed, facts)
    for at in range(len(made)):
        world = World(2)
        with pytest.raises(Crash):
            fill(world, FIRST, wrap=Calls(at, when).wrap)
        if all_written(made, at, when):
            continue
        fill(world, facts)
        same = {
            user_id: user for user_id, user in world.redis.users.items() if world.state(user_id).facts.alive
        }
        assert set(same) == set(undisturbed.redis.users), made[at]
        for user_id, user in same.items():
            assert user.orders == undisturbed.redis.users[user_id].orders
            assert world.state(user_id).facts == undisturbed.state(user_id).facts
            said, decided = newest(world, user_id), world.state(user_id).decided
            assert said is not None
            assert decided is not None
            assert (said.segment, said.sequence) == (decided.segment, decided.sequence)
        assert stored(world)[2] == stored(undisturbed)[2], made[at]
        for lane in range(2):
            world.take_over(lane)


@pytest.mark.parametrize("when", ["before", "after"])
def test_after_a_crash_no_worker_decides_from_the_logs_start(when: When) -> None:
    """Either nothing was announced nor written, or a lane refuses, which ends the worker."""
    made = calls_of_a_bootstrap()
    for at in range(len(made)):
        world = World(2)
        with pytest.raises(Crash):
            fill(world, FIRST, wrap=Calls(at, when).wrap)
        if world.redis.places == {}:
            assert world.models.bootstrapped is None
            assert world.records(world.topics.users) == []
            continue
        unfinished = [lane for lane in (0, 1) if _refuses(world, lane)]
        if all_written(made, at, when):
            assert unfinished == []
            continue
        assert unfinished, made[at]
        if world.models.bootstrapped is not None:
            # Whatever lane takes events, it does so from a place, not from the log's start.
            assert set(world.redis.places) == {0, 1}


def going_back(world: World, at: int) -> Callable[..., None]:
    """At this save Redis restarts from a snapshot that it made after both marks."""
    marked: list[MemoryRedis] = []
    saves = count()

    def save(*_: object) -> None:
        number, kept = next(saves), world.redis
        if number == 2:
            marked.append(deepcopy(kept))
        if number == at:
            kept.places, kept.users = marked[0].places, marked[0].users
            kept.swept, kept.indexes = marked[0].swept, marked[0].indexes

    return save


def test_a_redis_that_goes_back_meanwhile_leaves_no_lane_that_a_worker_takes_for_whole() -> None:
    for at in range(3, calls_of_a_bootstrap().count("store.save")):
        world = World(2)
        with pytest.raises(
            Unreachable, match=r"Redis has lost what this bootstrap wrote to lane .* run the same bootstrap"
        ):
            fill(world, FIRST, wrap=before_each("save", going_back(world, at)))
        refusing = [lane for lane in (0, 1) if _refuses(world, lane)]
        assert refusing
        everybody = {fact.user_id for fact in FIRST}
        taken = {user_id for user_id in everybody if partition_of(user_id, 2) not in refusing}
        assert taken <= world.redis.users.keys()
        fill(world, FIRST)
        assert world.redis.users.keys() == everybody


def _refuses(world: World, lane: int) -> bool:
    try:
        world.take_over(lane)
    except NeedsRebuild as refused:
        assert "run `segue bootstrap` again" in str(refused)  # noqa: PT017 - not every lane refuses
        return True
    return False


class _Hooked:
    def __init__(self, wrapped: object, method: str, tell: Callable[..., None]) -> None:
        self._wrapped = wrapped
        self._method = method
        self._tell = tell

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(self._wrapped, name)
        if name != self._method:
            return function

        def told(*args: Any) -> Any:
            self._tell(*args)
            return function(*args)

        return told


def hooked(end: End, method: str, tell: Callable[..., None]) -> End:
    """The same log or store; ``tell`` is called before this method, with its arguments."""
    return cast(End, _Hooked(end, method, tell))


def before_each(method: str, tell: Callable[..., None]) -> Wrap:
    """Lanes whose store calls ``tell`` before this method."""
    return lambda log, store: (log, hooked(store, method, tell))


def test_every_lane_is_marked_before_it_is_announced_and_committed_before_any_has_a_place() -> None:
    world = World(2)
    marked: list[set[int]] = []
    done: list[str] = []

    def commit(_records: object, positions: dict[str, int]) -> None:
        if positions:
            done.append("commit")

    def save(_expected: bytes | None, place: bytes, _writes: object) -> None:
        if not is_refilled(place, "bootstrap"):
            done.append("place")

    fill(
        world,
        [YOUNG],
        wrap=lambda log, store: (hooked(log, "commit", commit), hooked(store, "save", save)),
        announce=lambda: marked.append(
            {p for p, at in world.redis.places.items() if is_refilled(at, "bootstrap")}
        ),
    )
    assert marked == [{0, 1}]
    assert done == ["commit", "commit", "place", "place"]


def test_a_finished_bootstrap_is_refused() -> None:
    world = World(2)
    fill(world, [YOUNG])
    before = stored(world)
    with pytest.raises(NotFresh, match="lane 0 has a place in Redis already"):
        fill(world, [])
    assert stored(world) == before


def test_a_place_that_a_worker_wrote_is_refused_though_another_lane_is_unfinished() -> None:
    world = World(2)
    interrupted(world, [YOUNG], "store.save", nth=-1)
    world.take_over(0)
    with pytest.raises(NotFresh, match="lane 0 has a place in Redis already"):
        fill(world, [YOUNG])


def test_an_unfinished_bootstrap_that_began_elsewhere_is_refused() -> None:
    world = World(2)
    interrupted(world, [YOUNG], "store.save", nth=-1)
    with pytest.raises(NotFresh, match=r"lane 0 was filled by a bootstrap .* the same --as-of and --margin"):
        fill(world, [YOUNG], positions=1)


def test_a_group_with_offsets_and_no_mark_is_refused() -> None:
    world = World()
    world.run()
    world.send(YOUNG)
    drained = world.run()
    assert drained.positions == {"signups": 1, "orders": 0}
    world.redis.places.clear()
    with pytest.raises(NotFresh, match="the group has committed offsets in lane 0 already"):
        fill(world, [])


def test_a_bootstrap_that_wakes_up_after_another_began_writes_nothing() -> None:
    world = World()
    saves: list[bytes] = []

    def save(_expected: bytes | None, place: bytes, _writes: object) -> None:
        """Sleep between the first commit and its save, while another bootstrap comes almost to the end."""
        saves.append(place)
        if len(saves) == 2:
            interrupted(world, [OLD, an_order("1", "Ön")], "store.save", nth=-1)

    with pytest.raises(NotFresh, match="another program wrote to lane 0"):
        fill(
            world,
            [YOUNG, an_order("2", "Carhartt"), *FIRST[2:]],
            wrap=before_each("save", save),
        )
    assert set(world.redis.users["7"].orders) == {"1"}


def test_one_that_wakes_up_before_it_clears_deletes_nothing_of_the_next() -> None:
    world = World()
    interrupted(world, [OLD], "store.save", nth=-1)  # so that there is something to clear

    def clear(_mark: bytes) -> None:
        """Asleep, while another comes to its end."""
        fill(world, [YOUNG])

    with pytest.raises(NotFresh, match="another program wrote to lane 0"):
        fill(world, [OLD], wrap=before_each("clear", clear))
    assert set(world.redis.users) == {"7"}
    world.take_over()


def test_a_fence_says_that_somebody_was_started() -> None:
    with pytest.raises(NotFresh, match="was started meanwhile: stop it, then run the same bootstrap again"):
        fill(World(), [YOUNG], wrap=Calls(_first_commit(), error=Fenced("taken")).wrap)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_commit_in_doubt_asks_for_the_same_bootstrap_again(when: When) -> None:
    world = World()
    with pytest.raises(
        Unreachable, match=r"Kafka did not confirm .*no answer.*: run the same bootstrap again"
    ):
        fill(world, [YOUNG], wrap=Calls(_first_commit(), when, error=InDoubt("no answer")).wrap)
    fill(world, [YOUNG])
    told = newest(world, "7")
    assert told is not None
    assert told.sequence == 1
    world.take_over()


def _first_commit() -> int:
    counted = Calls()
    fill(World(), [YOUNG], wrap=counted.wrap)
    return counted.made.index("log.commit")


def test_a_release_of_other_statuses_is_refused_before_anything_is_written() -> None:
    world = World(exclude=["Returned"])
    world.models = World(exclude=["Cancelled"]).models
    counted = Calls()
    with pytest.raises(BadSetting) as refused:
        fill(world, [YOUNG], wrap=counted.wrap)
    assert "setting exclude_statuses is ['Returned']" in str(refused.value)
    assert "was trained with ['Cancelled']" in str(refused.value)
    assert counted.made == []


def test_another_run_keeps_the_history_of_who_was_told_before() -> None:
    world = World()
    fill(world, [YOUNG])
    history = {name: value for name, value in world.redis.users["7"].fields.items() if name in FIELDS}
    assert history
    other = World()
    interrupted(other, [YOUNG], "store.save", nth=-1)
    fill(other, [YOUNG])
    again = other.redis.users["7"].fields
    assert {name: value for name, value in again.items() if name in FIELDS} == history


def test_a_redis_that_lost_the_end_of_a_bootstrap_does_not_set_back_who_went_on_from_it() -> None:
    world = World()
    snapshots: list[MemoryRedis] = []
    fill(
        world,
        [YOUNG],
        wrap=before_each("save", lambda *_: snapshots.append(deepcopy(world.redis))),
    )
    world.send(OLD)
    world.run()
    offsets = dict(world.kafka.offsets)
    world.redis.places[0] = snapshots[-1].places[0]
    assert is_refilled(world.redis.places[0], "bootstrap")
    with pytest.raises(NotFresh, match="which would set them back"):
        fill(world, [OLD])
    assert world.kafka.offsets == offsets
