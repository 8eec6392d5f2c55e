"""One soak: fill, measure what a worker takes, then half of that for a long time, watching."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from pathlib import Path
from random import Random

from segue.services import LocalKafka, LocalRedis
from tests.chaos.customers import records
from tests.chaos.feed import Feed
from tests.deployment import Deployment, trained
from tests.soak.gauges import Reading, read, slope

Say = Callable[[str], None]

_THELOOK = Path(str(files("segue"))) / "data" / "thelook"
_USERS = 2_000
_FILL = 60_000  # with at most 12 orders a user the states are about full after it
_UNPACED = 1e9
_LOOKS = 60
_WARM = 0.2  # of the time: pools, caches and the allocator settle
# What may stand between two looks that differ by chance.
_GROWTH_MB, _GROWTH_SHARE, _HANDLES, _LAG_S = 10.0, 0.05, 8, 5.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was seen after the warm-up.

    Attributes:
        rate: events a second that were sent: half of what the worker took from a backlog.
        mb_an_hour: the slope of the worker's resident memory.
    """

    rate: float
    readings: Sequence[Reading]
    mb_an_hour: float


def run(seconds: float, say: Say) -> Verdict:
    """Soak for so long.

    Raises:
        AssertionError: something grew; it says what.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="segue-soak-")))
        kafka = stack.enter_context(LocalKafka())
        store = stack.enter_context(LocalRedis())
        deployment = Deployment(kafka.bootstrap, store.url, "soak-", folder)
        deployment.publish(trained(_THELOOK, folder))
        stack.callback(deployment.close)
        shop = records(Random("soak"), 10**9, users=_USERS)
        backlog = Feed(kafka.bootstrap, deployment.topics, islice(shop, _FILL), _UNPACED, remember=False)
        worker = deployment.worker().ready()
        began_s = time.monotonic()
        backlog.start()
        backlog.finish()
        deployment.caught_up(600)
        rate = _FILL / (time.monotonic() - began_s) / 2
        say(f"the worker took {2 * rate:,.0f} events a second; now {rate:,.0f} a second for {seconds:,.0f} s")
        feed = Feed(
            kafka.bootstrap, deployment.topics, islice(shop, round(rate * seconds)), rate, remember=False
        )
        stack.callback(feed.stop)
        feed.start()
        readings = []
        began_s = time.monotonic()
        for look in range(_LOOKS):
            time.sleep(max(0.0, began_s + (look + 1) * seconds / _LOOKS - time.monotonic()))
            readings.append(read(deployment, worker, time.monotonic() - began_s))
            say(_told(readings[-1]))
        feed.finish()
    return judge(rate, readings[round(_WARM * _LOOKS) :])


def judge(rate: float, readings: Sequence[Reading]) -> Verdict:
    """Weigh the readings after the warm-up.

    Raises:
        AssertionError: something grew.
    """
    first, last = readings[0], readings[-1]
    mb_a_second = slope([r.at_s for r in readings], [r.rss_mb for r in readings])
    grown_mb = mb_a_second * (last.at_s - first.at_s)
    allowed_mb = max(_GROWTH_MB, _GROWTH_SHARE * first.rss_mb)
    assert grown_mb < allowed_mb, f"memory grew by {grown_mb:.1f} MB, from {first.rss_mb:.0f} MB"
    assert last.handles <= first.handles + _HANDLES, f"file handles grew: {first.handles} to {last.handles}"
    assert last.other_keys <= first.other_keys, (
        f"keys beyond users grew: {first.other_keys} to {last.other_keys}"
    )
    waiting = min(r.lag for r in readings[-len(readings) // 4 :])
    assert waiting < _LAG_S * rate, (
        f"{waiting:,} events wait at least, at {rate:,.0f} a second: the lag grows"
    )
    return Verdict(rate, readings, mb_a_second * 3_600)


def _told(reading: Reading) -> str:
    return (
        f"{reading.rss_mb:.1f} MB, {reading.handles} file handles, lag {reading.lag:,}, "
        f"{reading.users:,} users and {reading.other_keys} other keys"
    )
