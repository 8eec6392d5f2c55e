"""When a worker compares: with all lanes live, each hour, and after each activation."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from schemas.errors import Unreachable
from streamer.drift.drift_watch import DriftWatch
from streamer.segment.active_model import ActiveModel
from streamer.status.worker_status import LaneStatus
from streamer.user.order_rules import Rules
from streamer.user.user_state import UserState
from tests.support.worlds.made_up_release import a_release, an_active_model
from tests.unit.streamer.drift.test_compare_users import PROFILE, user


class Watched:
    """A watch over users, lanes and a release that a test sets."""

    def __init__(self) -> None:
        self.model: ActiveModel | None = an_active_model(release=replace(a_release(), profile=PROFILE))
        self.lanes = [LaneStatus(partition=3, phase="live")]
        self.asked: list[list[int]] = []
        self.age = 60
        self.watch = DriftWatch(lambda: self.model, lambda: self.lanes, self.sample, Rules(), every_s=100.0)

    def sample(self, lanes: list[int]) -> Iterator[UserState]:
        self.asked.append(lanes)
        yield from (user(str(n), self.age) for n in range(400))


def test_it_compares_once_an_hour_and_after_an_activation() -> None:
    it = Watched()
    for now_s in (1_000.0, 1_099.0):
        it.watch.look(now_s)
    assert it.asked == [[3]]
    it.watch.look(1_100.0)
    assert len(it.asked) == 2
    assert it.model is not None
    it.model = an_active_model(activation=9, release=it.model.release)
    assert it.watch.status() is None, "what was found is of another release"
    it.watch.look(1_101.0)
    assert len(it.asked) == 3
    assert it.watch.status() is not None


@pytest.mark.parametrize("lanes", [[], [LaneStatus(partition=3, phase="healing")]])
def test_it_waits_for_live_lanes(lanes: list[LaneStatus]) -> None:
    it = Watched()
    it.lanes = lanes
    it.watch.look(1_000.0)
    assert it.asked == []


def test_it_logs_drift_once() -> None:
    it = Watched()
    with capture_logs() as logs:
        for now_s in (1_000.0, 2_000.0):
            it.watch.look(now_s)
    assert [line["features"] for line in logs if line["event"] == "drift.found"] == [
        "age,most_frequent_brand"
    ]


def test_the_errors_of_redis_are_the_callers() -> None:
    it = Watched()

    def away(_: list[int]) -> Iterator[UserState]:
        raise Unreachable("away")

    watch = DriftWatch(lambda: it.model, lambda: it.lanes, away, Rules())
    with pytest.raises(Unreachable):
        watch.look(1.0)
    assert watch.status() is None
