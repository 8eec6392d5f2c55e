"""Measures the parts and prints medians and ratios (`make bench-parts`)."""

from contextlib import ExitStack

from benchmarks.parts import days, neighbours, of_an_event, scoring
from benchmarks.parts.measure import RUNS
from segue.services import start_redis


def main() -> None:
    """Measure and print."""
    print(f"Medians of {RUNS} runs, both ways in turn in one process; wall time.\n")
    with ExitStack() as stack:
        store = start_redis(stack, lambda _: None, allow_install=False)
        for part in of_an_event.parts_of_an_event(store.url):
            print(part.line(), flush=True)
    with_days = days.cost_of_days()
    if isinstance(with_days, str):
        print(with_days)
    else:
        print(with_days.line())
        print(f"  so features of time make an event {1 / with_days.ratio:.2f} times as dear")
    print(scoring.one_user().line())
    print("prediction agrees with the fit's own label, thelook's training users")
    for name, share in scoring.agreement().items():
        print(f"  {name:8}{share:7.1%}")
    print(neighbours.among(20_000, scans=50).line())
    print(neighbours.among(1_000_000, scans=3).line())
