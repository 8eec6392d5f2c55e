"""Judge which measurements have grown by more than chance explains. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from tests.campaigns.soak.gauges import Reading

# A burst makes larger batches, and the allocator may keep some MB, in minutes as well as in an hour.
# Over 4 minutes at 1,000 events a second 8 MB are 33 bytes an event, less than any object.
_GROWTH_MB, _GROWTH_MB_AN_HOUR = 8.0, 10.0
_HANDLES = 3
_LAG_GROWTH_S, _LAG_S = 2.0, 5.0
_FEWEST = 16  # readings: then one odd reading does not move the median of a quarter


@dataclass(frozen=True, slots=True)
class Verdict:
    """The readings after the warm-up.

    Attributes:
        rate: the sent events a second: half of the rate at which the worker applied a backlog.
        mb_an_hour: the slope of the worker's resident memory.
    """

    rate: float
    readings: Sequence[Reading]
    mb_an_hour: float


def judge(rate: float, readings: Sequence[Reading]) -> Verdict:
    """Judge the readings after the warm-up, at ``rate`` events a second.

    Raises:
        AssertionError: something grew, or too many events wait in the end.
    """
    assert len(readings) >= _FEWEST, f"{len(readings)} looks are too few to tell"
    at_s = [reading.at_s for reading in readings]
    hours = (at_s[-1] - at_s[0]) / 3_600
    rss_mb = [reading.rss_mb for reading in readings]
    _holds("memory in MB", at_s, rss_mb, max(_GROWTH_MB, _GROWTH_MB_AN_HOUR * hours))
    _holds("file handles", at_s, [reading.handles for reading in readings], _HANDLES)
    _holds("keys beyond users", at_s, [reading.other_keys for reading in readings], 0)
    lag = [reading.lag for reading in readings]
    _holds("the lag in events", at_s, lag, _LAG_GROWTH_S * rate)
    waiting = median(_last_quarter(lag))
    assert waiting <= _LAG_S * rate, f"in the end {waiting:,.0f} events wait, at {rate:,.0f} a second"
    return Verdict(rate, readings, slope(at_s, rss_mb) * 3_600)


def _holds(what: str, at_s: Sequence[float], values: Sequence[float], allowed: float) -> None:
    grown = growth(at_s, values)
    assert grown <= allowed, (
        f"{what}: grew by {grown:,.1f} in {at_s[-1] - at_s[0]:,.0f} s, {allowed:,.1f} are allowed; "
        f"{values[0]:,.1f} at first, {values[-1]:,.1f} at last"
    )


def growth(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return the growth of y over all of x; a few odd values do not count, however large.

    The result is the larger of two measures: the slope detects steady growth, and the difference of the first
    and the last quarter also detects late growth.

    >>> growth(range(8), [5, 5, 5, 5, 5, 5, 9, 9])
    4.0
    >>> growth(range(8), [5, 5, 5, 900, 5, 5, 5, 5])
    0.0
    """
    quarter = len(ys) // 4
    return float(max(slope(xs, ys) * (xs[-1] - xs[0]), median(_last_quarter(ys)) - median(ys[:quarter])))


def _last_quarter(ys: Sequence[float]) -> Sequence[float]:
    return ys[-(len(ys) // 4) :]


def slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return the growth of y for each x: the median over all pairs of points, after Theil and Sen.

    Source: P. K. Sen, *Estimates of the regression coefficient based on Kendall's tau*, 1968. The
    estimate tolerates up to 29% of wrong points.

    >>> slope([0, 1, 2, 3], [5, 7, 900, 11])
    2.0
    """
    points = zip(xs, ys, strict=True)
    return float(median((y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(points, 2)))
