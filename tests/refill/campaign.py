"""One campaign: a long log, a worker that lives, and what an operator does to rebuild its states."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.resources import files
from itertools import islice, takewhile
from pathlib import Path
from random import Random

from schemas.events import Event
from segue.services import LocalKafka, LocalRedis
from tests.bad_events import BadRecord
from tests.chaos.customers import EVENTS_A_USER, records
from tests.chaos.feed import Feed
from tests.deployment import Deployment, WorkerProcess
from tests.refill.commands import Ran, ran
from tests.refill.lanes import applied_under, in_the_log, wait_until_applied

Say = Callable[[str], None]

_THELOOK = Path(str(files("segue"))) / "data" / "thelook"
_UNPACED = 1e9
_TRICKLE = 50.0  # events a second while the operator works: the worker decides, saves and is seldom idle
_MORE = 1_000  # events after the verdict, to see that the worker goes on
_CATCH_UP_S = 7_200.0
_AT_THE_START_S = 60.0  # what a command may take until its own clock runs, on a busy machine
_READY_S = 300.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was measured.

    Attributes:
        events: that the log held when the rebuild began.
        meanwhile: events that the worker applied while it ran.
        records: what it read, events and decisions.
        seconds: as the command told, ``cpu_s`` of one core.
        users: compared in the end, after the switch.
    """

    events: int
    meanwhile: int
    records: int
    seconds: float
    cpu_s: float
    peak_mb: float
    rebuilt_users: int
    users: int
    verify_s: float
    verify_peak_mb: float


def run(events: int, seed: int, say: Say) -> Verdict:
    """Fill, rebuild, switch, verify.

    Raises:
        AssertionError: a promise is broken; it says which.
        tests.deployment.WorkerEnded: the worker ended by itself.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="segue-refill-")))
        kafka = stack.enter_context(LocalKafka())
        store = stack.enter_context(LocalRedis())
        deployment = Deployment(kafka.bootstrap, store.url, "refill-", folder)
        _publish(deployment)
        worker = deployment.worker()
        stack.callback(worker.kill)
        worker.ready(_READY_S)
        into = f"{deployment.redis_prefix}2:"
        shop = records(Random(seed), 10**9, users=max(50, events // EVENTS_A_USER))

        def feed(some: Iterable[Event | BadRecord], rate: float) -> Feed:
            begun = Feed(kafka.bootstrap, deployment.topics, some, rate, remember=False)
            stack.callback(begun.stop)
            begun.start()
            return begun

        feed(islice(shop, events), _UNPACED).finish()
        say("the last event is sent; waiting until the worker has applied all")
        wait_until_applied(deployment, worker, deployment.redis_prefix, _CATCH_UP_S, say)
        over = threading.Event()
        trickle = feed(takewhile(lambda _: not over.is_set(), shop), _TRICKLE)
        verdict = _rebuilt(deployment, into, say)
        over.set()
        trickle.finish()
        wait_until_applied(deployment, worker, into, _CATCH_UP_S, say)
        _verified(deployment, say)
        feed(islice(shop, _MORE), _UNPACED).finish()
        wait_until_applied(deployment, worker, into, _CATCH_UP_S, say)
        checked = _verified(deployment, say)
        _is_well(worker)
    return replace(
        verdict,
        users=checked.told["users"],
        verify_s=checked.seconds,
        verify_peak_mb=checked.peak_mb,
    )


def _publish(deployment: Deployment) -> None:
    """A release of thelook, trained here."""
    trained = ran(
        deployment, "train", "--warehouse", str(_THELOOK), "--out", ".", "--no-compare", "--current", "none"
    )
    ran(deployment, "publish", trained.out.splitlines()[-1], "--force")


def _rebuilt(deployment: Deployment, into: str, say: Say) -> Verdict:
    """As docs/operations.md says: rebuild, verify what it wrote, switch; the worker lives meanwhile."""
    events, before = in_the_log(deployment), applied_under(deployment, deployment.redis_prefix)
    done = ran(deployment, "rebuild", "--into", into, "--json")
    meanwhile = applied_under(deployment, deployment.redis_prefix) - before
    told, seconds = done.told, done.told["seconds"]
    say(f"rebuilt: {told['users']:,} users from {told['records']:,} records in {seconds:,.1f} s")
    assert not told["anew"], "the rebuild left its users to a sweep, though no setting was changed"
    assert told["records"] >= events, f"of {events:,} events it has read {told['records']:,} records"
    assert meanwhile > 0, "the worker has applied no event while the rebuild ran"
    assert done.seconds - _AT_THE_START_S < seconds <= done.seconds, (
        f"the rebuild says {seconds:,.1f} s, but took {done.seconds:,.1f} s"
    )
    _verified(deployment, say, "--redis-prefix", into)
    moved = ran(deployment, "rebuild", "--into", into, "--switch", "--json").told["lanes"]
    assert moved == deployment.partitions, f"the switch moved {moved} of {deployment.partitions} lanes"
    say("the lanes have moved")
    return Verdict(
        events=events,
        meanwhile=meanwhile,
        records=told["records"],
        seconds=seconds,
        cpu_s=done.cpu_s,
        peak_mb=done.peak_mb,
        rebuilt_users=told["users"],
        users=0,
        verify_s=0.0,
        verify_peak_mb=0.0,
    )


def _verified(deployment: Deployment, say: Say, *options: str) -> Ran:
    """Compare every user; whom it names differs."""
    done = ran(deployment, "verify", *options, "--json")
    say(f"verified: {done.told['users']:,} users in {done.seconds:,.1f} s")
    return done


def _is_well(worker: WorkerProcess) -> None:
    """It is the process that was started, it is ready, and it has failed in nothing."""
    assert worker.process.poll() is None, f"the worker ended: {worker.log()[-2_000:]}"
    status, page = worker.get("/readyz")
    assert status == 200, f"the worker is not ready: {page}"
    assert '"lane failed"' not in worker.log(), "a lane of the worker failed"
