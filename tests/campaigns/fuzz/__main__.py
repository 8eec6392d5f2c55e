"""`python -m tests.campaigns.fuzz`: send hostile and good events through a real worker."""

import argparse
import secrets
import sys
import time

from tests.campaigns.fuzz.campaign import run
from tests.support.servers.deployment import WorkerEnded


def main() -> int:
    """Run one campaign; return the exit code: 1 if a promise is broken."""
    parser = argparse.ArgumentParser("python -m tests.campaigns.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, help="decides every event; drawn and printed if unset")
    parser.add_argument(
        "--events", type=int, default=100_000, help="bad ones; as many good ones (%(default)s)"
    )
    options = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    again = f'again: make fuzz ARGS="--seed {seed} --events {options.events}"'
    began_s = time.monotonic()
    try:
        verdict = run(seed, options.events)
        seconds = time.monotonic() - began_s
        print(
            f"{verdict.bad:,} bad events of {len(verdict.kinds)} kinds, each a dead letter with a reason; "
            f"{verdict.good:,} good ones, all applied: {verdict.users:,} users right ({seconds:.0f} s)"
        )
    except (AssertionError, WorkerEnded) as error:
        print(f"seed {seed}: {error}", file=sys.stderr)
        return 1
    finally:  # even if an interrupt ends the campaign
        print(again, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
