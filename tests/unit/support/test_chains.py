"""The check of chains explains what lanes tell, and finds what is lost, invented, wrong or out of order."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from math import dist
from random import Random
from typing import Any

import pandas as pd
import pytest
from msgspec.structs import replace

from schemas.input_events import Order, Signup
from schemas.release.model_release import ModelRelease
from streamer.segment.scoring import Scorer
from tests.campaigns.simulation.events import Producers
from tests.support.checks.chains import History, Lying, check_chains, in_order
from tests.support.checks.pipelines import Scored
from tests.support.strategies.events import START
from tests.support.worlds.bootstraps import an_order, fill
from tests.support.worlds.lane_world import World, drain
from tests.support.worlds.made_up_release import CENTRES, a_release, an_active_model

HERE = a_release()
# Other centres in the same space, by which most users lie elsewhere.
ELSEWHERE = a_release(centres=(CENTRES[2], CENTRES[1], CENTRES[0], CENTRES[3]))


@dataclass
class ByScorer:
    """Stands for a release's pipeline, which these releases made by hand have not."""

    release: ModelRelease

    @property
    def version(self) -> str:
        return self.release.version

    @property
    def known(self) -> dict[str, set[str]]:
        return {feature.name: set(feature.categories) for feature in self.release.features}

    def score(self, frame: pd.DataFrame) -> Iterator[Scored]:
        scorer = Scorer(self.release)
        for row in frame.itertuples(index=False):
            values = [None if pd.isna(value) else value for value in row]
            score = scorer.score(dict(zip(self.known, values, strict=True)))
            distances = {
                segment.id: dist(score.components, segment.centre) for segment in self.release.segments
            }
            yield Scored(score.segment, score.provisional, tuple(score.components), distances)


ACTIVATIONS: list[tuple[int, Any]] = [(0, ByScorer(HERE)), (4, ByScorer(ELSEWHERE)), (5, ByScorer(HERE))]


MARGIN = 0.3


def a_shop(seed: int, min_margin: float = 0.0) -> World:
    """A lane that takes what producers write as it comes, while releases change."""
    world = World(max_batch=4)
    world.config = replace(world.config, rules=replace(world.config.rules, min_margin=min_margin))
    producers, random = Producers(world, Random(seed)), Random(seed + 1)
    lane = world.take_over()
    for turn in range(75):
        for _ in range(random.randrange(4)):
            producers.write()
        lane.step(0.0)
        if turn in (25, 50):
            activation, pipeline = ACTIVATIONS[turn // 25]
            world.models.model = an_active_model(activation, pipeline.release)
    drain(lane)
    return world


def histories(world: World) -> list[History]:
    tracks: dict[str, dict[str, list[Lying]]] = defaultdict(lambda: {t: [] for t in world.topics.inputs})
    for topic in world.topics.inputs:
        for record in world.records(topic):
            event = world.event(record)
            if event is not None:
                lying = Lying(record.offset, (topic, record.partition, record.offset), event)
                tracks[event.user_id][topic].append(lying)
    chains: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in world.records(world.topics.changes):
        change = json.loads(record.value or b"")
        chains[change["user_id"]].append(change)
    return [History(user_id, of_user, chains[user_id]) for user_id, of_user in tracks.items()]


@pytest.fixture(scope="module")
def shop() -> list[History]:
    return histories(a_shop(7))


def check(some: list[History], min_margin: float = 0.0) -> int:
    return check_chains(some, ACTIVATIONS, min_margin=min_margin)


@pytest.mark.parametrize("min_margin", [0.0, MARGIN])
@pytest.mark.parametrize("seed", range(5))
def test_what_lanes_tell_is_explained(seed: int, min_margin: float) -> None:
    told = histories(a_shop(seed, min_margin))
    assert check(told, min_margin) == sum(len(history.chain) for history in told) > 20


def test_a_margin_that_was_not_kept_is_found_and_one_that_nobody_asked_for() -> None:
    with pytest.raises(AssertionError, match="chains that the log does not give"):
        check(histories(a_shop(7)), MARGIN)
    with pytest.raises(AssertionError, match="chains that the log does not give"):
        check(histories(a_shop(7, MARGIN)))


def test_a_change_that_is_lost_is_found_under_a_margin_too() -> None:
    """Apart from the last change: by another path or release the user may have stayed. `user-segments` has
    that one.
    """
    for history, number in each_change(histories(a_shop(7, MARGIN))):
        if number == len(history.chain) - 1:
            continue
        chain = [*history.chain[:number], *history.chain[number + 1 :]]
        with pytest.raises(AssertionError, match="1 chains that the log does not give"):
            check([History(history.user_id, history.tracks, chain)], MARGIN)


def test_the_shop_has_all_kinds_of_changes(shop: list[History]) -> None:
    changes = [change for history in shop for change in history.chain]
    assert {change["kind"] for change in changes} == {"moved", "confirmed", "unconfirmed", "erased"}
    assert {change["cause"]["type"] for change in changes} == {"signup", "order", "model"}


def each_change(shop: list[History]) -> Iterator[tuple[History, int]]:
    for history in shop:
        for number in range(len(history.chain)):
            yield history, number


def is_found(history: History, chain: list[Any]) -> bool:
    with pytest.raises(AssertionError, match="1 chains that the log does not give"):
        check([History(history.user_id, history.tracks, chain)])
    return True


def test_a_change_that_is_lost_is_found_wherever_it_was(shop: list[History]) -> None:
    for history, number in each_change(shop):
        assert is_found(history, [*history.chain[:number], *history.chain[number + 1 :]])


def test_a_change_told_twice_is_found_wherever_it_was(shop: list[History]) -> None:
    for history, number in each_change(shop):
        assert is_found(
            history, [*history.chain[:number], *history.chain[number:][:1], *history.chain[number:]]
        )


def test_changes_in_another_order_are_found(shop: list[History]) -> None:
    for history, number in each_change(shop):
        if number:
            chain = [*history.chain]
            chain[number - 1], chain[number] = chain[number], chain[number - 1]
            assert is_found(history, chain)


def _segment(change: dict[str, Any]) -> None:
    change["segment"] = (change["segment"] + 1) % 4


def _provisional(change: dict[str, Any]) -> None:
    change["provisional"] = not change["provisional"]


def _feature(change: dict[str, Any]) -> None:
    change["features"] = {**change["features"], "total_orders": 99}


def _components(change: dict[str, Any]) -> None:
    change["components"] = [change["components"][0] + 1e-6, *change["components"][1:]]


def _version(change: dict[str, Any]) -> None:
    change["activation"], change["model_version"] = 4, HERE.version


def _sequence(change: dict[str, Any]) -> None:
    change["sequence"] += 1


def _previous(change: dict[str, Any]) -> None:
    change["previous_segment"] = 9


def _offset(change: dict[str, Any]) -> None:
    change["cause"] = {**change["cause"], "offset": change["cause"]["offset"] + 1, "type": "order"}


@pytest.mark.parametrize(
    "wrong", [_segment, _provisional, _feature, _components, _version, _sequence, _previous, _offset]
)
def test_a_change_that_says_something_wrong_is_found(
    shop: list[History], wrong: Callable[[dict[str, Any]], None]
) -> None:
    # Every third: that a place is looked at is shown by what is lost and what is told twice.
    for history, number in islice(each_change(shop), 0, None, 3):
        change = dict(history.chain[number])
        if change["kind"] != "erased":
            wrong(change)
            assert is_found(history, [*history.chain[:number], change, *history.chain[number + 1 :]])


def test_events_that_no_lane_read_are_found(shop: list[History]) -> None:
    """Each user's changes, held against a log with more in it than the lane took."""
    for history in shop:
        half = {topic: track[: len(track) // 2] for topic, track in history.tracks.items()}
        told = [
            change
            for change in history.chain
            if all(change["cause"]["positions"][topic] <= half[topic][-1].offset + 1 for topic in half)
        ]
        assert len(told) < len(history.chain)
        assert is_found(history, told)


def test_a_bootstrap_begins_the_chain_and_its_record_is_missed_where_it_is_not_there() -> None:
    """The facts that it took are in no log, and count."""
    world = World()
    past: list[Signup | Order] = [Signup("7", START, age=30, gender="F"), an_order("1", "Acme")]
    fill(world, past)
    producers, lane = Producers(world, Random(3)), world.take_over()
    for _ in range(200):
        producers.write()
    drain(lane)
    (told,) = [
        json.loads(record.value or b"")
        for record in world.records(world.topics.users)
        if b'"type":"bootstrap"' in (record.value or b"")
    ]
    some = {history.user_id: history for history in histories(world)}
    of_log = some.get("7", History("7", {topic: [] for topic in world.topics.inputs}, []))
    some["7"] = History("7", of_log.tracks, [told, *of_log.chain], past)
    whole = [*some.values()]
    assert check_chains(whole, ACTIVATIONS[:1]) == sum(len(one.chain) for one in whole)
    for chain in (of_log.chain, [told, *some["7"].chain]):
        with pytest.raises(AssertionError, match="1 chains that the log does not give"):
            check_chains([History("7", of_log.tracks, chain, past)], ACTIVATIONS[:1])


def test_a_lane_whose_causes_go_back_is_found() -> None:
    in_order([(0, 0, {"signups": 1, "orders": 0}), (0, 1, {"signups": 1, "orders": 2})])
    with pytest.raises(AssertionError, match="lane 0 goes back at offset 1"):
        in_order([(0, 0, {"signups": 1, "orders": 2}), (0, 1, {"signups": 2, "orders": 1})])
