"""Workers of one group share the lanes out; they are killed, paused, and lose their broker."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import Consumer

from segue.services import KafkaService, LocalKafka
from tests.support.servers.services import eventually, start_server
from tests.support.workers.fleet import ALL, SESSION_MS, Fleet, Member

SESSION_S = SESSION_MS / 1_000


@pytest.fixture
def fleet(tmp_path: Path, kafka: KafkaService, topic_prefix: str) -> Iterator[Fleet]:
    with Fleet(tmp_path, kafka.bootstrap, topic_prefix) as ours:
        yield ours


def stops(member: Member) -> float:
    """Ask it to stop, and return how long that took."""
    began = time.monotonic()
    member.signal(signal.SIGTERM)
    assert member.ends() == 0, member.log()
    return time.monotonic() - began


def test_one_worker_holds_every_lane_and_stops_quickly(fleet: Fleet) -> None:
    fleet.create_topics()
    only = fleet.start("only")
    fleet.await_shared_out(only)
    assert stops(only) < 5
    assert fleet.owned(only) == frozenset()
    # A worker that is not in the group any more has no lane, whoever asks.
    ended = fleet.lines_of(only, "ended")[0].at
    assert [line.lanes for line in fleet.lines_of(only, "still ours") if line.at > ended] == []
    log = only.log()
    events = [line.split(" event=")[1].split(" ")[0] for line in log.splitlines()]
    assert events == ["worker.starts", "lanes.owned", "worker.stops", "lanes.closed", "worker.stopped"], log


def test_faust_fetches_nothing(fleet: Fleet) -> None:
    fleet.create_topics()
    fleet.fill(2_000)
    only = fleet.start("only")

    def with_all() -> int:
        """How often Faust's consumer had every partition: without partitions there is nothing to fetch."""
        return sum(line.lanes == sorted(ALL) for line in fleet.lines_of(only, "assigned"))

    eventually(lambda: with_all() > 15, "it had its partitions for a while")
    assert [line.lanes for line in fleet.lines_of(only, "fetched") if line.lanes] == []


def test_workers_that_join_and_leave_never_hold_a_lane_together(fleet: Fleet) -> None:
    fleet.create_topics()
    first = fleet.start("first")
    fleet.await_shared_out(first)
    second = fleet.start("second")
    eventually(lambda: fleet.owned(second), "the second worker gets lanes")
    fleet.await_shared_out(first, second)
    assert len(fleet.owned(first)) == len(fleet.owned(second)) == 2
    third = fleet.start("third")
    eventually(lambda: " event=lanes.owned " in third.log(), "the third worker gets its share")
    fleet.await_shared_out(first, second, third)
    stops(first)
    fleet.await_shared_out(second, third)
    stops(second)
    fleet.await_shared_out(third)
    assert fleet.overlaps() == []
    assert "problem=" not in third.log()  # no half of a lane, with any number of workers


def test_the_lanes_of_a_killed_worker_go_on_after_its_session(fleet: Fleet) -> None:
    fleet.create_topics()
    killed, left = fleet.start("killed"), fleet.start("left")
    fleet.await_shared_out(killed, left)
    eventually(lambda: len(fleet.owned(killed)) == len(fleet.owned(left)) == 2, "two lanes each")
    killed.signal(signal.SIGKILL)
    at = time.monotonic()
    eventually(lambda: fleet.owned(left) == ALL, "the other takes all lanes")
    taken = fleet.lines_of(left, "own")[-1].at
    # Heartbeats come every half second: the session began at most that long before the kill.
    assert taken - at > SESSION_S - 1


def test_a_worker_paused_beyond_its_session_hears_that_its_lanes_are_gone(fleet: Fleet) -> None:
    fleet.create_topics()
    paused, other = fleet.start("paused"), fleet.start("other")
    eventually(lambda: len(fleet.owned(paused)) == len(fleet.owned(other)) == 2, "two lanes each")
    fleet.await_shared_out(paused, other)
    lost = fleet.owned(paused)
    eventually(
        lambda: set(fleet.lines_of(paused, "still ours")[-1].lanes) == lost,
        "the group says they are ours",
    )
    paused.signal(signal.SIGSTOP)
    eventually(lambda: fleet.owned(other) == ALL, "the other takes all lanes")
    woken = time.monotonic()
    paused.signal(signal.SIGCONT)
    eventually(lambda: fleet.owned(paused) != lost, "the paused worker closes its lanes")
    eventually(lambda: "ended" not in paused.log() and fleet.shared_out(paused, other), "shared out again")
    after = [line for line in fleet.lines_of(paused, "own", "closed", "still ours") if line.at > woken]
    closed = next(index for index, line in enumerate(after) if line.what == "closed")
    # The answer that was under way when it was paused may still come; each one asked since says no.
    answers = [line.lanes for line in after[:closed] if line.what == "still ours"]
    assert answers[1:], "nobody asked before the lanes were closed"
    assert all(answer == [] for answer in answers[1:]), after
    assert not [line for line in after[:closed] if line.what == "own"]


def test_a_worker_that_was_put_out_hears_so_before_its_next_heartbeat(fleet: Fleet) -> None:
    fleet.create_topics()
    worker = fleet.start("worker", session_timeout_ms=30_000, heartbeat_interval_ms=10_000)
    fleet.await_shared_out(worker)
    eventually(lambda: fleet.lines_of(worker, "still ours")[-1].lanes == sorted(ALL), "they are ours")
    asyncio.run(fleet.put_out_all())
    out = time.monotonic()
    eventually(lambda: len(fleet.lines_of(worker, "closed")) == 1, "it closes its lanes")
    closed = fleet.lines_of(worker, "closed")[0].at
    answers = [line.lanes for line in fleet.lines_of(worker, "still ours") if out < line.at < closed]
    # A round of asking, under way at that moment, may have had some answers already.
    assert answers[1:], "nobody asked before the lanes were closed"
    assert answers[1:] == [[]] * len(answers[1:])
    fleet.await_shared_out(worker)


def test_what_one_worker_holds_only_half_of_is_left_alone(fleet: Fleet, topic_prefix: str) -> None:
    fleet.create_topics()
    whole = fleet.start("whole")
    fleet.await_shared_out(whole)
    # Somebody who joined the group for one of the inputs, and gets half of its partitions.
    foreign = fleet.start("foreign", inputs=[f"{topic_prefix}orders"])
    eventually(lambda: " event=lanes.halves " in whole.log(), "the halves are noticed")
    assert len(fleet.owned(whole)) == 2
    eventually(lambda: " event=lanes.halves " in foreign.log(), "the halves are noticed there, too")
    assert fleet.owned(foreign) == frozenset()
    halves = sorted(ALL - fleet.owned(whole))
    said = f"holds one input and not the other of the lanes {halves[0]}, {halves[1]}, and processes neither"
    assert said in whole.log()
    stops(foreign)
    fleet.await_shared_out(whole)


def test_another_number_of_partitions_ends_the_worker(fleet: Fleet, topic_prefix: str) -> None:
    fleet.create_topics(orders=6)
    worker = fleet.start("worker")
    assert worker.ends() == 6  # BadTopics
    last = worker.log().splitlines()[-1]
    assert "event=worker.failed" in last
    assert f"topic {topic_prefix}orders has 6 partitions now and had 4" in last
    assert "Traceback" not in worker.log()
    assert fleet.lines_of(worker, "own") == []


def test_a_broker_that_names_none_at_first_is_asked_again(fleet: Fleet) -> None:
    """As one does that has only just started."""
    fleet.create_topics()
    worker = fleet.start("one", nameless=2)
    fleet.await_shared_out(worker)
    assert worker.log().count("names no broker yet") == 1  # said once, however often it is asked
    assert "group.goes_on" in worker.log()


def test_a_session_that_the_broker_does_not_take_is_told(fleet: Fleet) -> None:
    fleet.create_topics()
    # The broker's group.max.session.timeout.ms is 30 minutes by default.
    worker = fleet.start("worker", session_timeout_ms=3_600_000)
    assert worker.ends() == 2  # BadSetting
    assert "setting session_timeout_ms is 3600000" in worker.log().splitlines()[-1]


def test_a_group_that_another_program_uses_is_told(
    fleet: Fleet, kafka: KafkaService, topic_prefix: str
) -> None:
    fleet.create_topics()
    foreign = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": fleet.group})
    try:
        foreign.subscribe([f"{topic_prefix}orders"])
        # It goes on polling, whatever an answer says: a member that does not would hold the group.
        eventually(lambda: (foreign.poll(0.1), foreign.assignment())[1], "another program has joined")
        worker = fleet.start("worker")
        eventually(lambda: (foreign.poll(0.1), worker.process.poll() is not None)[1], "the worker ends")
        assert worker.ends() == 2  # BadSetting
    finally:
        foreign.close()
    assert f"setting group is '{fleet.group}': another program uses this group" in worker.log()


@pytest.mark.wide
def test_a_worker_outlives_its_broker(
    tmp_path: Path, fresh_kafka: Callable[..., LocalKafka], topic_prefix: str
) -> None:
    broker = fresh_kafka()
    with Fleet(tmp_path, broker.bootstrap, topic_prefix) as fleet:
        fleet.create_topics()
        broker.stop()
        one, two = fleet.start("one"), fleet.start("two")
        eventually(lambda: "does not answer" in one.log() and "does not answer" in two.log(), "both wait")
        broker.start()
        fleet.await_shared_out(one, two)

        def both_said(what: str, since: tuple[int, int]) -> bool:
            return what in one.log()[since[0] :] and what in two.log()[since[1] :]

        for end in (broker.kill, broker.stop):
            since = len(one.log()), len(two.log())
            end()
            eventually(partial(both_said, "group.waits", since), "both say that they wait")
            broker.start()
            eventually(partial(both_said, "group.goes_on", since), "both go on")
            fleet.await_shared_out(one, two)
        assert fleet.overlaps() == []
        broker.pause()
        assert stops(one) < 10
        broker.kill()
        assert stops(two) < 10
        assert "Traceback" not in one.log() + two.log()


class KafkaWithLogin(LocalKafka):
    """Besides its plain listener, for the test itself, one that wants the login of `me`."""

    port_count = 3

    @property
    def guarded(self) -> str:
        return f"127.0.0.1:{self._ports[2]}"

    def _prepare(self, directory: Path, ports: Sequence[int]) -> Sequence[str]:
        plain, login = f"PLAINTEXT://127.0.0.1:{ports[0]}", f"LOGIN://127.0.0.1:{ports[2]}"
        module = "org.apache.kafka.common.security.plain.PlainLoginModule"
        self._properties = {
            "listeners": f"{plain},{login},CONTROLLER://127.0.0.1:{ports[1]}",
            "advertised.listeners": f"{plain},{login}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LOGIN:SASL_PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.name.login.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.login.plain.sasl.jaas.config": f'{module} required user_me="hunter2";',
        }
        return super()._prepare(directory, ports)


def test_a_worker_logs_in(tmp_path: Path, topic_prefix: str) -> None:
    with ExitStack() as stack:
        broker = start_server(stack, KafkaWithLogin())
        fleet = stack.enter_context(Fleet(tmp_path, broker.bootstrap, topic_prefix))
        login = {
            "bootstrap.servers": broker.guarded,
            "security.protocol": "sasl_plaintext",
            "sasl.mechanism": "PLAIN",
            "sasl.username": "me",
        }
        fleet.create_topics()
        right = fleet.start("right", kafka={**login, "sasl.password": "hunter2"})
        wrong = fleet.start("wrong", kafka={**login, "sasl.password": "hunter3"})
        fleet.await_shared_out(right)
        eventually(lambda: "refuses the login" in wrong.log(), "the refusal is told")
        stops(wrong)
        stops(right)
        assert "hunter" not in right.log() + wrong.log()


def test_a_running_worker_imports_nothing_of_the_trainers() -> None:
    code = (
        "import sys\n"
        "from streamer.worker.worker_app import build_worker\n"
        "from streamer.worker.worker_config import WorkerConfig\n"
        "from tests.support.workers.recording_worker import NoReleases, RecordingLanes\n"
        "config = WorkerConfig(kafka={'bootstrap.servers': 'k:1'}, partitions=4, web_port=0)\n"
        "build_worker(config, RecordingLanes('x', '/dev/null'), NoReleases())\n"
        "print(sorted({'pandas', 'sklearn', 'joblib', 'scipy'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
