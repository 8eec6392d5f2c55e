"""A member of the group says what Kafka refuses, and forgets lanes that another process has."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition

from schemas.errors import LoginRefused, NeedsRebuild, Unreachable
from segue.lanes import lane_workers
from segue.lanes.lane_workers import GroupMember, LaneWorker
from segue.triggers.ledger_records import Place
from tests.support.servers.services import eventually


class Said:
    """A message that is an error."""

    def __init__(self, error: KafkaError) -> None:
        self.error = lambda: error


class Consumer:
    """A consumer whose next poll gives what a test sets."""

    def __init__(self) -> None:
        self.next: Said | None = None
        self.assigned: Callable[..., None] = lambda *_: None
        self.revoked: Callable[..., None] = lambda *_: None

    def subscribe(self, topics: list[str], **calls: Callable[..., None]) -> None:
        self.assigned, self.revoked = calls["on_assign"], calls["on_revoke"]

    def poll(self, _timeout_s: float) -> Said | None:
        return self.next

    def close(self) -> None:
        self.revoked(self, [TopicPartition("segment-changes", number) for number in (0, 1)])

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_: None


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch) -> Consumer:
    made = Consumer()
    monkeypatch.setattr(lane_workers, "make_client", lambda *_: made)
    return made


def member() -> GroupMember[Place]:
    def open_lane(*_: Any) -> Any:
        raise NeedsRebuild("no lane is needed here")

    return GroupMember({"bootstrap.servers": "b:9092"}, "g-triggers", "segment-changes", {}, open_lane)


def test_a_login_without_rights_on_the_group_is_told(consumer: Consumer) -> None:
    lanes = member()
    lanes.look()
    consumer.next = Said(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED, "Group authorization failed"))
    with pytest.raises(
        LoginRefused, match=r"read segment-changes in the group g-triggers \(Group auth.*grant it READ on"
    ):
        lanes.look()
    consumer.next = Said(KafkaError(KafkaError._FATAL, "fenced", fatal=True))
    with pytest.raises(Unreachable, match="did not let the group g-triggers in"):
        lanes.look()
    consumer.next = Said(KafkaError(KafkaError._TRANSPORT))
    lanes.look()  # the broker is away, and comes back


def test_a_lane_that_another_process_has_is_not_counted_here(consumer: Consumer) -> None:
    lanes = member()
    consumer.assigned(consumer, [TopicPartition("segment-changes", 0), TopicPartition("segment-changes", 1)])
    for number, worker in lanes._workers.items():
        worker.place = Place("g", "t", number)
    assert [place.offset for place in lanes.counted()] == [0, 1]
    consumer.revoked(consumer, [TopicPartition("segment-changes", 0)])
    assert [place.offset for place in lanes.counted()] == [1]
    lanes.close()  # what this process had at its end is still said
    assert [place.offset for place in lanes.counted()] == [1]


class Lane:
    """A lane with its Kafka: its first takeover finds an outage, a later lane's does not."""

    def __init__(self, *, out: bool) -> None:
        self.out, self.given_up, self.closed = out, 0, 0
        self.place = Place("g", "t", 7)

    def take_over(self) -> None:
        if self.out:
            raise Unreachable("Kafka did not describe topic segment-changes")

    def step(self, timeout_s: float) -> None:
        time.sleep(min(timeout_s, 0.01))

    def give_up(self) -> None:
        self.given_up += 1

    def close(self) -> None:
        self.closed += 1


def test_after_an_outage_a_lane_opens_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """An old client of Kafka's may never answer again."""
    monkeypatch.setattr(lane_workers, "WAIT_S", 0.01)
    opened: list[Lane] = []

    def open_lane(*_: Any) -> Any:
        opened.append(Lane(out=not opened))
        return opened[-1], opened[-1]

    worker: LaneWorker[Place] = LaneWorker("g-triggers", 3, open_lane)
    worker.start()
    eventually(lambda: worker.place, "the lane lives")
    first, second = opened
    assert (first.given_up, first.closed, second.given_up) == (1, 1, 0)
    worker.ask_to_close()
    worker.join()
    assert worker.failure is None
