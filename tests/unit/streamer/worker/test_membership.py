"""The share-out as a worker sees it, without Kafka."""

from __future__ import annotations

import threading

import pytest

from schemas.errors import BadTopics
from schemas.topics import Topics
from streamer.status.worker_status import LaneStatus
from streamer.worker.membership import Membership

TOPICS = Topics()
FOUR = {"signups": 4, "orders": 4}


class Recorder:
    """Lanes that write down what is asked of them."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[int]]] = []
        self.error: Exception | None = None

    def own(self, partitions: frozenset[int]) -> None:
        self.calls.append(("own", sorted(partitions)))

    def disown(self, partitions: frozenset[int]) -> None:
        self.calls.append(("disown", sorted(partitions)))

    def statuses(self) -> list[LaneStatus]:
        return []

    def failure(self) -> Exception | None:
        return self.error

    def ended(self) -> list[str]:
        return []


@pytest.fixture
def lanes() -> Recorder:
    return Recorder()


@pytest.fixture
def membership(lanes: Recorder) -> Membership:
    return Membership("g", TOPICS, 4, lanes)


def both(*partitions: int) -> list[tuple[str, int]]:
    return [(topic, partition) for topic in TOPICS.inputs for partition in partitions]


def test_owns_what_it_holds_of_both_inputs(membership: Membership, lanes: Recorder) -> None:
    membership.assigned(both(1, 2), FOUR)
    assert lanes.calls == [("own", [1, 2])]
    assert [membership.holds(lane) for lane in range(4)] == [False, True, True, False]


def test_one_half_of_a_lane_is_none(membership: Membership, lanes: Recorder) -> None:
    membership.assigned([*both(0), ("signups", 1), ("orders", 2)], FOUR)
    assert lanes.calls == [("own", [0])]
    assert membership.status().owned == (0,)
    assert membership.status().halves == (1, 2)


def test_a_rebalance_closes_before_it_opens(membership: Membership, lanes: Recorder) -> None:
    membership.assigned(both(0, 1), FOUR)
    membership.revoked()
    assert not membership.holds(0)
    assert not membership.status().joined
    membership.assigned(both(1, 2), FOUR)
    assert lanes.calls == [("own", [0, 1]), ("disown", [0, 1]), ("own", [1, 2])]


def test_an_empty_share_opens_nothing(membership: Membership, lanes: Recorder) -> None:
    membership.assigned([], FOUR)
    membership.revoked()
    assert lanes.calls == []
    membership.assigned([], FOUR)
    assert membership.status().joined


def test_after_close_nothing_is_opened(membership: Membership, lanes: Recorder) -> None:
    membership.assigned(both(3), FOUR)
    membership.close()
    membership.assigned(both(3), FOUR)
    assert lanes.calls == [("own", [3]), ("disown", [3])]
    assert not membership.holds(3)


def test_a_lane_is_not_held_while_it_closes(lanes: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fenced lane asks whether it is still ours, and must hear no, or it would never end."""
    seen: list[bool] = []
    membership = Membership("g", TOPICS, 4, lanes)
    monkeypatch.setattr(
        lanes, "disown", lambda partitions: seen.extend(membership.holds(lane) for lane in partitions)
    )
    membership.assigned(both(0), FOUR)
    membership.revoked()
    assert seen == [False]


def test_holds_answers_while_lanes_close(lanes: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """`disown` waits for a lane's thread, and that thread may be asking."""
    membership = Membership("g", TOPICS, 4, lanes)
    answers: list[bool] = []

    def disown(partitions: frozenset[int]) -> None:
        asking = threading.Thread(target=lambda: answers.append(membership.holds(0)))
        asking.start()
        asking.join(timeout=10)

    monkeypatch.setattr(lanes, "disown", disown)
    membership.assigned(both(0), FOUR)
    membership.revoked()
    assert answers == [False]


@pytest.mark.parametrize("counts", [{"signups": 4, "orders": 6}, {"signups": 8, "orders": 8}, {"orders": 2}])
def test_another_count_ends_the_worker(
    membership: Membership, lanes: Recorder, counts: dict[str, int]
) -> None:
    membership.assigned([], counts)
    failure = membership.failure()
    assert lanes.calls == []
    assert isinstance(failure, BadTopics)
    assert "now and had 4" in str(failure)
    assert "begin again with new topics" in str(failure)


def test_a_number_beyond_the_count_is_another_count(membership: Membership, lanes: Recorder) -> None:
    """Whoever shares out may have seen the new partitions before this worker has."""
    membership.assigned(both(1, 4), FOUR)
    assert lanes.calls == []
    assert "signups has 5 partitions now and had 4" in str(membership.failure())


def test_a_topic_not_known_yet_is_no_other_count(membership: Membership) -> None:
    membership.assigned([], {"signups": 4})
    assert membership.failure() is None


def test_the_first_error_is_told_and_a_lanes_too(membership: Membership, lanes: Recorder) -> None:
    lanes.error = RuntimeError("of a lane")
    assert membership.failure() is lanes.error
    first = RuntimeError("of the group")
    membership.fail(first)
    membership.fail(RuntimeError("later"))
    assert membership.failure() is first


def test_waiting_shows_until_the_group_answers(membership: Membership) -> None:
    membership.waits_for("Kafka at k:1 does not answer")
    assert membership.status().waiting == "Kafka at k:1 does not answer"
    membership.assigned(both(0), FOUR)
    assert membership.status().waiting is None
