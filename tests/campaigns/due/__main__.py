"""`python -m tests.campaigns.due`: a million users are due on one day, while live events go on."""

from __future__ import annotations

import argparse
import sys
import time

from tests.campaigns.due.campaign import Measured, run
from tests.support.servers.deployment import WorkerEnded

MOST_TIMES = 2.0
"""How many times the usual p99 the p99 of live events may be while users are decided."""


def main() -> int:
    """Run the campaign; return 1 if the live events wait too long, else 0."""
    parser = argparse.ArgumentParser("python -m tests.campaigns.due", description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000, help="default: %(default)s")
    parser.add_argument("--rate", type=float, default=50.0, help="live events a second; default: %(default)s")
    parser.add_argument(
        "--usual", type=float, default=30.0, help="seconds before the day; default: %(default)s"
    )
    parser.add_argument("--pace", type=int, default=1_000, help="sweep_per_s; default: %(default)s")
    options = parser.parse_args()
    began_s = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began_s:7.1f} s  {text}", file=sys.stderr, flush=True)

    try:
        measured = run(options.users, options.rate, options.usual, options.pace, say)
    except (AssertionError, WorkerEnded) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return _tell(measured)


def _tell(measured: Measured) -> int:
    usual_s, while_s = quantile(measured.usual_s, 0.99), quantile(measured.waits_s, 0.99)
    per_s, per_cpu_s = measured.users / measured.seconds, measured.users / measured.cpu_s
    print(
        f"{measured.users:,} users decided in {measured.seconds:,.0f} s: {per_s:,.0f} a second,"
        f" {per_cpu_s:,.0f} for each second of the worker's processor time"
    )
    for name, waits_s in (("nobody is due", measured.usual_s), ("they are decided", measured.waits_s)):
        p50, p99 = quantile(waits_s, 0.5), quantile(waits_s, 0.99)
        print(
            f"live events while {name}: p50 {1e3 * p50:,.0f} ms, p99 {1e3 * p99:,.0f} ms of {len(waits_s):,}"
        )
    print(f"p99, ratio: {while_s / usual_s:.2f}")
    if while_s > MOST_TIMES * usual_s:
        print(f"Error: the live p99 is more than {MOST_TIMES:g} times the usual", file=sys.stderr)
        return 1
    return 0


def quantile(waits_s: list[float], share: float) -> float:
    """Return the wait that this share of the events does not exceed."""
    return sorted(waits_s)[min(int(share * len(waits_s)), len(waits_s) - 1)]


if __name__ == "__main__":
    sys.exit(main())
