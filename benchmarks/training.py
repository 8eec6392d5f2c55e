"""Measures `segue train` against the article's script, on the same files (`make bench-train`).

Each run is a separate process. The system measures its wall time, CPU time and peak memory. The two do not do
the same work: `segue train` also evaluates k, the encodings and the stability of the segments, and writes a
release. The article's script prints a table for each cluster.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.run_bench import run_bench

USERS = (20_000, 100_000, 1_000_000)
_MANY = 500_000  # from this number of users on, each way runs only once


@dataclass(frozen=True, slots=True)
class Run:
    """Medians of several runs: wall and CPU seconds, and the peak memory in megabytes (10**6 bytes)."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Size:
    """The results of both ways over one shop."""

    users: int
    runs: int
    segue: Run
    article: Run


@dataclass(frozen=True, slots=True)
class Growth:
    """The exponent of ``users`` in each figure: 1 if the figure doubles with the users; nan for a single
    size.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float


def measure(users: int, runs: int) -> Size:
    """Run both ways in turn, so that a machine that slows down slows both."""
    with tempfile.TemporaryDirectory() as scratch:
        shop = Path(scratch) / "shop"
        run("benchmarks.shop", str(users), str(shop))
        out = str(Path(scratch) / "releases")
        train = ("segue", "train", "--warehouse", str(shop), "--out", out, "--current", "none")
        taken: tuple[list[Run], list[Run]] = ([], [])
        for _ in range(runs):
            taken[0].append(run(*train))
            taken[1].append(run("benchmarks.article", str(shop)))
    return Size(users, runs, _median(taken[0]), _median(taken[1]))


def growth(users: Sequence[int], runs: Sequence[Run]) -> Growth:
    """The exponents: slopes of a least-squares line through the logarithms."""
    if len(users) < 2:
        return Growth(*[math.nan] * 3)
    return Growth(
        _exponent(users, [run.seconds for run in runs]),
        _exponent(users, [run.cpu_seconds for run in runs]),
        _exponent(users, [run.peak_mb for run in runs]),
    )


def _exponent(users: Sequence[int], values: Sequence[float]) -> float:
    logs = [[math.log(each) for each in series] for series in (users, values)]
    return statistics.linear_regression(*logs).slope


def run(module: str, *arguments: str) -> Run:
    """Run a module in a separate process.

    Raises:
        CalledProcessError: the module failed; its output was copied to standard error.
    """
    command = [sys.executable, "-m", module, *arguments]
    began = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            sys.stderr.write(output.read().decode())
            raise subprocess.CalledProcessError(process.returncode, command)
    # Linux reports the peak memory in kibibytes.
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


def _median(runs: Sequence[Run]) -> Run:
    return Run(
        statistics.median(run.seconds for run in runs),
        statistics.median(run.cpu_seconds for run in runs),
        statistics.median(run.peak_mb for run in runs),
    )


def _table(sizes: Sequence[Size], ours: Growth, theirs: Growth) -> Table:
    table = Table("users", "runs", title="segue train beside the article's script")
    for title in ("segue s", "CPU s", "MB", "article s", "CPU s", "MB"):
        table.add_column(title, justify="right")
    for size in sizes:
        table.add_row(f"{size.users:,}", str(size.runs), *_cells(size.segue, 1), *_cells(size.article, 1))
    table.add_row("exponent", "", *_cells(ours, 2), *_cells(theirs, 2))
    return table


def _cells(figures: Run | Growth, digits: int) -> list[str]:
    return [f"{figure:,.{digits}f}" for figure in (figures.seconds, figures.cpu_seconds, figures.peak_mb)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument(
        "--users", type=int, nargs="+", default=USERS, help="numbers of users, one shop for each"
    )
    parser.add_argument(
        "--runs", type=int, default=3, help=f"runs of each way; one run from {_MANY:,} users on"
    )
    parser.add_argument("--json", action="store_true", help="write the figures as JSON to standard output")
    options = parser.parse_args()
    progress = Console(stderr=True)
    sizes = []
    for users in options.users:
        progress.print(f"{users:,} users…")
        sizes.append(measure(users, 1 if users >= _MANY else options.runs))
    ours = growth(options.users, [size.segue for size in sizes])
    theirs = growth(options.users, [size.article for size in sizes])
    if options.json:
        result = {
            "sizes": [asdict(size) for size in sizes],
            "exponents": {"segue": asdict(ours), "article": asdict(theirs)},
        }
        print(json.dumps(result, indent=2))
    else:
        Console().print(_table(sizes, ours, theirs))


if __name__ == "__main__":
    run_bench("benchmarks.training")
