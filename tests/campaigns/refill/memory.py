"""Measure the peak memory of each command over all users of a made-up shop, each in a separate process.

Reads compute the contents of Kafka, Redis and the warehouse, so the measurement has only the command's own
memory. One lane has all users, and each topic has the users in another order: the worst case.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import msgspec

from segue.config.settings import Settings
from segue.connect.redis_users import RedisUsers
from segue.refill.lane_verify import Differing, InRedis, LaneVerify, Users
from streamer.place.redis_keys import Keys
from streamer.refill.bootstrap_lanes import LaneEnds, bootstrap
from streamer.refill.rebuild_lane import LaneFiller
from streamer.refill.refold import Refold
from streamer.refill.spill import Spill
from tests.campaigns.refill.made_up import (
    CONFIG,
    MODEL,
    NOW,
    TOPICS,
    CountingStore,
    MadeUpLane,
    MadeUpLog,
    MadeUpRedis,
    Shop,
)

# With so many users a command's buffers are full, except SQLite's caches of 16 MB each.
_FULL = 100_000
_MAY_GROW_MB = 50.0


def run_bootstrap(shop: Shop) -> int:
    """Bootstrap with every user in both `user-segments` and the warehouse; return the number of users."""
    ends = LaneEnds(MadeUpLog(shop), CountingStore(), dict.fromkeys(TOPICS.inputs, 0))
    filled = bootstrap(
        {0: ends},
        shop.facts(),
        NOW,
        MODEL,
        CONFIG,
        clock=lambda: NOW,
        writer="bootstrap 1",
        announce=lambda: None,
        progress=lambda _: None,
    )
    return filled.users


def run_rebuild(shop: Shop) -> int:
    """Rebuild a lane with all users; return their number."""
    filler = LaneFiller(0, CountingStore(), MODEL, CONFIG, "rebuild 1", anew=False)
    filler.look()
    filler.check(again=filler.unfinished)
    filler.begin()
    with closing(_past(shop)) as past:
        users = filler.fill(past.states, past.positions, {}, lambda _: None)
    filler.check_count()
    return users


def run_verify(shop: Shop) -> int:
    """Verify a lane with all users; check that no user differs, and return their number."""
    users, differing = compared(shop, MadeUpLane(shop))
    assert differing == 0, f"{differing:,} users differ"
    return users


def compared(shop: Shop, lane: InRedis) -> tuple[int, int]:
    """Compare all users with Redis; return the number of compared and of differing users."""
    with closing(Spill()) as spill, closing(_past(shop)) as past, _redis_users(shop) as redis:
        in_redis, differing = spill.shelf(), Differing(spill.shelf())
        for user_ids in redis.scanned():
            in_redis.add(user_ids)
        verify = LaneVerify(past, lane, lambda *_: MODEL, CONFIG.rules, lambda _: None)
        verify.compare(Users(in_redis, past.states), differing)
        return verify.users, len(differing)


def run_user_all(shop: Shop) -> int:
    """Run `segue user --all`; return the number of users."""
    with _redis_users(shop) as redis:
        return sum(1 for _ in redis.all_cards())


COMMANDS: Mapping[str, Callable[[Shop], int]] = {
    "bootstrap": run_bootstrap,
    "rebuild": run_rebuild,
    "verify": run_verify,
    "user --all": run_user_all,
}


def _past(shop: Shop) -> Refold:
    past = Refold(MadeUpLog(shop), CONFIG, dict.fromkeys((*TOPICS.inputs, TOPICS.users), 0))
    past.go_to(shop.place.positions)
    return past


def _redis_users(shop: Shop) -> RedisUsers:
    settings = Settings()
    made_up = cast(Any, MadeUpRedis(shop, Keys(settings.redis_prefix)))
    with patch("segue.connect.redis_users.connect", return_value=made_up):
        return RedisUsers(settings)


@dataclass(frozen=True, slots=True)
class Measured:
    """A run: its users, its CPU seconds, and the peak memory of its process."""

    users: int
    cpu_s: float
    peak_mb: float


def measured(command: str, users: int) -> Measured:
    """Run a command in a separate process; return its measurements.

    Raises:
        AssertionError: the command failed, or missed a user.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.campaigns.refill.memory", command, str(users)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command} of {users:,} users: {done.stderr}"
    found = msgspec.json.decode(done.stdout, type=Measured)
    assert found.users == users, f"{command} has come to {found.users:,} of {users:,} users"
    return found


def _run_here(command: str, users: int) -> Measured:
    found = COMMANDS[command](Shop(users))
    return Measured(found, time.process_time(), _peak_mb())


def _peak_mb() -> float:
    """Return the kernel's peak memory of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1_024


def tell(sizes: Sequence[int]) -> None:
    """Print the peak memory of each command.

    Raises:
        AssertionError: a command failed, or its memory grows with the users once its buffers are full.
    """
    for command in COMMANDS:
        runs = [measured(command, users) for users in sizes]
        told = (
            f"{run.peak_mb:,.0f} MB of {run.users:,} users ({run.cpu_s:,.1f} s of one core)" for run in runs
        )
        print(f"segue {command}: at most {', '.join(told)}", flush=True)
        full = [run.peak_mb for run in runs if run.users >= _FULL]
        grown = max(full, default=0.0) - min(full, default=0.0)
        assert grown <= _MAY_GROW_MB, f"segue {command} takes {grown:,.0f} MB more of more users"


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(_run_here(sys.argv[1], int(sys.argv[2]))))
