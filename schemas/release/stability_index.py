"""How much a feature's distribution has changed: the population stability index, over given bins.

The index (PSI) is the sum of (q - p) ln(q / p) over bins. p is a bin's share before, q its share now. Siddiqi
("Credit Risk Scorecards", 2006) calls 0.1 a shift worth a look.

By chance alone the index is near (1 / n + 1 / m) times a constant of the bins, for n users now and m before
(Yurdakul, "Statistical Properties of Population Stability Index", 2018). So an index counts as drift only
above the index of chance.

The trainer and the workers use these functions.
"""

from collections.abc import Sequence
from math import log

BINS = 20
"""The most bins of a feature: with more bins, chance alone gives a higher index."""
NOTABLE = 0.1
"""The least index that counts as drift."""
SAMPLE = 5_000
"""How many users of today are compared with the training users; fewer if there are fewer."""
REST = "all others"
"""The bin of all values without a bin of their own."""


def psi(before: Sequence[int], now: Sequence[int]) -> float:
    """Return the index of two samples; both sequences count users by bin.

    Half a user is added to each bin, so that the index is finite.

    >>> psi([3, 7], [3, 7])
    0.0
    >>> round(psi([1000, 1000], [500, 1500]), 3)
    0.274
    """
    then, today = sum(before) + len(before) / 2, sum(now) + len(now) / 2
    total = 0.0
    for was, is_ in zip(before, now, strict=True):
        p, q = (was + 0.5) / then, (is_ + 0.5) / today
        total += (q - p) * log(q / p)
    return total


def threshold_of(chance: float) -> float:
    """Return the index above which a feature has drifted, from the index of chance alone."""
    return max(chance, NOTABLE)


def chance_of(chance: float, users: int, before: int) -> float:
    """Return the index of chance alone for another number of users today.

    Args:
        chance: the index of chance between ``before`` users and :data:`SAMPLE` users.
        users: how many users are compared today; at least 1.
        before: the number of training users.

    >>> chance_of(0.01, 5_000, 20_000)
    0.01
    >>> round(chance_of(0.01, 50, 10**9), 3)
    1.0
    """
    if users == SAMPLE:
        return chance
    return chance * (1 / users + 1 / before) / (1 / SAMPLE + 1 / before)
