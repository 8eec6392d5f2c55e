"""`python -m tests.campaigns.refill`: rebuild a million events beside a worker, switch, verify; then measure
the memory of commands for few users and for many.
"""

import argparse
import secrets
import sys
import time

from tests.campaigns.refill import memory
from tests.campaigns.refill.campaign import Verdict, run
from tests.support.servers.deployment import WorkerEnded


def main() -> int:
    """Run the campaign; return the exit code: 1 if a promise is broken."""
    parser = argparse.ArgumentParser("python -m tests.campaigns.refill", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="default: %(default)s")
    parser.add_argument("--seed", type=int, help="decides the events; drawn and printed if unset")
    parser.add_argument(
        "--users",
        type=int,
        nargs="+",
        default=[100_000, 1_000_000],
        help="numbers of made-up users to measure the memory with, the fewest first; default: %(default)s",
    )
    options = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    users = " ".join(map(str, options.users))
    rerun = f'make refill ARGS="--seed {seed} --events {options.events} --users {users}"'
    began_s = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began_s:7.1f} s  {text}", file=sys.stderr, flush=True)

    say(f"seed {seed}: {options.events:,} events")
    try:
        verdict = run(options.events, seed, say)
        _tell(verdict)
        say("the memory of commands over made-up users")
        memory.tell(options.users)
    except (AssertionError, WorkerEnded) as error:
        print(f"\nseed {seed}: {error}\nagain: {rerun}", file=sys.stderr)
        return 1
    print(f"again: {rerun}")
    return 0


def _tell(verdict: Verdict) -> None:
    print(
        f"segue rebuild: {verdict.events:,} events, {verdict.rebuilt_users:,} users in "
        f"{verdict.seconds:,.1f} s, {verdict.events / verdict.seconds:,.0f} events a second "
        f"({verdict.records:,} records with the decisions, {verdict.cpu_s:,.1f} s of one core, at most "
        f"{verdict.peak_mb:,.0f} MB), beside a worker that applied {verdict.meanwhile:,} more meanwhile"
    )
    print(
        f"segue verify: {verdict.users:,} users compared in {verdict.verify_s:,.1f} s, at most "
        f"{verdict.verify_peak_mb:,.0f} MB: 0 differences; {verdict.recomputed:,} of them recomputed from "
        "what was sent: 0 differences"
    )


if __name__ == "__main__":
    sys.exit(main())
