"""One campaign: servers, workers, producers and gremlins; then the verdict over every user."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import ClassVar

from segue.services import LocalKafka, LocalRedis
from tests.chains import check_chains
from tests.chaos.customers import records, with_strays
from tests.chaos.faults import Servers, Workers
from tests.chaos.feed import Feed
from tests.chaos.gremlin import Gremlin, Say
from tests.chaos.log import histories
from tests.chaos.publisher import Publisher, train_three
from tests.deployment import Deployment
from tests.letters import check_letters
from tests.pipelines import pipeline_of
from tests.verify import Outcome, expected_users

_THELOOK = Path(str(files("segue"))) / "data" / "thelook"
_FAULT_S = 8.0  # about what one fault takes, the time until the next included
_BETWEEN_S = (0.5, 4.0)
_BETWEEN_RELEASES_S = (10.0, 60.0)
_FAULTS_A_RELEASE = 15
_CATCH_UP_S = 900.0
_SEVERAL = 2


@dataclass(frozen=True, slots=True)
class Campaign:
    """How much of everything.

    Attributes:
        seed: decides the events and the faults.
        rate: events a second at most; None: so many that they last as long as the faults.
    """

    WORKERS: ClassVar[int] = 3

    seed: int
    events: int
    faults: int
    workers: int = WORKERS
    rate: float | None = None

    @property
    def pace(self) -> float:
        """Events a second."""
        # Half of the faults befall the servers, while the other half befall the workers.
        return self.rate or self.events / max(10.0, self.faults / 2 * _FAULT_S)

    @property
    def rekey(self) -> bool:
        """Whether events that came astray are brought to their lane; else they are dead letters."""
        return self.seed % 2 == 1

    @property
    def exclude(self) -> tuple[str, ...]:
        """Statuses whose orders do not count."""
        return ("Cancelled", "Returned") if self.seed % 4 in (1, 2) else ()

    @property
    def settings(self) -> dict[str, str]:
        """What the workers are told."""
        chosen: dict[str, str] = {}
        if self.rekey:
            chosen["SEGUE_REKEY"] = "true"
        if self.exclude:
            chosen["SEGUE_EXCLUDE_STATUSES"] = ",".join(self.exclude)
        return chosen

    @property
    def again(self) -> str:
        """The command that runs it again."""
        given = f"--seed {self.seed} --events {self.events} --faults {self.faults}"
        workers = "" if self.workers == Campaign.WORKERS else f" --workers {self.workers}"
        rate = "" if self.rate is None else f" --rate {self.rate:g}"
        return f'make chaos ARGS="{given}{workers}{rate}"'


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was checked, and what had happened; ``cut_bytes`` is what each cut took from Redis."""

    users: int
    events: int
    changes: int
    dead_letters: int
    faults: Mapping[str, int]
    cut_bytes: Sequence[int]
    seconds: float


def run(campaign: Campaign, say: Say) -> Verdict:
    """Run it to its end.

    Raises:
        AssertionError: a promise is broken, or a worker ended by itself; it says what differs.
    """
    began_s = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="segue-chaos-")))
        kafka = stack.enter_context(LocalKafka())
        # Unrepaired, as most run it: lanes must live with what a cut leaves.
        store = stack.enter_context(LocalRedis(repair=False))
        stack.push(lambda kind, *_: keep_files(store, say) if kind is not None else None)
        deployment = Deployment(kafka.bootstrap, store.url, "chaos-", folder, settings=campaign.settings)
        releases = train_three(_THELOOK, folder, campaign.exclude)
        for release in releases:
            deployment.publish(release)
        workers = Workers(deployment, Random(f"{campaign.seed} workers"))
        stack.callback(deployment.close)
        workers.start(campaign.workers)
        events = records(Random(f"{campaign.seed} events"), campaign.events)
        strays = Random(f"{campaign.seed} strays")
        feed = Feed(
            kafka.bootstrap,
            deployment.topics,
            with_strays(events, strays, deployment.partitions, rekey=campaign.rekey),
            campaign.pace,
            partitions=deployment.partitions,
        )
        servers = Servers(kafka, store, Random(f"{campaign.seed} servers"))
        publisher = Publisher(deployment, releases, Random(f"{campaign.seed} publisher"))
        gremlins = _gremlins(campaign, servers, workers, publisher, say)
        stack.callback(feed.stop)
        for gremlin in gremlins:
            stack.callback(gremlin.stop)
            gremlin.start()
        feed.start()
        _until_over(feed, gremlins, workers, say)
        feed.finish()
        say("the last event is sent, and the last fault mended; waiting until all is applied")
        deployment.caught_up(_CATCH_UP_S)
        deployment.swept(_CATCH_UP_S)
        workers.steady()
        say("checking every user")
        outcome, letters = _verified(deployment, feed, releases, campaign.exclude)
        cuts = servers.cut_bytes
        assert len(cuts) < _SEVERAL or any(cuts), f"{len(cuts)} cuts of Redis's tail, and none took a byte"
    faults: Counter[str] = sum((gremlin.done for gremlin in gremlins), Counter())
    seconds = time.monotonic() - began_s
    return Verdict(outcome.users, campaign.events, outcome.changes, letters, faults, cuts, seconds)


def keep_files(store: LocalRedis, say: Say) -> None:
    """Copy Redis's files and its log to where the end of the campaign does not delete them."""
    kept = Path(tempfile.mkdtemp(prefix="segue-chaos-redis-"))
    store.kill()
    shutil.copytree(store.directory, kept, dirs_exist_ok=True)
    say(f"Redis's files are kept in {kept}")


def _gremlins(
    campaign: Campaign, servers: Servers, workers: Workers, publisher: Publisher, say: Say
) -> Sequence[Gremlin]:
    switches = campaign.faults // _FAULTS_A_RELEASE
    on_servers = (campaign.faults - switches) // 2
    on_workers = campaign.faults - switches - on_servers
    seed = campaign.seed
    return [
        Gremlin(servers.kinds, on_servers, _BETWEEN_S, Random(f"{seed} on servers"), say),
        Gremlin(workers.kinds, on_workers, _BETWEEN_S, Random(f"{seed} on workers"), say),
        Gremlin(publisher.kinds, switches, _BETWEEN_RELEASES_S, Random(f"{seed} on releases"), say),
    ]


def _until_over(feed: Feed, gremlins: Sequence[Gremlin], workers: Workers, say: Say) -> None:
    said = 0
    while not feed.done or any(gremlin.active for gremlin in gremlins):
        time.sleep(1)
        workers.check()
        for gremlin in gremlins:
            assert gremlin.failure is None, gremlin.failure
        if feed.sent - said >= 25_000:
            said = feed.sent
            say(f"{feed.sent:,} events sent")
    for gremlin in gremlins:
        assert gremlin.failure is None, gremlin.failure


def _verified(
    deployment: Deployment, feed: Feed, releases: Sequence[Path], exclude: tuple[str, ...]
) -> tuple[Outcome, int]:
    """Every user's end, every change on the way there, and the dead letters, of which there are so many."""
    activations = deployment.activations()
    by_version = {release.name: release for release in releases}
    right = expected_users(feed.facts, by_version[activations[-1][1]], exclude)
    outcome = deployment.verified(right, feed.facts.keys() - right.keys())
    pipelines = {version: pipeline_of(release) for version, release in by_version.items()}
    explained = check_chains(
        histories(deployment, feed.written),
        [(offset, pipelines[version]) for offset, version in activations],
        exclude,
    )
    assert explained == outcome.changes, f"{outcome.changes} changes are told, {explained} of them explained"
    return outcome, check_letters(deployment.bootstrap, deployment.topics.dead_letters, feed.letters)
