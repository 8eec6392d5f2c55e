"""Whole workers that join and leave every few seconds, while events flow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers.deployment import Deployment, WorkerProcess
from tests.support.servers.services import eventually
from tests.support.workers.at_work import AtWork, at_work

pytestmark = pytest.mark.wide

EVENTS = 6_000
RATE = 120
EVERY_S = 3.0
MOST = 2  # beside the one that stays


@pytest.fixture(scope="module")
def partitions() -> int:
    return 4


@pytest.fixture
def busy(deployment: Deployment, release: Path) -> Iterator[AtWork]:
    with at_work(deployment, release, EVENTS, RATE) as working:
        yield working


def test_workers_join_and_leave_every_few_seconds(busy: AtWork) -> None:
    """One stays, others come and go beside it: in order, and killed."""
    beside: list[WorkerProcess] = []
    everyone: list[WorkerProcess] = []
    left = 0
    while not busy.feeds[0].done:
        began = time.monotonic()
        if len(beside) >= MOST:
            leaves(beside.pop(0), in_order=left % 3 != 2)
            left += 1
        beside.append(busy.deployment.worker())
        everyone.append(beside[-1])
        # The pace of the fault, and no waiting for a result.
        time.sleep(max(0.0, EVERY_S - (time.monotonic() - began)))
    assert left >= 4
    outcome = busy.ends_right()
    assert outcome.users > 200
    eventually(lambda: shared_out([busy.worker, *beside], busy.deployment.lanes), "every lane has one owner")
    # How many comings become one rebalance depends on the speed. Once at least, lanes went away.
    assert len(busy.log_lines("lanes.owned")) > 1
    assert all("Traceback" not in worker.log() for worker in everyone)


def leaves(worker: WorkerProcess, *, in_order: bool) -> None:
    assert worker.process.poll() is None, worker.log()
    if in_order:
        # One that has just been started does not know the signal yet.
        eventually(lambda: worker.get("/status")[0] == 200, "it has begun")
        assert worker.stop() == 0, worker.log()
    else:
        worker.kill()


def shared_out(workers: list[WorkerProcess], every: range) -> list[set[int]]:
    """The live lanes of each, once they are all the lanes."""
    lanes = [worker.lanes() for worker in workers]
    assert sorted(lane for some in lanes for lane in some) == [*every], lanes
    return lanes
