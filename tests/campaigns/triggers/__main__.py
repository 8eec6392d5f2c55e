"""`python -m tests.campaigns.triggers`: webhooks of many changes under faults, then the judgement."""

import argparse
import secrets
import sys
import time

from tests.campaigns.triggers.campaign import run


def main() -> int:
    """Run one campaign; return the exit code: 1 if a promise is broken."""
    parser = argparse.ArgumentParser("python -m tests.campaigns.triggers", description=__doc__)
    parser.add_argument("--seed", type=int, help="decides changes and faults; drawn and printed if unset")
    parser.add_argument("--changes", type=int, default=1_000_000, help="default: %(default)s")
    parser.add_argument("--faults", type=int, default=200, help="default: %(default)s")
    options = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    began_s = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began_s:7.1f} s  {text}", file=sys.stderr, flush=True)

    say(f"seed {seed}: {options.changes:,} changes, {options.faults} faults")
    try:
        verdict = run(seed, options.changes, options.faults, say)
    except AssertionError as error:
        print(f"\nseed {seed}: {error}", file=sys.stderr)
        return 1
    print(f"{options.changes:,} changes and {verdict.faults.total()} faults in {verdict.seconds:,.0f} s")
    for kind, count in sorted(verdict.faults.items()):
        print(f"  {count:4} x {kind}")
    for kind, count in sorted(verdict.counts.items()):
        print(f"  {count:9,} {kind}")
    print("none lost, none invented, in order, none sent twice by the ledger's word")
    return 0


if __name__ == "__main__":
    sys.exit(main())
