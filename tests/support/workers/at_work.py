"""A worker under a fault: whether it reports the fault, uses little CPU, and ends with right results."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from schemas.input_events import Event
from schemas.outputs.headers import OFFSET, PARTITION, TOPIC
from tests.campaigns.chaos.customers import records
from tests.campaigns.chaos.feed import Feed
from tests.campaigns.chaos.log import histories
from tests.support.checks.chains import check_chains
from tests.support.checks.check_promises import Outcome, expected_users
from tests.support.checks.pipelines import pipeline_of
from tests.support.checks.read_records import headers_of, read_topic
from tests.support.inputs.bad_events import BadRecord
from tests.support.servers.deployment import Deployment, WorkerProcess
from tests.support.servers.services import eventually
from trainer.release.release_folder import load_release

SESSION_S = 6.0  # tests/support/servers/deployment.py sets it
USERS = 300
_CALM_S = 3.0
_MOST_CORES = 0.5
_MOST_LINES = 50


class AtWork:
    """A worker that applies events, and checks of its pages, log and results.

    Attributes:
        feeds: the producers of the events, with the mistakes that producers make.
    """

    def __init__(self, deployment: Deployment, release: Path, worker: WorkerProcess) -> None:
        self.deployment = deployment
        self.release = release
        self.worker = worker
        self.feeds: list[Feed] = []

    def send(self, events: Iterable[Event | BadRecord], rate: float) -> Feed:
        """Start to produce these events, ``rate`` a second; return the producer."""
        feed = Feed(self.deployment.bootstrap, self.deployment.topics, events, rate)
        self.feeds.append(feed)
        feed.start()
        return feed

    def applied(self) -> int:
        """Return how many events the lanes have applied since they were opened."""
        return sum(lane["events"] for lane in self.lanes())

    def lanes(self) -> list[dict[str, Any]]:
        status = self.worker.get("/status")[1]
        return [] if status is None else list(status["lanes"])

    def reasons(self) -> list[str]:
        """Why the worker is not ready: the reasons of a 503 from /readyz, else none."""
        code, page = self.worker.get("/readyz")
        assert code in (200, 503)
        assert (code == 200) is page["ready"]
        reasons: list[str] = page["reasons"]
        assert page["ready"] is not bool(reasons)
        return reasons

    def is_not_ready_for(self, words: str) -> None:
        """Wait until `/readyz` answers 503 with a reason that contains these words."""

        def said() -> bool:
            reasons = self.reasons()
            assert any(words in reason for reason in reasons), reasons
            return True

        eventually(said, f"not ready: {words}")

    def every_lane_waits_for(self, words: str) -> None:
        """Wait until `/status` shows each lane waiting or taking over, for a reason with these words."""

        def waits() -> bool:
            shown = [(lane["phase"], lane["reason"]) for lane in self.lanes()]
            assert len(shown) == self.deployment.partitions, shown
            assert all(phase in ("waiting", "taking over") for phase, _ in shown), shown
            assert all(reason is not None and words in reason for _, reason in shown), shown
            return True

        eventually(waits, f"every lane waits: {words}")

    def keeps_saying(self, words: str, seconds: float) -> None:
        """Check for ``seconds`` that the worker is not ready, always with a reason with these words."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            reasons = self.reasons()
            assert any(words in reason for reason in reasons), reasons
            time.sleep(0.1)

    def is_calm(self) -> None:
        """Check over some seconds that the worker uses little CPU: a waiting worker rarely wakes up."""
        before = _cpu_s(self.worker.process.pid)
        time.sleep(_CALM_S)
        cores = (_cpu_s(self.worker.process.pid) - before) / _CALM_S
        assert cores < _MOST_CORES, (
            f"{cores:.0%} of a core while it can only wait: {self.worker.log()[-3_000:]}"
        )

    def mean_s(self, step: str, batches: int = 10) -> float:
        """Return the mean seconds of a step over the next ``batches`` batches, from the worker's metrics."""

        def told() -> tuple[float, float]:
            seconds, count = (
                self.metric(f"segue_step_seconds_{what}", f'step="{step}"') for what in ("sum", "count")
            )
            return seconds, count

        seconds, count = told()
        eventually(lambda: told()[1] >= count + batches, "batches go on")
        now_seconds, now_count = told()
        return (now_seconds - seconds) / (now_count - count)

    def is_live(self) -> None:
        """Check that the worker is ready and that every lane is live."""
        assert self.reasons() == []
        assert {lane["phase"] for lane in self.lanes()} == {"live"}

    @contextmanager
    def fault(self, inflict: Callable[[], object], mend: Callable[[], object]) -> Iterator[None]:
        """Inflict a fault during the context, and check that the worker logs little meanwhile."""
        lines = len(self.worker.log().splitlines())
        inflict()
        try:
            yield
        finally:
            mend()
        told = self.worker.log().splitlines()[lines:]
        assert len(told) < _MOST_LINES, f"{len(told)} lines: {told[:5]} ... {told[-5:]}"

    def ends_right(self) -> Outcome:
        """Wait until the same worker has applied all events, and check the results.

        Every user is right, and no change is missing, doubled or wrong.
        """
        for feed in self.feeds:
            feed.finish()
        self.deployment.caught_up()
        outcome = self.every_user_is_right()
        written = {value: event for feed in self.feeds for value, event in feed.written.items()}
        ((activation, _),) = self.deployment.activations()
        told = check_chains(histories(self.deployment, written), [(activation, pipeline_of(self.release))])
        assert told == outcome.changes, f"{outcome.changes} changes are told, {told} of them explained"
        self.is_well()
        return outcome

    def is_well(self) -> None:
        """Check that the same worker still runs, is ready, and has logged no traceback."""
        self.worker.ready()  # raises if the process has ended
        assert "Traceback" not in self.worker.log()

    def every_user_is_right(self, *, letters_again: bool = False) -> Outcome:
        """Check every user with a change against Kafka and Redis, and each bad event against its dead letter.

        Args:
            letters_again: whether a bad event may have more than one dead letter.
        """
        bad = sum(feed.bad for feed in self.feeds)
        letters = self.dead_letters()
        if letters_again:
            letters = [*set(letters)]
        assert len(letters) == bad, f"{bad} bad events, {len(letters)} letters, {len(set(letters))} different"
        facts = self.facts()
        right = expected_users(facts, self.release)
        where = self.deployment
        gone = facts.keys() - right.keys()
        outcome = where.verified(right, gone)
        assert outcome.users > USERS / 2
        assert outcome.changes > USERS
        return outcome

    def dead_letters(self) -> list[tuple[bytes | None, ...]]:
        """Return each dead letter: the source's topic, partition and offset, the key and the value.

        The offset alone is not enough: a topic that was deleted and created again repeats its offsets.
        """
        letters = read_topic(self.deployment.bootstrap, self.deployment.topics.dead_letters)
        return [
            (
                *(headers_of(letter)[name] for name in (TOPIC, PARTITION, OFFSET)),
                letter.key(),
                letter.value(),
            )
            for letter in letters
        ]

    def facts(self) -> dict[str, list[Event]]:
        """Return every good event that was sent, by user."""
        facts: dict[str, list[Event]] = defaultdict(list)
        for feed in self.feeds:
            for user_id, told in feed.facts.items():
                facts[user_id] += told
        return dict(facts)

    def log_lines(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines of this event."""
        told = [json.loads(line) for line in self.worker.log().splitlines() if line.startswith("{")]
        return [line for line in told if line["event"] == event]

    def metric(self, name: str, labels: str) -> float:
        """Return a value of `/metrics`; write the labels as that page does."""
        port = self.log_lines("web.listens")[0]["port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
            lines = page.read().decode().splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(f"{name}{{{labels}}}"))


@contextmanager
def at_work(
    deployment: Deployment, release: Path, count: int = 3_000, rate: float = 150, seed: int = 7
) -> Iterator[AtWork]:
    """Yield a worker in the middle of ``count`` events that are sent at ``rate`` a second."""
    deployment.announce(load_release(release))
    busy = AtWork(deployment, release, deployment.worker().ready())
    try:
        busy.send(records(Random(seed), count, USERS), rate)
        eventually(lambda: busy.applied() > count / 20, "the worker in the middle")
        yield busy
    finally:
        for feed in busy.feeds:
            feed.stop()


def _cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process and its threads have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
