"""`python -m tests.campaigns.simulation`: run many seeds, or one seed step by step."""

import argparse
import os
import sys
import time

from tests.campaigns.simulation.campaign import run_seeds
from tests.campaigns.simulation.planted import PLANTS
from tests.campaigns.simulation.seed import run_seed

_EVERY_S = 10.0


def main() -> int:
    """Run the campaign or one seed; return the exit code: 1 if a promise is broken."""
    options = _options()
    if options.seed is not None:
        return _one(options.seed, options.plant, trace=options.trace)
    seeds = range(options.first, options.first + options.seeds)
    return _campaign(seeds, options.processes, options.plant)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.campaigns.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100_000, help="how many (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="default: one for each core")
    parser.add_argument("--seed", type=int, help="run this one alone")
    parser.add_argument("--trace", action="store_true", help="with --seed: print every step")
    parser.add_argument("--plant", choices=PLANTS, default="nothing", help="break the lane on purpose")
    return parser.parse_args()


def _one(seed: int, plant: str, *, trace: bool) -> int:
    try:
        run_seed(seed, plant, print if trace else None)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - the simulation looks for any error that ends a worker
        print(f"seed {seed}: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(f"seed {seed}: every promise holds")
    return 0


def _campaign(seeds: range, processes: int, plant: str) -> int:
    began_s = said_s = time.monotonic()
    for seed, failure in run_seeds(seeds, processes, plant):
        if failure is not None:
            rerun = f"python -m tests.campaigns.simulation --seed {seed} --trace" + (
                "" if plant == "nothing" else f" --plant {plant}"
            )
            print(f"\nseed {seed}: {failure}\nstep by step: {rerun}", file=sys.stderr)
            return 1
        if time.monotonic() - said_s >= _EVERY_S:
            said_s = time.monotonic()
            print(f"{seed + 1 - seeds.start:,} of {len(seeds):,} seeds", file=sys.stderr, flush=True)
    print(f"{len(seeds):,} seeds in {time.monotonic() - began_s:.0f} s: every promise holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
