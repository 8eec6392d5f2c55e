"""Runs every way over both inputs, and prints what each used (`make bench`)."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.rounds.bench_tables import cpu_table, memory_table
from benchmarks.rounds.known_ways import WAYS, Way
from benchmarks.rounds.take_rounds import Rounds
from benchmarks.rounds.write_models import write_models
from benchmarks.stage.bench_servers import bench_servers
from benchmarks.stage.shop_events import USERS
from benchmarks.thelook import fitted, release

_MOST_EVENTS = 40_000  # the sample shop has no more events


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--events", type=int, default=8_000, help="events of a run; default: %(default)s")
    parser.add_argument("--runs", type=int, default=5, help="runs of each way; default: %(default)s")
    parser.add_argument(
        "--users", type=int, default=USERS, help="users of the steady shop; default: %(default)s"
    )
    options = parser.parse_args()
    for name, most in (("events", _MOST_EVENTS), ("runs", 100), ("users", USERS)):
        if not 1 <= getattr(options, name) <= most:
            parser.error(f"--{name} {getattr(options, name)} is not from 1 to {most:,}")
    _measure(options.events, options.runs, options.users)


def _measure(events: int, runs: int, users: int) -> None:
    began_s = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began_s:5.0f} s  {text}", file=sys.stderr, flush=True)

    ways: list[Way] = []
    for way in WAYS:
        reason = way.missing()
        if reason is None:
            ways.append(way)
        else:
            print(f"{way.name}: not run: {reason}")
    say("fitting the model")
    model = release(fitted())
    with tempfile.TemporaryDirectory(prefix="segue-bench-") as scratch, bench_servers(say) as servers:
        folder = Path(scratch)
        write_models(fitted(), folder)
        rounds = Rounds(servers, model, folder, say)
        steady = rounds.steady(ways, events, runs, users)
        empty = rounds.from_empty(ways, events, runs)
    print(
        f"Medians of {runs} {'runs' if runs > 1 else 'run'}, {events:,} events each; ratios within a round."
    )
    print(f"\nSteady: {users:,} users are known, about a third of the events changes one")
    print("\n".join(cpu_table(ways, steady)))
    print("\nFrom empty: nearly every event changes a user")
    print("\n".join(cpu_table(ways, empty)))
    print("\nSteady")
    print("\n".join(memory_table(ways, steady)))
    print("\nNot the same work:")
    for way in ways:
        if way.unlike:
            print(f"  {way.name}: {way.unlike}")
