"""Measures what a console with viewers costs a worker that applies a backlog (`make bench-console`)."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.console.measure_load import Load, measure_load
from benchmarks.rounds.measure_run import Site
from benchmarks.rounds.write_models import write_models
from benchmarks.stage.bench_servers import bench_servers
from benchmarks.stage.shop_events import from_empty
from benchmarks.thelook import fitted, release

MOST_VIEWERS, MOST_EVENTS = 200, 40_000
MOST_RATIO = 1.03
"""The worker may use at most so many times the CPU that it uses alone."""


def main() -> int:
    """Measure and print; return 1 if the console costs too much, or a viewer lost a change in silence."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument("--events", type=int, default=8_000, help="events of a run; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each kind; default: %(default)s")
    parser.add_argument("--viewers", type=int, default=MOST_VIEWERS, help="default: %(default)s")
    options = parser.parse_args()
    for name, most in (("events", MOST_EVENTS), ("rounds", 100), ("viewers", MOST_VIEWERS)):
        if not 1 <= getattr(options, name) <= most:
            parser.error(f"--{name} {getattr(options, name)} is not from 1 to {most:,}")
    alone, beside = _measure(options.events, options.rounds, options.viewers)
    return _tell(options.events, alone, beside)


def _measure(events: int, rounds: int, viewers: int) -> tuple[list[Load], list[Load]]:
    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    model, lines = release(fitted()), from_empty(events)
    loads: dict[int, list[Load]] = {0: [], viewers: []}
    with tempfile.TemporaryDirectory(prefix="segue-bench-") as scratch, bench_servers(say) as servers:
        write_models(fitted(), Path(scratch))
        for number in range(rounds):
            # In turn first, so that a machine that slows down slows both sides.
            for count in (0, viewers) if number % 2 else (viewers, 0):
                say(f"round {number + 1} of {rounds}: {f'{count} viewers' if count else 'no console'}")
                name = f"round-{number}-{count}"
                folder = Path(scratch) / name
                folder.mkdir()
                site = Site(f"{name}.", f"{name}:", folder)
                loads[count].append(measure_load(servers, model, site, lines, count))
    return loads[0], loads[viewers]


def _tell(events: int, alone: Sequence[Load], beside: Sequence[Load]) -> int:
    print(f"Medians of rounds: {len(alone)}; {events:,} events each. Nearly every event changes a user.\n")
    print(f"{'':22} {'CPU µs for each event':^31} {'wall':>7}")
    print(f"{'':22} {'worker':>7} {'Redis':>7} {'Kafka':>7} {'console':>7} {'µs':>7}")
    parts: tuple[Callable[[Load], float], ...] = (
        lambda load: load.figures.each.way_s,
        lambda load: load.figures.each.redis_s,
        lambda load: load.figures.each.kafka_s,
        lambda load: load.console_s / events,
        lambda load: load.figures.each.wall_s,
    )
    for name, loads in (("worker alone", alone), ("beside the console", beside)):
        cells = [f"{statistics.median(map(part, loads)) * 1e6:7,.0f}" for part in parts]
        print(f"{name:22} {' '.join(cells)}")
    ratio = statistics.median(
        parts[0](with_it) / parts[0](without) for without, with_it in zip(alone, beside, strict=True)
    )
    print(f"\nThe worker's CPU, ratio within a round: {ratio:.3f}")
    complete, dropped = (sum(getattr(load, name) for load in beside) for name in ("complete", "dropped"))
    viewers = sum(len(load.seen) for load in beside)
    print(f"{viewers:,} viewers: {complete:,} got every change, {dropped:,} were dropped with a sentence.")
    if complete + dropped < viewers:
        print(f"Error: {viewers - complete - dropped} viewers lost changes in silence", file=sys.stderr)
        return 1
    if ratio > MOST_RATIO:
        print(f"Error: the ratio is above {MOST_RATIO}", file=sys.stderr)
        return 1
    return 0
