"""Fill a worker and measure its rate; then send events at half that rate for a long time, and watch."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.resources import files
from itertools import islice
from pathlib import Path
from random import Random

from segue.services import LocalKafka, LocalRedis
from tests.campaigns.chaos.customers import records
from tests.campaigns.chaos.feed import Feed
from tests.campaigns.refill.lanes import wait_until_applied
from tests.campaigns.soak.gauges import Reading, read
from tests.campaigns.soak.judge import Verdict, judge
from tests.support.servers.deployment import Deployment, trained

Say = Callable[[str], None]

_THELOOK = Path(str(files("segue"))) / "data" / "thelook"
_USERS = 2_000
_FILL = 60_000  # with at most 12 orders a user, the states are about full after these events
_UNPACED = 1e9
_LOOKS = 60
_WARM = 0.2  # the share of the time in which pools, caches and the allocator settle
_KEPT_UP = 0.9  # the least share of the events to be sent: with less, the worker was not at half load
_DRAINED_S = 300.0


def run(seconds: float, say: Say) -> Verdict:
    """Soak for so many seconds; return the verdict.

    Raises:
        AssertionError: something grew; the message says what.
        tests.support.servers.deployment.WorkerEnded: the worker ended by itself.
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
        deployment.caught_up()
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
        sent, wanted = feed.sent, round(rate * seconds)
        assert sent >= _KEPT_UP * wanted, f"only {sent:,} of {wanted:,} events were sent in the time"
        feed.finish()
        wait_until_applied(deployment, worker, deployment.redis_prefix, _DRAINED_S, say)
    return judge(rate, readings[round(_WARM * _LOOKS) :])


def _told(reading: Reading) -> str:
    return (
        f"{reading.rss_mb:.1f} MB, {reading.handles} file handles, lag {reading.lag:,}, "
        f"{reading.users:,} users and {reading.other_keys} other keys"
    )
