"""Measures the time from an event to its change, for Segue and a bare round trip (`make bench-latency`)."""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.latency.measure_latency import Latency, measure_latency
from benchmarks.rounds.fill_shop import fill_shop
from benchmarks.rounds.known_ways import PARTITIONS, SEGUE, Way
from benchmarks.rounds.measure_run import Site, measure_run
from benchmarks.rounds.write_models import write_models
from benchmarks.stage.bench_servers import bench_servers
from benchmarks.stage.bench_topics import make_topics
from benchmarks.stage.shop_events import past_of, steady
from benchmarks.thelook import fitted, release
from schemas.topics import Topics

_USERS = 2_000
_BACKLOG = 6_000
_WORKER = Way(SEGUE, "own", None)
_ROUND_TRIP = Way("bare round trip", "own", "benchmarks.ways.consume_commit")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument(
        "--seconds", type=int, default=20, help="how long each rate lasts; default: %(default)s"
    )
    options = parser.parse_args()
    if not 3 <= options.seconds <= 600:
        parser.error(f"--seconds {options.seconds} is not from 3 to 600")
    _measure(options.seconds)


def _measure(seconds: int) -> None:
    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="segue-bench-") as scratch, bench_servers(say) as servers:
        folder = Path(scratch)
        write_models(fitted(), folder)
        sites = {}
        for way, prefix in ((_WORKER, "segue."), (_ROUND_TRIP, "bare.")):
            (folder / prefix).mkdir()
            sites[way.name] = Site(prefix, prefix, folder / prefix)
            make_topics(servers, Topics(prefix), PARTITIONS, release(fitted()))
        say(f"filling a shop of {_USERS:,} users")
        fill_shop(servers, _WORKER, sites[SEGUE], past_of(_USERS))
        backlog = steady(_BACKLOG, 0, _USERS)
        alone = 1 / measure_run(servers, _WORKER, sites[SEGUE], backlog).each.wall_s
        print(f"Segue applies a backlog at {alone:,.0f} events a second on this machine, now.")
        # The load and the reader take their share of the cores, so a backlog's rate cannot be kept up.
        beside = steady(round(alone * seconds), 4, _USERS)
        most = measure_latency(servers, _WORKER, sites[SEGUE], beside, alone).rate
        print(f"Beside this load and its reader it keeps up {most:,.0f} events a second.")
        print("Milliseconds from the time of an event to a reader of committed changes:\n")
        print(f"{'rate':>16} {'':16} {'p50':>7} {'p99':>7} {'p99.9':>7} {'changes':>8} {'load late p99':>14}")
        for number, (name, rate) in enumerate((("100/s", 100.0), ("half", most / 2), ("90%", most * 0.9))):
            lines = steady(round(rate * seconds), number + 1, _USERS)
            for way in (_WORKER, _ROUND_TRIP):
                latency = measure_latency(servers, way, sites[way.name], lines, rate)
                print(f"{name:>7} {rate:6,.0f}/s {way.name:16} {_cells(latency)}", flush=True)


def _cells(latency: Latency) -> str:
    percentiles = " ".join(f"{each:7,.1f}" for each in (latency.p50, latency.p99, latency.p999))
    return f"{percentiles} {latency.changes:8,} {latency.late_p99:14,.1f}"
