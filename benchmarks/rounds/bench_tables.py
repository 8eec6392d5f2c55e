"""What `make bench` prints: three tables of at most 80 columns."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

from benchmarks.rounds.compare_users import compare_users
from benchmarks.rounds.known_ways import SEGUE, Way
from benchmarks.rounds.measure_run import Figures
from benchmarks.rounds.take_rounds import Taken

_NAME = 18
_HEAD = f"{'':{_NAME}} {'way':>7} {'Redis':>7} {'Kafka':>7} {'all':>7} {'wall':>7} {'way':>7} {'all':>6}"
_TITLE = f"{'':{_NAME}} {'µs for each event: CPU of':>31} {'':>7} {'/ Segue':>14}"


def cpu_table(ways: Sequence[Way], taken: Mapping[str, Taken]) -> list[str]:
    """The CPU time and the wall time for each event, and both sums divided by Segue's of the same round."""
    ours = taken[SEGUE].figures
    lines = [_TITLE, _HEAD]
    for way in ways:
        mine = taken[way.name]
        if mine.failed is not None:
            lines.append(f"{way.name:{_NAME}} not run: {mine.failed}")
            continue
        micros = [_median(mine.figures, of) * 1e6 for of in (_way, _redis, _kafka, _all, _wall)]
        ratios = [_ratio(mine.figures, ours, of) for of in (_way, _all)]
        cells = [f"{figure:7,.0f}" for figure in micros] + [f"{ratios[0]:7.2f}", f"{ratios[1]:6.2f}"]
        lines.append(f"{way.name:{_NAME}} {' '.join(cells)}")
    return lines


def memory_table(ways: Sequence[Way], steady: Mapping[str, Taken]) -> list[str]:
    """Peak memory, what Redis does and holds, and whether the results agree; over the steady input."""
    lines = [
        f"{'':{_NAME}} {'peak':>6} {'Redis':>9} {'Redis':>6}",
        f"{'':{_NAME}} {'MB':>6} {'calls/ev.':>9} {'B/user':>6}  results",
    ]
    for way in ways:
        mine = steady[way.name]
        if mine.failed is not None:
            continue
        calls = statistics.median(run.each.redis_commands for run in mine.figures)
        peak = statistics.median(run.peak_mb for run in mine.figures)
        lines.append(
            f"{way.name:{_NAME}} {peak:6,.0f} {calls:9.2f} {mine.redis_bytes:6,.0f}"
            f"  {_agreement(way, steady)}"
        )
    return lines


def _agreement(way: Way, taken: Mapping[str, Taken]) -> str:
    mine, ours = taken[way.name], taken[SEGUE]
    if way.name == SEGUE:
        return f"{mine.results.changes:,} changes in all"
    if mine.events != ours.events:
        return f"not compared: {mine.events:,} events a run"
    return compare_users(mine.results, ours.results)


def _way(run: Figures) -> float:
    return run.each.way_s


def _redis(run: Figures) -> float:
    return run.each.redis_s


def _kafka(run: Figures) -> float:
    return run.each.kafka_s


def _all(run: Figures) -> float:
    return run.each.way_s + run.each.redis_s + run.each.kafka_s


def _wall(run: Figures) -> float:
    return run.each.wall_s


def _median(runs: Sequence[Figures], of: Callable[[Figures], float]) -> float:
    return statistics.median(of(run) for run in runs)


def _ratio(mine: Sequence[Figures], ours: Sequence[Figures], of: Callable[[Figures], float]) -> float:
    """The median of the ratios within each round."""
    return statistics.median(of(run) / of(our) for run, our in zip(mine, ours, strict=True))
