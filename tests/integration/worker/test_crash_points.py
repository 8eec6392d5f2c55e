"""Every crash point on a real Kafka and a real Redis: the process that runs the lanes dies at each step of a
batch and of a takeover, or loses an answer and lives.

In the end the output and Redis are as after an undisturbed run.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from schemas.input_events import Event
from segue.services import KafkaService, RedisService
from streamer.segment.scoring import Scorer
from tests.support.checks import feature_oracle
from tests.support.checks.check_promises import Expected
from tests.support.servers.deployment import Deployment
from tests.support.workers.crash_points import Point
from tests.support.workers.crash_stage import (
    PARTITIONS,
    USERS,
    LaneProcess,
    Sent,
    Stage,
    profiles,
    purchases,
    staged,
)
from tests.support.workers.outcomes import Outcome, outcome
from tests.support.worlds.made_up_release import a_release

pytestmark = pytest.mark.long

# A case mostly waits, for Kafka and for its processes.
AT_ONCE = 6

Phases = tuple[Callable[[], list[Sent]], Callable[[], list[Sent]]]
"""Events applied before the crash, and those that come then: each on one topic, as two have no common order.
"""
ORDERS_LAST: Phases = (profiles, purchases)
SIGNUPS_LAST: Phases = (purchases, profiles)


@dataclass(frozen=True)
class Case:
    """What happens, and where."""

    story: Callable[[Stage, "Case"], None]
    point: Point | None = None
    phases: Phases = ORDERS_LAST

    def __str__(self) -> str:
        last = "orders last" if self.phases is ORDERS_LAST else "signups last"
        if self.point is None:
            return last
        return str(self.point) if self.phases is ORDERS_LAST else f"{self.point}, {last}"


def nothing_happens(stage: Stage, case: Case) -> None:
    process = stage.process()
    for phase in case.phases:
        stage.send(phase())
        process.reach(stage.ends)
    process.close()
    check_by_oracle(stage)


def dies_in_a_batch(stage: Stage, case: Case) -> None:
    assert case.point is not None
    before, then = case.phases
    stage.send(before())
    process = stage.process().reach(stage.ends).stop_at(case.point)
    stage.send(then())
    process.died()
    assert stage.in_the_middle()
    stage.finish()


def loses_an_answer_in_a_batch(stage: Stage, case: Case) -> None:
    assert case.point is not None
    before, then = case.phases
    stage.send(before())
    process = stage.process().reach(stage.ends).stop_at(case.point)
    stage.send(then())
    takes_itself_over(stage, process)


def dies_in_a_takeover(stage: Stage, case: Case) -> None:
    committed_and_not_saved(stage, case)
    stage.process(case.point).died()
    stage.finish()


def dies_in_a_takeover_of_an_empty_redis(stage: Stage, case: Case) -> None:
    committed_and_not_saved(stage, case)
    stage.set_back({})
    stage.process(case.point).died()
    stage.finish()


def dies_in_a_takeover_of_an_older_redis(stage: Stage, case: Case) -> None:
    """Redis has lost all that was saved since the events came that came last."""
    older = committed_and_not_saved(stage, case)
    stage.set_back(older)
    stage.process(case.point).died()
    stage.finish()


def loses_an_answer_in_a_takeover_of_an_empty_redis(stage: Stage, case: Case) -> None:
    committed_and_not_saved(stage, case)
    stage.set_back({})
    takes_itself_over(stage, stage.process(case.point))


def committed_and_not_saved(stage: Stage, case: Case) -> dict[bytes, bytes]:
    """A process dies between the two, so there is a batch to fold, with decisions to adopt.

    Returns:
        What Redis held before the events that came last.
    """
    before, then = case.phases
    stage.send(before())
    process = stage.process().reach(stage.ends)
    older = stage.keys()
    process.stop_at(Point("after", "commit", 3))
    stage.send(then())
    process.died()
    assert stage.in_the_middle()
    return older


def takes_itself_over(stage: Stage, process: LaneProcess) -> None:
    process.lost_an_answer().reach(stage.ends).close()
    assert process.waited()


def check_by_oracle(stage: Stage) -> None:
    """Every user's features and segment, recomputed from all that was sent."""
    facts: dict[str, list[Event]] = defaultdict(list)
    for one in stage.sent:
        if not isinstance(one, tuple):
            facts[one.user_id].append(one)
    scorer = Scorer(a_release())
    expected = {}
    for user_id, told in facts.items():
        features = feature_oracle.features(user_id, told)
        if features is not None:
            score = scorer.score(features)
            expected[user_id] = Expected(features, score.segment, score.provisional, score.components)
    gone = facts.keys() - expected.keys()
    of = stage.deployment
    found = of.verified(expected, gone)
    assert (found.users, len(gone)) == (len(USERS) - 4, 4)
    assert found.kinds.keys() >= {"moved", "confirmed", "erased"}
    assert found.changes > 2 * len(USERS)


def best(cases: Iterable[Case], *shown: Point) -> list[Any]:
    """These cases; those at other points than the ones shown are `wide`.

    In memory, tests/property/test_lane.py dies at every call, and tests/property/test_simulation.py loses
    answers. Shown are the points at which real servers differ most from these: a transaction that is open,
    one that is committed and not saved, and a lost answer of a commit, a save or a fence.
    """
    return [case if case.point in shown else pytest.param(case, marks=pytest.mark.wide) for case in cases]


# The steps of a batch with an effect outside of the process; tests/property/test_lane.py dies around every
# call. In the third batch of many, and in the middle of what it sends.
BATCH = (
    Point("after", "load", 3),
    Point("after", "begin", 3),
    Point("after", "send", 13),
    Point("after", "offsets", 3),
    Point("after", "commit", 3),
    Point("after", "save", 3),
)
IN_A_BATCH = [
    *(Case(dies_in_a_batch, point) for point in BATCH),
    # All that a save does, it does by one command: there is nothing half done after the first.
    Case(dies_in_a_batch, Point("after", "command of save", 3)),
    Case(dies_in_a_batch, Point("after", "commit", 3), SIGNUPS_LAST),
]
LOST_IN_A_BATCH = [
    Case(loses_an_answer_in_a_batch, Point(when, step, 3))
    for step in ("offsets", "commit", "save")
    for when in ("answer lost:", "never done:")
]
# One batch is folded and its decisions are adopted, so each is saved once; with an empty or an older Redis
# several times.
SAVES = ("save of heal", "save of adopt")
TAKEOVER = ("fence", *SAVES, "save of takeover", "follow of takeover")
IN_A_TAKEOVER = [Case(dies_in_a_takeover, Point("after", step)) for step in TAKEOVER]
IN_A_LONG_TAKEOVER = [
    Case(dies_in_a_takeover_of_an_empty_redis, Point("after", step, 2 if step in SAVES else 1))
    for step in TAKEOVER
]
IN_AN_OLDER_REDIS = [
    Case(dies_in_a_takeover_of_an_older_redis, Point("after", step, 2), phases)
    for step, phases in zip(SAVES, (ORDERS_LAST, SIGNUPS_LAST), strict=True)
]
LOST_IN_A_TAKEOVER = [
    Case(loses_an_answer_in_a_takeover_of_an_empty_redis, Point(when, step, 2 if step in SAVES else 1))
    for step in ("fence", *SAVES, "save of takeover")
    for when in ("answer lost:", "never done:")
]
UNDISTURBED = {phases: Case(nothing_happens, phases=phases) for phases in (ORDERS_LAST, SIGNUPS_LAST)}

Played = Mapping[Case, Future[Outcome]]


@pytest.fixture(scope="module")
def played(
    kafka: KafkaService,
    redis_server: RedisService,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Played]:
    """How the cases end, of those that are to run; some are ahead of their tests."""
    folders = tmp_path_factory.mktemp("crashes")

    def play(case: Case) -> Outcome:
        prefix = f"t{uuid.uuid4().hex[:10]}-"
        folder = folders / prefix
        folder.mkdir()
        deployment = Deployment(kafka.bootstrap, redis_server.url, prefix, folder, PARTITIONS)
        with staged(deployment) as stage:
            case.story(stage, case)
            assert stage.committed() == stage.ends
            return outcome(deployment)

    # The cases are parameters of the tests, which pytest does not type.
    items: list[Any] = [item for item in request.session.items if item.path == request.path]
    cases = dict.fromkeys([*UNDISTURBED.values(), *(item.callspec.params["case"] for item in items)])
    players = ThreadPoolExecutor(AT_ONCE)
    try:
        yield {case: players.submit(play, case) for case in cases}
    finally:
        players.shutdown(cancel_futures=True)


def check_it_ends_as_if_nothing_had_happened(played: Played, case: Case) -> None:
    found, right = played[case].result(), played[UNDISTURBED[case.phases]].result()
    assert found.changes == right.changes
    assert found.users == right.users
    assert found.dead_letters == right.dead_letters
    assert found.keys == right.keys
    assert found.places == right.places


@pytest.mark.parametrize("case", UNDISTURBED.values(), ids=str)
def test_a_run_that_nothing_happens_to_is_right(played: Played, case: Case) -> None:
    right = played[case].result()
    assert [row[:3] for row in right.users if row[2]] == [
        row[:3] for row in right.changes if row[2]["kind"] != "erased"
    ]
    assert len(right.dead_letters) == sum(isinstance(one, tuple) for one in purchases())


@pytest.mark.parametrize(
    "case", best(IN_A_BATCH, Point("after", "send", 13), Point("after", "commit", 3)), ids=str
)
def test_a_process_that_dies_at_a_step_of_a_batch(played: Played, case: Case) -> None:
    check_it_ends_as_if_nothing_had_happened(played, case)


@pytest.mark.parametrize(
    "case",
    best(
        LOST_IN_A_BATCH,
        Point("answer lost:", "commit", 3),
        Point("never done:", "commit", 3),
        Point("answer lost:", "save", 3),
    ),
    ids=str,
)
def test_a_process_that_lives_without_an_answer(played: Played, case: Case) -> None:
    check_it_ends_as_if_nothing_had_happened(played, case)


@pytest.mark.parametrize(
    "case", best(IN_A_TAKEOVER, Point("after", "fence"), Point("after", "save of adopt")), ids=str
)
def test_a_process_that_dies_while_it_takes_over_from_one_that_died(played: Played, case: Case) -> None:
    check_it_ends_as_if_nothing_had_happened(played, case)


@pytest.mark.parametrize("case", best(IN_A_LONG_TAKEOVER, Point("after", "save of heal", 2)), ids=str)
def test_a_process_that_dies_while_it_fills_an_empty_redis(played: Played, case: Case) -> None:
    check_it_ends_as_if_nothing_had_happened(played, case)


@pytest.mark.parametrize("case", best(IN_AN_OLDER_REDIS, Point("after", "save of adopt", 2)), ids=str)
def test_a_process_that_dies_while_it_brings_an_older_redis_up(played: Played, case: Case) -> None:
    check_it_ends_as_if_nothing_had_happened(played, case)


@pytest.mark.parametrize(
    "case",
    best(LOST_IN_A_TAKEOVER, Point("answer lost:", "fence"), Point("never done:", "save of adopt", 2)),
    ids=str,
)
def test_a_process_that_lives_without_an_answer_while_it_fills_an_empty_redis(
    played: Played, case: Case
) -> None:
    check_it_ends_as_if_nothing_had_happened(played, case)
