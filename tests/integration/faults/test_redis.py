"""A whole worker while its Redis stops, dies, hangs, is slow, full, read-only, emptied, or loses a second."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
import redis

from segue.services import LocalRedis
from tests.support.servers.deployment import Deployment
from tests.support.servers.services import eventually, start_server
from tests.support.workers.at_work import SESSION_S, AtWork, at_work
from tests.support.workers.slow_proxy import Proxy

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def store() -> Iterator[LocalRedis]:
    """A Redis for the tests of this file: each leaves it as it found it."""
    with ExitStack() as stack:
        yield start_server(stack, LocalRedis())


@pytest.fixture
def proxy(store: LocalRedis) -> Iterator[Proxy]:
    with Proxy(store.port) as between:
        yield between


@pytest.fixture
def busy_by_proxy(deployment: Deployment, proxy: Proxy, release: Path) -> Iterator[AtWork]:
    """The worker reaches Redis by the proxy, the test itself without."""
    deployment.settings = {"SEGUE_REDIS": f"redis://{proxy.address}/0"}
    with at_work(deployment, release) as working:
        yield working


@pytest.mark.wide
def test_one_that_is_killed_is_waited_for_and_used_again(busy: AtWork, store: LocalRedis) -> None:
    with busy.fault(store.kill, store.start):
        busy.every_lane_waits_for(f"Redis at 127.0.0.1:{store.port} does not answer")
        busy.is_not_ready_for(f"Redis at 127.0.0.1:{store.port} does not answer")
        busy.is_calm()
    busy.ends_right()


@pytest.mark.wide
def test_one_that_hangs_for_longer_than_the_session(busy: AtWork, store: LocalRedis) -> None:
    began = time.monotonic()
    with busy.fault(store.pause, store.resume):
        busy.every_lane_waits_for(f"Redis at 127.0.0.1:{store.port} does not answer: Timeout")
        busy.is_not_ready_for(f"Redis at 127.0.0.1:{store.port} does not answer: Timeout")
        # Also while it tries again, which takes a call's whole time.
        busy.keeps_saying(f"Redis at 127.0.0.1:{store.port} does not answer: Timeout", 12)
        busy.is_calm()
        assert time.monotonic() - began > 1.5 * SESSION_S  # a call has 10 s
    busy.ends_right()
    # The membership has nothing to do with Redis: nobody has put the worker out.
    assert len(busy.log_lines("lanes.owned")) == 1


@pytest.mark.wide
def test_a_slow_one_slows_the_worker_down_and_says_so_in_the_metrics(
    busy_by_proxy: AtWork, proxy: Proxy
) -> None:
    busy = busy_by_proxy
    with busy.fault(partial(setattr, proxy, "delay_s", 0.3), partial(setattr, proxy, "delay_s", 0.0)):
        assert busy.mean_s("save") > 0.5
        busy.is_calm()
        busy.is_live()
    busy.ends_right()


def test_a_full_one_refuses_and_is_gone_on_with_when_it_has_room(busy: AtWork, store: LocalRedis) -> None:
    with redis.Redis.from_url(store.url) as admin:

        def fill() -> None:
            admin.config_set("maxmemory", admin.info("memory")["used_memory"] + 20_000)

        with busy.fault(fill, lambda: admin.config_set("maxmemory", 0)):
            refusal = f"Redis at 127.0.0.1:{store.port} refuses: "
            busy.every_lane_waits_for(refusal)
            busy.is_not_ready_for("command not allowed when used memory > 'maxmemory'")
            busy.is_calm()
    busy.ends_right()


@pytest.mark.wide
def test_a_read_only_one_is_waited_with(busy: AtWork, store: LocalRedis) -> None:
    """As after a failover whose old master is a replica now: it answers, and takes no writes."""
    admin = redis.Redis.from_url(store.url)
    with admin, busy.fault(lambda: admin.replicaof("127.0.0.1", "1"), lambda: admin.replicaof("NO", "ONE")):
        busy.every_lane_waits_for(f"Redis at 127.0.0.1:{store.port} refuses: ")
        busy.is_not_ready_for("read only replica")
        busy.is_calm()
    busy.ends_right()


@pytest.mark.wide
def test_one_that_comes_back_empty_is_filled_from_the_log(busy: AtWork, store: LocalRedis) -> None:
    def lose_everything() -> None:
        store.kill()
        shutil.rmtree(store.data)

    with busy.fault(lose_everything, store.start):
        assert not store.data.exists()
        busy.every_lane_waits_for(f"Redis at 127.0.0.1:{store.port} does not answer")
    busy.ends_right()
    healed = {line["lane"] for line in busy.log_lines("lane.phase") if line["phase"] == "healing"}
    assert healed == set(busy.deployment.lanes)


def test_one_that_lost_its_last_second_under_a_living_worker(
    busy_by_proxy: AtWork, store: LocalRedis, proxy: Proxy
) -> None:
    """The worker is cut off meanwhile, so that what Redis has lost can be seen before it is healed."""
    busy = busy_by_proxy
    for _ in range(3):
        sizes = aof_sizes(store)
        began = steps(busy.deployment)
        eventually(partial(_saved_since, busy.deployment, began), "saves of each lane")
        with busy.fault(proxy.cut, proxy.mend):
            busy.every_lane_waits_for(f"Redis at {proxy.address} does not answer")
            before = steps(busy.deployment)
            store.kill()
            cut(store, sizes)
            store.start()
            after = steps(busy.deployment)
            assert all(after[lane] < before[lane] for lane in before), (before, after)
        busy.worker.ready()
    busy.ends_right()


def aof_sizes(store: LocalRedis) -> dict[Path, int]:
    """The increments of the append-only file; the base is written at once and whole."""
    return {path: path.stat().st_size for path in store.data.glob("appendonlydir/*.incr.aof")}


def cut(store: LocalRedis, sizes: dict[Path, int]) -> None:
    """Leave what was there at that time, and a part of the command that came next."""
    for path, size in sizes.items():
        with path.open("r+b") as file:
            file.truncate(size + 20)


def steps(deployment: Deployment) -> dict[int, int]:
    """How many saves each lane's place counts."""
    with redis.Redis.from_url(deployment.redis_url, socket_timeout=60) as client:
        stored = {p: client.get(f"{deployment.redis_prefix}place:{p}") for p in range(deployment.partitions)}
    return {
        p: json.loads(place.partition(b" ")[2])["step"] for p, place in stored.items() if place is not None
    }


def _saved_since(deployment: Deployment, before: dict[int, int]) -> bool:
    return all_beyond(steps(deployment), before, 3)


def all_beyond(now: dict[int, int], before: dict[int, int], by: int) -> bool:
    return all(now[lane] >= step + by for lane, step in before.items())
