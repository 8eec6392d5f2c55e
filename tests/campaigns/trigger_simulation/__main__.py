import argparse
import logging
import sys
import time
from collections import Counter

import structlog

from tests.campaigns.trigger_simulation.run_series import run_series


def main() -> int:
    parser = argparse.ArgumentParser(description="Run lanes of triggers under random series of faults.")
    parser.add_argument("--runs", type=int, default=20_000, help="how many series")
    parser.add_argument("--seed", type=int, help="run only this series")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    seeds = range(asked.runs) if asked.seed is None else [asked.seed]
    happened: Counter[str] = Counter()
    began = time.monotonic()
    for seed in seeds:
        try:
            happened += run_series(seed)
        except AssertionError as error:
            print(f"series {seed} breaks a promise: {error!r}; --seed {seed} repeats it", file=sys.stderr)
            return 1
    print(f"{len(seeds):,} series in {time.monotonic() - began:.0f} s: {dict(happened)}")
    return 0


sys.exit(main())
