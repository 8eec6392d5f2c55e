"""A partition that is silent although records follow is found; one that is only quiet is not."""

from __future__ import annotations

import logging
from typing import cast

import pytest
from confluent_kafka import Consumer

from schemas.errors import Unreachable
from streamer.kafka.silent_partitions import SilentPartitions

PLACE, OTHER = ("changes", 0), ("changes", 1)


class World:
    """A consumer without messages, its clock, and the ends of its partitions."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.positions = {PLACE: 5, OTHER: 5}
        self.ends = {PLACE: 5, OTHER: 5}
        self.asked: list[str] = []
        self.answers = True
        self.silence = SilentPartitions(self.stable_end, 30, lambda: self.now_s)
        self.silence.begin(self.positions)

    def poll(self, timeout_s: float) -> None:
        self.now_s += timeout_s

    def stable_end(self, topic: str, partition: int) -> int:
        self.asked.append(f"{topic} {partition}")
        if not self.answers:
            raise Unreachable("Kafka did not return the offsets")
        return self.ends[topic, partition]

    def waits(self, seconds: int, heard: tuple[str, int] | None = OTHER) -> list[float]:
        """Poll for some seconds, and return when the consumer was found stuck."""
        found = []
        for _ in range(seconds):
            if self.silence.are_stuck(self.positions):
                found.append(self.now_s)
                self.silence.begin(self.positions)
            self.silence.poll(cast("Consumer", self), 1.0)
            if heard is not None:
                self.silence.heard(heard)
        return found

    def works(self, polls: int, work_s: float) -> list[float]:
        """Work after each poll, never wait, and return when the consumer was found stuck."""
        found = []
        for _ in range(polls):
            self.silence.pass_time()
            self.silence.heard(OTHER)
            if self.silence.are_stuck(self.positions):
                found.append(self.now_s)
                self.silence.begin(self.positions)
            self.now_s += work_s
        return found


def test_a_partition_that_is_behind_and_silent_is_found_beside_one_that_is_heard(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.ends[PLACE] = 7
    with caplog.at_level(logging.WARNING):
        assert world.waits(40) == [31]
    assert [record.getMessage() for record in caplog.records] == [
        "Kafka's client stopped reading changes, partition 0, at offset 5 of 7: it begins again there"
    ]
    assert world.asked == ["changes 0"]


def test_its_patience_doubles_until_it_is_heard() -> None:
    world = World()
    world.ends[PLACE] = 7
    assert world.waits(100) == [31, 31 + 61]
    world.silence.heard(PLACE)
    assert world.waits(40) == [100 + 31]


def test_a_quiet_partition_is_not_stuck() -> None:
    world = World()
    assert world.waits(100, heard=None) == []
    assert len(world.asked) == 6  # both, three times


def test_a_record_that_came_at_the_moment_of_the_question_is_awaited() -> None:
    world = World()
    world.ends[PLACE] = 7
    assert world.waits(31) == []
    assert world.asked
    world.silence.heard(PLACE)
    assert world.waits(10) == []


def test_the_time_between_two_polls_does_not_count() -> None:
    world = World()
    world.ends[PLACE] = 7
    for _ in range(20):
        assert world.waits(1) == []
        world.now_s += 60


def test_a_lane_that_never_waits_counts_the_time_it_works() -> None:
    world = World()
    world.ends[PLACE] = 7
    assert world.works(70, 0.5) == [31]


def test_a_pause_of_the_lane_counts_a_second() -> None:
    world = World()
    world.ends[PLACE] = 7
    assert world.works(30, 60) == []
    assert world.works(2, 60) == [world.now_s - 60]


def test_a_caller_is_told_where_a_partition_is_stuck() -> None:
    world = World()
    world.ends[PLACE] = 7
    told: list[tuple[str, int, int, int]] = []
    world.silence = SilentPartitions(
        world.stable_end, 30, lambda: world.now_s, lambda *stuck: told.append(stuck)
    )
    world.silence.begin(world.positions)
    assert world.waits(40) == [31]
    assert told == [("changes", 0, 5, 7)]


def test_a_paused_partition_may_be_behind() -> None:
    world = World()
    world.ends[PLACE] = 7
    world.silence.leave(PLACE)
    assert world.waits(100) == []
    world.silence.heard(PLACE)  # a record that was on its way
    assert world.waits(100) == []
    world.silence.expect(PLACE)
    assert world.waits(40) == [200 + 31]


def test_a_kafka_that_does_not_answer_is_asked_again_after_the_same_time() -> None:
    world = World()
    world.ends[PLACE], world.answers = 7, False
    assert world.waits(59) == []
    assert world.asked == ["changes 0"]
