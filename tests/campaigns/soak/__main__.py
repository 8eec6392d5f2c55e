"""`python -m tests.campaigns.soak`: watch a worker at half load for an hour."""

import argparse
import sys
import time

from tests.campaigns.soak.campaign import run
from tests.support.servers.deployment import WorkerEnded


def main() -> int:
    """Run the campaign; return the exit code: 1 if something grew."""
    parser = argparse.ArgumentParser("python -m tests.campaigns.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="default: %(default)s")
    options = parser.parse_args()
    began_s = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began_s:7.1f} s  {text}", file=sys.stderr, flush=True)

    try:
        verdict = run(60 * options.minutes, say)
    except (AssertionError, WorkerEnded) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    first, last = verdict.readings[0], verdict.readings[-1]
    print(
        f"{verdict.rate:,.0f} events a second for {options.minutes:g} minutes. After the warm-up: memory "
        f"{first.rss_mb:.1f} to {last.rss_mb:.1f} MB (slope {verdict.mb_an_hour:+.2f} MB an hour), file "
        f"handles {first.handles} to {last.handles}, keys beyond users {first.other_keys} to "
        f"{last.other_keys}, lag at most {max(r.lag for r in verdict.readings):,}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
