"""When a worker is ready, and what it says when it is not."""

from __future__ import annotations

from msgspec.structs import replace

from streamer.status import worker_status as statuses
from streamer.status.worker_status import GroupStatus, LaneStatus, ReleaseStatus, WorkerStatus

GROUP = GroupStatus(name="g", joined=True, owned=(0, 1), halves=(), waiting=None)
RELEASE = ReleaseStatus(version="abc", activation=7, problem=None)
LIVE = (LaneStatus(partition=0, phase="live"), LaneStatus(partition=1, phase="live"))
READY = WorkerStatus(group=GROUP, release=RELEASE, lanes=LIVE)


def not_ready_because(status: WorkerStatus, now_s: float = 1_000.0) -> list[str]:
    return statuses.not_ready_because(status, now_s, no_progress_s=60)


def test_ready_when_every_owned_lane_is_live_and_a_release_is_there() -> None:
    assert not_ready_because(READY) == []


def test_a_spare_worker_is_ready() -> None:
    assert not_ready_because(replace(READY, group=replace(GROUP, owned=()), lanes=())) == []


def test_a_refused_newest_release_leaves_the_one_in_use() -> None:
    release = replace(RELEASE, problem="activation 9 is refused: a number is NaN")
    assert not_ready_because(replace(READY, release=release)) == []


def test_a_worker_whose_thread_has_ended_is_not_ready() -> None:
    assert not_ready_because(replace(READY, ended=("lane-1",))) == ["the thread lane-1 has ended"]


def test_each_reason_is_told() -> None:
    lanes = (LaneStatus(partition=0, phase="healing", reason="folds 12 records"),)
    release = ReleaseStatus(version=None, activation=None, problem="no release: run `segue publish`")
    group = replace(GROUP, halves=(2,))
    assert not_ready_because(WorkerStatus(group=group, release=release, lanes=lanes)) == [
        "no release: run `segue publish`",
        "holds one input and not the other of the lanes 2, and processes neither",
        "lane 0 is healing: folds 12 records",
        "lane 1 is not open yet",
    ]


def test_a_worker_outside_its_group_is_not_ready() -> None:
    outside = replace(GROUP, joined=False, owned=())
    assert not_ready_because(replace(READY, group=outside)) == ["is not in the group g at the moment"]
    waiting = replace(outside, waiting="Kafka at k:1 does not answer")
    assert not_ready_because(replace(READY, group=waiting)) == ["Kafka at k:1 does not answer"]


def test_events_that_wait_too_long_are_a_reason_and_so_is_a_lane_that_hangs() -> None:
    waiting = LaneStatus(partition=0, phase="live", waiting_since=900.0, heard=960.0)
    hanging = LaneStatus(partition=1, phase="live", heard=900.0)
    status = replace(READY, lanes=(waiting, hanging))
    assert not_ready_because(status, 959.0) == []
    assert not_ready_because(status, 1_000.0) == [
        "lane 0 has applied none of the events that wait for 100 s",
        "lane 1 has hung for 100 s",
    ]
