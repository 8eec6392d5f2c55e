"""Run a campaign with servers, workers, producers and gremlins, then check every user."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain
from pathlib import Path
from random import Random
from typing import ClassVar

from schemas.input_events import Event
from segue.services import LocalKafka, LocalRedis
from streamer.kafka.topics_admin import create_topics
from tests.campaigns.chaos.cluster_faults import ClusterServers
from tests.campaigns.chaos.customers import records, with_strays
from tests.campaigns.chaos.disks import Disk
from tests.campaigns.chaos.faults import Servers, Workers
from tests.campaigns.chaos.feed import Feed
from tests.campaigns.chaos.gremlin import Gremlin, Say
from tests.campaigns.chaos.log import bootstrap_records, histories, present_segments
from tests.campaigns.chaos.moving import MovingDeployment
from tests.campaigns.chaos.past import Past, bootstrapped, past_facts
from tests.campaigns.chaos.publisher import Publisher, train_three
from tests.campaigns.chaos.rebuilds import Rebuilds
from tests.campaigns.chaos.remakes import Remakes
from tests.campaigns.chaos.standby import Standby
from tests.support.checks.chains import check_chains
from tests.support.checks.check_dead_letters import check_letters
from tests.support.checks.check_promises import Outcome, expected_users
from tests.support.checks.pipelines import pipeline_of
from tests.support.inputs.bad_events import BadRecord
from tests.support.servers.deployment import PARTITIONS, Deployment
from tests.support.servers.redis_cluster import LocalCluster

_THELOOK = Path(str(files("segue"))) / "data" / "thelook"
_FAULT_S = 8.0  # about the time of a fault and of the pause after it
_BETWEEN_S = (0.5, 4.0)
_BETWEEN_RELEASES_S = (10.0, 60.0)
_FAULTS_A_RELEASE = 15
_BETWEEN_REBUILDS_S = (5.0, 20.0)
_FAULTS_A_REBUILD = 12
_CATCH_UP_S = 900.0
_SEVERAL = 2
_EVENTS_A_PAST_USER = 40
_OVERLAP = 4  # a quarter of the warehouse's facts were sent before, and a quarter are sent again
_UNPACED = 1e9


@dataclass(frozen=True, slots=True)
class Campaign:
    """The size and the variant of a campaign.

    Attributes:
        seed: the seed of the events and the faults; it also chooses the variant.
        rate: the most events a second; None: a rate at which the events last as long as the faults.
        cluster: whether Redis is a Redis Cluster of three nodes, each with a replica.
    """

    WORKERS: ClassVar[int] = 3

    seed: int
    events: int
    faults: int
    workers: int = WORKERS
    rate: float | None = None
    cluster: bool = False

    @property
    def pace(self) -> float:
        """The rate of the producers, in events a second."""
        # Half of the faults hit the servers; the other half hit the workers at the same time.
        return self.rate or self.events / max(10.0, self.faults / 2 * _FAULT_S)

    @property
    def rekey(self) -> bool:
        """Whether lanes forward misrouted events to the right lane; otherwise these are dead letters."""
        return self.seed % 2 == 1

    @property
    def exclude(self) -> tuple[str, ...]:
        """The statuses of orders that do not count."""
        return ("Cancelled", "Returned") if self.seed % 4 in (1, 2) else ()

    @property
    def bootstraps(self) -> bool:
        """Whether the campaign begins with a bootstrap from a warehouse."""
        return self.seed % 5 in (2, 3)

    @property
    def remakes(self) -> bool:
        """Whether inputs are deleted and created again."""
        return self.seed % 5 in (0, 4)

    @property
    def min_margin(self) -> float:
        """The margin by which another centre must be nearer before a user leaves a segment."""
        return 0.05 if self.seed % 3 == 1 else 0.0

    @property
    def settings(self) -> dict[str, str]:
        """The workers' settings."""
        chosen: dict[str, str] = {}
        if self.rekey:
            chosen["SEGUE_REKEY"] = "true"
        if self.exclude:
            chosen["SEGUE_EXCLUDE_STATUSES"] = ",".join(self.exclude)
        if self.min_margin:
            chosen["SEGUE_MIN_MARGIN"] = str(self.min_margin)
        return chosen

    @property
    def again(self) -> str:
        """The command that repeats the campaign."""
        given = f"--seed {self.seed} --events {self.events} --faults {self.faults}"
        workers = "" if self.workers == Campaign.WORKERS else f" --workers {self.workers}"
        rate = "" if self.rate is None else f" --rate {self.rate:g}"
        cluster = " --cluster" if self.cluster else ""
        return f'make chaos ARGS="{given}{workers}{rate}{cluster}"'


@dataclass(frozen=True, slots=True)
class Verdict:
    """The amounts that were checked, and the faults.

    Attributes:
        cut_bytes: the bytes that each cut took from Redis's append-only file.
        behind_bytes: the bytes that a replica lacked at each takeover.
    """

    users: int
    events: int
    changes: int
    dead_letters: int
    faults: Mapping[str, int]
    cut_bytes: Sequence[int]
    behind_bytes: Sequence[int]
    seconds: float


def run(campaign: Campaign, say: Say) -> Verdict:
    """Run a campaign to its end; return the verdict.

    Raises:
        AssertionError: a promise is broken, or a worker ended by itself; the message says how.
    """
    began_s = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="segue-chaos-")))
        of_redis, of_logs = (_disk(stack, folder / name, say) for name in ("redis", "work"))
        servers = _servers(stack, campaign, of_redis, say)
        kafka, store = servers.kafka, servers.store
        deployment = MovingDeployment(
            kafka.bootstrap, store.url, "chaos-", of_logs.folder, settings=campaign.settings
        )
        releases = train_three(_THELOOK, of_logs.folder, campaign.exclude)
        for release in releases:
            deployment.publish(release)
        past = _begun(deployment, campaign, say) if campaign.bootstraps else Past()
        workers = Workers(
            deployment, of_logs, Random(f"{campaign.seed} workers"), may_ask=campaign.bootstraps
        )
        stack.callback(deployment.close)
        workers.start(campaign.workers)
        feed = _feed(deployment, campaign, past)
        publisher = Publisher(deployment, releases, Random(f"{campaign.seed} publisher"))
        rebuilds = Rebuilds(deployment, workers, Random(f"{campaign.seed} rebuilds"), say, past.warehouse)
        remakes = Remakes(deployment, workers, feed, Random(f"{campaign.seed} remakes"), say, rebuilds)
        if campaign.remakes:
            servers.kinds |= remakes.kinds
        gremlins = _gremlins(campaign, servers, workers, publisher, rebuilds, say)
        stack.callback(feed.stop)
        for gremlin in gremlins:
            stack.callback(gremlin.stop)
            gremlin.start()
        feed.start()
        _until_over(feed, gremlins, rebuilds, say)
        feed.finish()
        say("the last event is sent, and the last fault mended; waiting until all is applied")
        rebuilds.rebuild_if_asked()
        deployment.caught_up(_CATCH_UP_S)
        deployment.swept(_CATCH_UP_S)
        workers.steady()
        say("checking every user")
        outcome, letters = _verified(deployment, feed, releases, campaign, past, remakes)
        cuts, behind = servers.cut_bytes, servers.behind_bytes
        assert len(cuts) < _SEVERAL or any(cuts), f"{len(cuts)} cuts of Redis's tail, and none took a byte"
        assert len(behind) < _SEVERAL or any(behind), f"{len(behind)} failovers, and none lost a byte"
    faults: Counter[str] = sum((gremlin.done for gremlin in gremlins), Counter())
    seconds = time.monotonic() - began_s
    return Verdict(outcome.users, campaign.events, outcome.changes, letters, faults, cuts, behind, seconds)


def _disk(stack: ExitStack, folder: Path, say: Say) -> Disk:
    disk = Disk(folder)
    stack.enter_context(disk.mounted())
    if not disk.can_fill:
        say(f"no full disks: nothing can be mounted at {folder}")
    return disk


def _servers(stack: ExitStack, campaign: Campaign, disk: Disk, say: Say) -> Servers | ClusterServers:
    """Start Kafka and Redis; if the campaign fails, keep Redis's files."""
    kafka = stack.enter_context(LocalKafka())
    random, repair = Random(f"{campaign.seed} servers"), campaign.remakes
    servers: Servers | ClusterServers
    if campaign.cluster:
        cluster = stack.enter_context(LocalCluster(disk.folder, repair=repair))
        lanes = [f"{{{lane}}}" for lane in range(PARTITIONS)]
        servers = ClusterServers(kafka, cluster, lanes, random, keeps_states=repair)
    else:
        store = stack.enter_context(Standby(disk.folder / "first", repair=repair))
        servers = Servers(kafka, store, disk, random, keeps_states=repair)
    stack.callback(servers.close)
    stack.push(lambda kind, *_: keep_files(servers.store, say) if kind is not None else None)
    return servers


def _feed(deployment: Deployment, campaign: Campaign, past: Past) -> Feed:
    """Return the producers; they also send a part of the warehouse's facts again."""
    again = [*chain.from_iterable(past.facts.values())][::_OVERLAP]
    events: Iterator[Event | BadRecord] = chain(
        again, records(Random(f"{campaign.seed} events"), campaign.events)
    )
    strays = Random(f"{campaign.seed} strays")
    return Feed(
        deployment.bootstrap,
        deployment.topics,
        with_strays(events, strays, deployment.partitions, rekey=campaign.rekey),
        campaign.pace,
        partitions=deployment.partitions,
    )


def keep_files(store: LocalRedis | LocalCluster, say: Say) -> None:
    """Copy Redis's files and log to a folder that outlives the campaign."""
    kept = Path(tempfile.mkdtemp(prefix="segue-chaos-redis-"))
    store.kill()
    shutil.copytree(store.directory, kept, dirs_exist_ok=True)
    say(f"Redis's files are kept in {kept}")


def _gremlins(
    campaign: Campaign,
    servers: Servers | ClusterServers,
    workers: Workers,
    publisher: Publisher,
    rebuilds: Rebuilds,
    say: Say,
) -> Sequence[Gremlin]:
    switches = campaign.faults // _FAULTS_A_RELEASE
    moves = campaign.faults // _FAULTS_A_REBUILD
    on_servers = (campaign.faults - switches - moves) // 2
    on_workers = campaign.faults - switches - moves - on_servers
    seed = campaign.seed
    return [
        Gremlin(servers.kinds, on_servers, _BETWEEN_S, Random(f"{seed} on servers"), say),
        Gremlin(workers.kinds, on_workers, _BETWEEN_S, Random(f"{seed} on workers"), say),
        Gremlin(publisher.kinds, switches, _BETWEEN_RELEASES_S, Random(f"{seed} on releases"), say),
        Gremlin(rebuilds.kinds, moves, _BETWEEN_REBUILDS_S, Random(f"{seed} on rebuilds"), say),
    ]


def _begun(deployment: Deployment, campaign: Campaign, say: Say) -> Past:
    """Bootstrap from a warehouse, after sending a part of its facts to Kafka."""
    facts = past_facts(Random(f"{campaign.seed} past"), campaign.events // _EVENTS_A_PAST_USER)
    create_topics({"bootstrap.servers": deployment.bootstrap}, deployment.topics, deployment.partitions)
    sent = Feed(deployment.bootstrap, deployment.topics, facts[: len(facts) // _OVERLAP], _UNPACED)
    sent.start()
    sent.finish()
    return bootstrapped(
        deployment, facts, deployment.folder / "warehouse", Random(f"{campaign.seed} bootstrap"), say
    )


def _until_over(feed: Feed, gremlins: Sequence[Gremlin], rebuilds: Rebuilds, say: Say) -> None:
    said = 0
    while not feed.done or any(gremlin.active for gremlin in gremlins):
        time.sleep(1)
        rebuilds.rebuild_if_asked()
        for gremlin in gremlins:
            assert gremlin.failure is None, gremlin.failure
        if feed.sent - said >= 25_000:
            said = feed.sent
            say(f"{feed.sent:,} events sent")
    for gremlin in gremlins:
        assert gremlin.failure is None, gremlin.failure


def _verified(
    deployment: Deployment,
    feed: Feed,
    releases: Sequence[Path],
    campaign: Campaign,
    past: Past,
    remakes: Remakes,
) -> tuple[Outcome, int]:
    """Check every user, every change and every dead letter; return the outcome and the count of letters."""
    activations = deployment.activations()
    by_version = {release.name: release for release in releases}
    facts = {
        user_id: [*past.of(user_id), *feed.facts.get(user_id, ())] for user_id in {*past.facts, *feed.facts}
    }
    right = expected_users(
        facts,
        by_version[activations[-1][1]],
        campaign.exclude,
        min_margin=campaign.min_margin,
        present=present_segments(deployment),
    )
    outcome = deployment.verified(right, facts.keys() - right.keys())
    pipelines = {version: pipeline_of(release) for version, release in by_version.items()}
    explained = check_chains(
        histories(deployment, feed.written, past, remakes),
        [(offset, pipelines[version]) for offset, version in activations],
        campaign.exclude,
        campaign.min_margin,
    )
    told = outcome.changes + len(bootstrap_records(deployment))
    assert explained == told, f"{told} changes are told, {explained} of them explained"
    letters = check_letters(
        deployment.bootstrap, deployment.topics.dead_letters, feed.letters, remakes.log, remakes.origin
    )
    return outcome, letters
