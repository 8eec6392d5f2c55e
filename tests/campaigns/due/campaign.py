"""Fill Redis with users who are due on one day, let the day begin, and measure the live events meanwhile."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from itertools import cycle, islice
from pathlib import Path

from msgspec.structs import replace

from schemas.features import RFM
from schemas.input_events import Item, Order
from schemas.partitioner import partition_of
from schemas.release.model_release import ModelRelease
from segue.services import LocalKafka, LocalRedis
from streamer.place import place as places
from streamer.redis.redis_store import RedisStore
from streamer.segment.active_model import ActiveModel
from streamer.segment.scoring import Scorer
from tests.campaigns.days.dated_servers import DatedServers
from tests.campaigns.due.live_events import LiveEvents
from tests.campaigns.due.made_up_due import an_rfm_release, due_kinds, of_kind
from tests.support.servers.deployment import WorkerProcess
from tests.support.servers.services import eventually

Say = Callable[[str], None]

DAY = date(2024, 6, 1)
_BEFORE = DAY - timedelta(days=1)
_A_SAVE = 1_000
_WARM_EVENTS = 200
_LANES = 2
_DEADLINE_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured.

    Attributes:
        users: the users who were due.
        seconds: how long it took to decide them all.
        cpu_s: the worker's processor time meanwhile, the live events included.
        usual_s: the waits of events while nobody was due.
        waits_s: the waits of events while the users were decided.
    """

    users: int
    seconds: float
    cpu_s: float
    usual_s: list[float]
    waits_s: list[float]


def run(users: int, rate: float, usual_s: float, pace: int, say: Say) -> Measured:
    """Measure a day on which so many users are due.

    Args:
        users: how many users are due.
        rate: the live events a second.
        usual_s: the seconds of live events before the day begins.
        pace: the setting ``sweep_per_s``.
        say: receives what is done.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="segue-due-")))
        kafka, store = stack.enter_context(LocalKafka()), stack.enter_context(LocalRedis())
        settings = {"SEGUE_SWEEP_PER_S": str(pace)}
        servers = DatedServers(
            kafka.bootstrap, store.url, "due-", folder, RFM, partitions=_LANES, settings=settings
        )
        stack.callback(servers.deployment.close)
        release = an_rfm_release()
        servers.set_day(_BEFORE)
        servers.deployment.announce(release)
        # The first worker makes the places. The users are written while no worker runs.
        worker = servers.deployment.worker()
        eventually(lambda: None not in servers.deployment.places(), "every lane has a place")
        worker.stop()
        say(f"writing {users:,} users to Redis")
        for lane in range(_LANES):
            _fill(servers, lane, users, release)
        worker = servers.deployment.worker().ready()
        with LiveEvents(servers.deployment, rate, _live_order) as live:
            eventually(lambda: len(live.waits_s) >= _WARM_EVENTS, "the first events are decided")
            say(f"{rate:,.0f} live events a second, and nobody is due")
            first = len(live.waits_s)
            time.sleep(usual_s)
            begins = len(live.waits_s)
            servers.set_day(DAY)
            left = servers.left()
            assert left >= users, f"{left:,} users are due, and {users:,} were written"
            say(f"the day begins, on which {users:,} users are due")
            began_s, cpu_s = time.monotonic(), _cpu_s(worker)
            servers.day_decided(deadline_s=_DEADLINE_S)
            seconds, cpu_s = time.monotonic() - began_s, _cpu_s(worker) - cpu_s
            waits = list(live.waits_s)
        return Measured(users, seconds, cpu_s, waits[first:begins], waits[begins:])


def _fill(servers: DatedServers, lane: int, users: int, release: ModelRelease) -> None:
    """Write the lane's share of the users, and their number in its place."""
    deployment = servers.deployment
    with closing(RedisStore(deployment.redis_url, lane, deployment.redis_prefix)) as store:
        place = store.follow()
        assert place is not None
        held = places.decode(place)
        sweep = held.sweep
        model = ActiveModel(release, Scorer(release), sweep.activation, sweep.models_topic, sweep.at)
        kinds = due_kinds(model, sweep, DAY)
        ids = (f"due {number}" for number in range(users))
        ours = [user_id for user_id in ids if partition_of(user_id, _LANES) == lane]
        counted = places.encode(replace(held, users=held.users + len(ours)))
        writes = (of_kind(kind, user_id) for kind, user_id in zip(cycle(kinds), ours))
        while some := list(islice(writes, _A_SAVE)):
            assert store.save(place, place, some)
        assert store.save(place, counted, [])


def _live_order(user_id: str) -> Order:
    """An order of the day before, so that it is a fact on both days."""
    return Order(user_id, f"{user_id}-1", datetime.combine(_BEFORE, time_of_day(9), UTC), (Item(price=20.0),))


def _cpu_s(worker: WorkerProcess) -> float:
    """The processor time of a worker so far, in seconds."""
    fields = Path(f"/proc/{worker.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
