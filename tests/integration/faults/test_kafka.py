"""A whole worker while its Kafka is stopped, killed, hangs, is slow, or is out of its reach."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from segue.services import LocalKafka, LocalRedis
from tests.support.servers.deployment import Deployment, deployed
from tests.support.servers.services import eventually, start_server
from tests.support.workers.at_work import SESSION_S, AtWork, at_work
from tests.support.workers.slow_proxy import KafkaBehindProxy, Proxy

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    with Proxy() as between:
        yield between


@pytest.fixture(scope="module")
def broker(proxy: Proxy) -> Iterator[KafkaBehindProxy]:
    """A Kafka for the tests of this file: each leaves it as it found it."""
    with ExitStack() as stack:
        yield start_server(stack, KafkaBehindProxy(proxy))


@pytest.fixture(scope="module")
def store() -> Iterator[LocalRedis]:
    with ExitStack() as stack:
        yield start_server(stack, LocalRedis())


@pytest.fixture
def busy_by_proxy(deployment: Deployment, proxy: Proxy, release: Path) -> Iterator[AtWork]:
    """The worker reaches Kafka by the proxy; the producer and the test do without.

    Its session is long: how a slow Kafka is borne is asked here, and not how busy this machine is.
    """
    deployment.settings = {"SEGUE_KAFKA": proxy.address, "SEGUE_SESSION_TIMEOUT_MS": "30000"}
    with at_work(deployment, release) as working:
        yield working


def test_one_that_is_killed_is_waited_for_and_used_again(busy: AtWork, broker: LocalKafka) -> None:
    with busy.fault(broker.kill, broker.start):
        busy.is_not_ready_for(f"Kafka at {broker.bootstrap} does not answer")
        busy.is_calm()
    busy.ends_right()
    waited = [line["reason"] for line in busy.log_lines("group.waits")]
    assert set(waited) == {f"Kafka at {broker.bootstrap} does not answer"}
    assert len(busy.log_lines("group.goes_on")) == len(waited)


@pytest.mark.wide
def test_one_that_is_away_for_so_long_that_every_lane_gives_up_waiting(
    busy: AtWork, broker: LocalKafka
) -> None:
    """A lane in the middle of a commit, and one that reads, each wait 30 s before they say so."""
    with busy.fault(broker.kill, broker.start):
        busy.every_lane_waits_for("")
        busy.is_not_ready_for(f"Kafka at {broker.bootstrap} did not ")
        busy.is_calm()
    busy.ends_right()


@pytest.mark.wide
def test_one_that_hangs_for_longer_than_the_session(busy: AtWork, broker: LocalKafka) -> None:
    began = time.monotonic()
    with busy.fault(broker.pause, broker.resume):
        busy.is_not_ready_for(f"Kafka at {broker.bootstrap} does not answer")
        busy.is_calm()
        # What it says may come sooner; the session is to be over.
        time.sleep(max(0.0, 2 * SESSION_S - (time.monotonic() - began)))
    busy.ends_right()


@pytest.mark.wide
def test_a_slow_one_slows_the_worker_down_and_says_so_in_the_metrics(
    busy_by_proxy: AtWork, proxy: Proxy
) -> None:
    busy = busy_by_proxy
    with busy.fault(partial(setattr, proxy, "delay_s", 0.25), partial(setattr, proxy, "delay_s", 0.0)):
        # A transaction is some requests, each of which takes half a second there and back.
        assert busy.mean_s("commit") > 0.5
        busy.is_calm()
        busy.is_live()
    busy.ends_right()
    assert busy.log_lines("group.waits") == []
    assert len(busy.log_lines("lanes.owned")) == 1


@pytest.mark.wide
def test_a_worker_that_joins_by_a_slow_way(deployment: Deployment, proxy: Proxy, release: Path) -> None:
    """Everything that a start and a takeover ask of Kafka, each answer half a second late."""
    deployment.settings = {"SEGUE_KAFKA": proxy.address}
    proxy.delay_s = 0.25
    try:
        with at_work(deployment, release, count=1_500) as busy:
            busy.ends_right()
    finally:
        proxy.delay_s = 0.0


@pytest.mark.wide
def test_a_worker_out_of_kafkas_reach_while_another_takes_its_lanes(
    deployment: Deployment, proxy: Proxy, release: Path, tmp_path: Path
) -> None:
    """A zombie that was never paused: it reaches Redis all the time, and Kafka after it lost its lanes."""
    folder = tmp_path / "out-of-reach"  # each deployment finds its workers' ports in their logs
    folder.mkdir()
    away = replace(deployment, settings={"SEGUE_KAFKA": proxy.address}, folder=folder, _workers=[])
    with deployed(away), at_work(away, release) as busy:
        proxy.stall()
        try:
            other = deployment.worker().ready()
            eventually(lambda: other.lanes() == set(deployment.lanes), "the other one has all lanes")
            busy.is_not_ready_for(f"Kafka at {proxy.address} does not answer")
            busy.is_calm()
            assert busy.lanes(), "it does not know yet that its lanes are gone"
        finally:
            proxy.mend()
        busy.ends_right()
        shares = eventually(
            lambda: (busy.worker.lanes(), other.lanes()) if busy.worker.lanes() else None, "shared out"
        )
        assert shares[0] | shares[1] == set(deployment.lanes)
