"""One campaign: servers, workers, producers and gremlins; then the verdict over every user."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from random import Random

from schemas.events import Event
from segue.services import LocalKafka, LocalRedis
from tests.chaos.customers import records
from tests.chaos.faults import Servers, Workers
from tests.chaos.feed import Feed
from tests.chaos.gremlin import Gremlin, Say
from tests.deployment import Deployment, trained
from tests.verify import Expected, Outcome, expected_users, read_topic, verify

_THELOOK = Path(str(files("segue"))) / "data" / "thelook"
_FAULT_S = 8.0  # about what one fault takes, the time until the next included
_BETWEEN_S = (0.5, 4.0)
_CATCH_UP_S = 900.0


@dataclass(frozen=True, slots=True)
class Campaign:
    """How much of everything.

    Attributes:
        seed: decides the events and the faults.
        rate: events a second at most; None: so many that they last as long as the faults.
    """

    seed: int
    events: int
    faults: int
    workers: int = 3
    rate: float | None = None

    @property
    def pace(self) -> float:
        """Events a second."""
        # Half of the faults befall the servers, while the other half befall the workers.
        return self.rate or self.events / max(10.0, self.faults / 2 * _FAULT_S)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was checked, and what had happened."""

    users: int
    events: int
    changes: int
    dead_letters: int
    faults: Mapping[str, int]
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
        store = stack.enter_context(LocalRedis())
        deployment = Deployment(kafka.bootstrap, store.url, "chaos-", folder)
        release = deployment.publish(trained(_THELOOK, folder))
        workers = Workers(deployment, Random(f"{campaign.seed} workers"))
        stack.callback(deployment.close)
        workers.start(campaign.workers)
        feed = Feed(
            kafka.bootstrap,
            deployment.topics,
            records(Random(f"{campaign.seed} events"), campaign.events),
            campaign.pace,
        )
        gremlins = _gremlins(
            campaign, Servers(kafka, store, Random(f"{campaign.seed} servers")), workers, say
        )
        stack.callback(feed.stop)
        for gremlin in gremlins:
            stack.callback(gremlin.stop)
            gremlin.start()
        feed.start()
        _until_over(feed, gremlins, workers, say)
        feed.finish()
        say("the last event is sent, and the last fault mended; waiting until all is applied")
        deployment.caught_up(_CATCH_UP_S)
        workers.steady()
        outcome = _verified(deployment, feed.facts, release)
        letters = len(read_topic(kafka.bootstrap, deployment.topics.dead_letters))
        assert letters == feed.bad, f"{feed.bad} bad events, but {letters} dead letters"
    faults: Counter[str] = sum((gremlin.done for gremlin in gremlins), Counter())
    seconds = time.monotonic() - began_s
    return Verdict(outcome.users, campaign.events, outcome.changes, letters, faults, seconds)


def _gremlins(campaign: Campaign, servers: Servers, workers: Workers, say: Say) -> Sequence[Gremlin]:
    on_servers = campaign.faults // 2
    return [
        Gremlin(servers.kinds, on_servers, _BETWEEN_S, Random(f"{campaign.seed} on servers"), say),
        Gremlin(
            workers.kinds,
            campaign.faults - on_servers,
            _BETWEEN_S,
            Random(f"{campaign.seed} on workers"),
            say,
        ),
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


def _verified(deployment: Deployment, facts: Mapping[str, Sequence[Event]], release: Path) -> Outcome:
    right: Mapping[str, Expected] = expected_users(facts, release)
    gone = facts.keys() - right.keys()
    return verify(
        deployment.bootstrap, deployment.topics, deployment.redis_url, deployment.redis_prefix, right, gone
    )
