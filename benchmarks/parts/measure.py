"""Measures two ways in turn, over several runs: the medians and their ratio."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

RUNS = 5


@dataclass(frozen=True, slots=True)
class Comparison:
    """Segue's way and another way to do the same: the median seconds of each; ``ratio`` is theirs / ours."""

    what: str
    ours: str
    ours_s: float
    theirs: str
    theirs_s: float

    @property
    def ratio(self) -> float:
        return self.theirs_s / self.ours_s

    def line(self) -> str:
        return (
            f"{self.what}\n  ours:   {_duration(self.ours_s)}  {self.ours}\n"
            f"  theirs: {_duration(self.theirs_s)}  {self.theirs}\n  ratio:  {self.ratio:,.2f}"
        )


def compare(
    what: str,
    ours: tuple[str, Callable[[], float]],
    theirs: tuple[str, Callable[[], float]],
    runs: int = RUNS,
) -> Comparison:
    """Run both ways in turn, so that a machine that slows down slows both.

    Args:
        what: the name of the measured work.
        ours: a name and a function that does the work and returns its seconds.
        theirs: likewise.
        runs: how often to run each way.
    """
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        taken[0].append(ours[1]())
        taken[1].append(theirs[1]())
    return Comparison(what, ours[0], statistics.median(taken[0]), theirs[0], statistics.median(taken[1]))


def seconds_each(function: Callable[[], object], times: int) -> float:
    """The wall time of one call, averaged over ``times`` calls."""
    began = time.perf_counter()
    for _ in range(times):
        function()
    return (time.perf_counter() - began) / times


def _duration(seconds: float) -> str:
    if seconds >= 1.0:
        return f"{seconds:9.2f} s "
    return f"{seconds * 1e6:9.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:9.2f} ms"
