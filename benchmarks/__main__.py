"""Runs every benchmark and prints medians and ratios."""

import sys

from benchmarks import days, lane, neighbours, scoring
from benchmarks.measure import RUNS
from schemas.errors import SegueError


def main() -> None:
    """Print the figures that the documentation may claim."""
    print(f"medians of {RUNS} runs, both ways in turn in one process\n")
    print(scoring.one_user().line())
    print("prediction agrees with the fit's own label, thelook's training users")
    for name, share in scoring.agreement().items():
        print(f"  {name:8}{share:7.1%}")
    print(neighbours.among(20_000, scans=50).line())
    print(neighbours.among(1_000_000, scans=3).line())
    try:
        applied, with_days = lane.backlog(), days.cost_of_days()
    except SegueError as error:
        sys.exit(f"Error: {error}")
    if isinstance(applied, str):
        print(applied)
        return
    print(applied.line())
    print(f"  that is {1 / applied.ours_s:,.0f} events a second on one lane")
    if isinstance(with_days, str):
        print(with_days)
        return
    print(with_days.line())
    print(f"  so features of time make an event {1 / with_days.ratio:.2f} times as dear")


main()
