"""Run a campaign: with a long log and a running worker, rebuild the states as an operator does."""

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

from schemas.input_events import Event
from segue.services import LocalKafka, LocalRedis
from tests.campaigns.chaos.customers import EVENTS_A_USER, records
from tests.campaigns.chaos.feed import Feed
from tests.campaigns.refill.commands import Ran, ran
from tests.campaigns.refill.facts import Sent
from tests.campaigns.refill.judge import There, check_counts, differences
from tests.campaigns.refill.lanes import applied_under, in_the_log, wait_until_applied
from tests.campaigns.refill.stored import Told, hashes, told, users_in_redis
from tests.support.checks.check_promises import expected_users
from tests.support.inputs.bad_events import BadRecord
from tests.support.servers.deployment import Deployment, WorkerProcess

Say = Callable[[str], None]

_THELOOK = Path(str(files("segue"))) / "data" / "thelook"
_UNPACED = 1e9
_TRICKLE = 50.0  # events a second during the commands: the worker decides, saves and is seldom idle
_MORE = 1_000  # events after the verdict, to check that the worker continues
_CATCH_UP_S = 7_200.0
_AT_THE_START_S = 60.0  # the longest start of a command before its own clock runs, on a busy machine
_RECOMPUTED = 10_000  # the most users to recompute: memory keeps every event of these users


@dataclass(frozen=True, slots=True)
class Verdict:
    """The measurements of a campaign.

    Attributes:
        events: the events in the log when the rebuild began.
        meanwhile: the events that the worker applied during the rebuild.
        records: the records that the rebuild read: events and decisions.
        seconds: the rebuild's own time; ``cpu_s`` is its CPU time.
        users: the users compared in the end, after the switch.
        recomputed: the users among them who were checked against the sent events, without the product.
    """

    events: int
    meanwhile: int
    records: int
    seconds: float
    cpu_s: float
    peak_mb: float
    rebuilt_users: int
    users: int
    recomputed: int
    verify_s: float
    verify_peak_mb: float


def run(events: int, seed: int, say: Say) -> Verdict:
    """Fill, rebuild, switch, verify and recompute; return the measurements.

    Raises:
        AssertionError: a promise is broken; the message says which.
        tests.support.servers.deployment.WorkerEnded: the worker ended by itself.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="segue-refill-")))
        kafka = stack.enter_context(LocalKafka())
        store = stack.enter_context(LocalRedis())
        deployment = Deployment(kafka.bootstrap, store.url, "refill-", folder)
        release = _publish(deployment)
        worker = deployment.worker()
        stack.callback(worker.kill)
        worker.ready()
        into = f"{deployment.redis_prefix}2:"
        users = max(50, events // EVENTS_A_USER)
        shop = records(Random(seed), 10**9, users=users)
        sent = Sent(Random(f"{seed} recomputed"), users, _RECOMPUTED)

        def feed(some: Iterable[Event | BadRecord], rate: float) -> Feed:
            begun = Feed(kafka.bootstrap, deployment.topics, sent.noting(some), rate, remember=False)
            stack.callback(begun.stop)
            begun.start()
            return begun

        feed(islice(shop, events), _UNPACED).finish()
        say("the last event is sent; waiting until the worker has applied all")
        wait_until_applied(deployment, worker, deployment.redis_prefix, _CATCH_UP_S, say)
        at_least, _ = _there(deployment, sent)
        over = threading.Event()
        trickle = feed(takewhile(lambda _: not over.is_set(), shop), _TRICKLE)
        verdict = _rebuilt(deployment, into, at_least, sent, say)
        over.set()
        trickle.finish()
        wait_until_applied(deployment, worker, into, _CATCH_UP_S, say)
        _checked(deployment, into, release, sent, say)
        feed(islice(shop, _MORE), _UNPACED).finish()
        wait_until_applied(deployment, worker, into, _CATCH_UP_S, say)
        compared = _checked(deployment, into, release, sent, say)
        _is_well(worker)
    return replace(
        verdict,
        users=compared.told["users"],
        recomputed=len(sent.facts),
        verify_s=compared.seconds,
        verify_peak_mb=compared.peak_mb,
    )


def _publish(deployment: Deployment) -> Path:
    """Train and publish a release of thelook; return its folder."""
    trained = ran(
        deployment, "train", "--warehouse", str(_THELOOK), "--out", ".", "--no-compare", "--current", "none"
    )
    release = trained.out.splitlines()[-1]
    ran(deployment, "publish", release, "--force")
    return deployment.folder / release


def _there(deployment: Deployment, sent: Sent) -> tuple[There, Told]:
    """Return the present counts, and the records of the sampled users in `user-segments`."""
    decided = told(deployment, sent.facts)
    return There(len(sent.users), in_the_log(deployment), decided.records), decided


def _rebuilt(deployment: Deployment, into: str, at_least: There, sent: Sent, say: Say) -> Verdict:
    """As docs/rebuilding.md says: rebuild, verify what it wrote, switch; the worker lives meanwhile."""
    events, before = in_the_log(deployment), applied_under(deployment, deployment.redis_prefix)
    done = ran(deployment, "rebuild", "--into", into, "--json")
    meanwhile = applied_under(deployment, deployment.redis_prefix) - before
    at_most, _ = _there(deployment, sent)
    rebuilt, seconds = done.told, done.told["seconds"]
    say(f"rebuilt: {rebuilt['users']:,} users from {rebuilt['records']:,} records in {seconds:,.1f} s")
    assert not rebuilt["anew"], "the rebuild left its users to a sweep, though no setting was changed"
    check_counts("segue rebuild", rebuilt, at_least, at_most)
    assert meanwhile > 0, "the worker has applied no event while the rebuild ran"
    assert done.seconds - _AT_THE_START_S < seconds <= done.seconds, (
        f"the rebuild says {seconds:,.1f} s, but took {done.seconds:,.1f} s"
    )
    # The result no longer changes: a fold of the log up to its place reads as many records.
    compared = _verified(deployment, say, "--redis-prefix", into).told
    for what in ("users", "records"):
        assert compared[what] == rebuilt[what], (
            f"rebuilt {rebuilt[what]:,} {what}, compared {compared[what]:,}"
        )
    moved = ran(deployment, "rebuild", "--into", into, "--switch", "--json").told["lanes"]
    assert moved == deployment.partitions, f"the switch moved {moved} of {deployment.partitions} lanes"
    say("the lanes have moved")
    return Verdict(
        events=events,
        meanwhile=meanwhile,
        records=rebuilt["records"],
        seconds=seconds,
        cpu_s=done.cpu_s,
        peak_mb=done.peak_mb,
        rebuilt_users=rebuilt["users"],
        users=0,
        recomputed=0,
        verify_s=0.0,
        verify_peak_mb=0.0,
    )


def _verified(deployment: Deployment, say: Say, *options: str) -> Ran:
    """Run `segue verify`, and check that no user differs and that each lane has a place."""
    done = ran(deployment, "verify", *options, "--json")
    assert (done.told["differing"], done.told["lanes_without_place"]) == ([], []), done.out[:1_000]
    say(f"verified: {done.told['users']:,} users in {done.seconds:,.1f} s")
    return done


def _checked(deployment: Deployment, into: str, release: Path, sent: Sent, say: Say) -> Ran:
    """Check all users with `segue verify`, then a sample without the product; no event comes meanwhile.

    Verify folds with the same code as a rebuild, so it cannot see an error of both.
    """
    there, decided = _there(deployment, sent)
    assert there.events == sent.records, f"{sent.records:,} events were sent, the log holds {there.events:,}"
    compared = _verified(deployment, say)
    check_counts("segue verify", compared.told, there, there)
    strangers = users_in_redis(deployment, into) ^ sent.users
    assert not strangers, f"{len(strangers):,} users too few or too many in Redis: {sorted(strangers)[:5]}"
    right = expected_users(sent.facts, release)
    assert right, "nobody stands of all who are recomputed"
    stored = hashes(deployment, into, sent.facts)
    wrong = differences(right, sent.facts.keys() - right.keys(), stored, decided.newest)
    assert not wrong, f"{len(wrong):,} differences to what was sent, the first: {wrong[:3]}"
    say(f"recomputed: {len(sent.facts):,} users")
    return compared


def _is_well(worker: WorkerProcess) -> None:
    """Check that the first worker process still runs, is ready, and has no failed lane."""
    assert worker.process.poll() is None, f"the worker ended: {worker.log()[-2_000:]}"
    status, page = worker.get("/readyz")
    assert status == 200, f"the worker is not ready: {page}"
    assert '"lane failed"' not in worker.log(), "a lane of the worker failed"
