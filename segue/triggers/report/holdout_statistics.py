"""Compares the users who got a trigger's webhook with those who were held out. Pure.

*Intention to treat*: every user counts in the group that the user was assigned to, whether the receiver took
the webhook or not. Only users whose days have all passed count, so that all are watched equally long.

The interval is a t interval of the difference of the means. Its standard error is the larger of two:

- the pooled error. It assumes that both groups vary equally, as a randomization test does (Fisher, "The
  Design of Experiments", 1935).
- Welch's error ("The generalization of Student's problem", 1947), for groups that vary unequally.

Neither is enough alone. Spend is skewed: a few users spend most. A small holdout without a large spender
looks poor and certain. Welch's error then finds an effect in 7 to 12 of 100 comparisons that have no effect
(thelook, 200 to 400 held out of 4,000). The pooled error is too small if the holdout varies more than the
other group. A bootstrap was hardly better than Welch's error.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import stats

from segue.triggers.report.holdout_numbers import Comparison, Difference, Group

LEAST_USERS = 100
LEAST_BUYERS = 20
"""With fewer users in a group, or fewer buyers among them, the report compares nothing."""
_LEVEL, _POWER = 0.95, 0.8

Amounts = npt.NDArray[np.float64]


def compare(orders: Amounts, spend: Amounts | None, held_out: npt.NDArray[np.bool_]) -> Comparison:
    """Compare the two groups.

    Args:
        orders: each user's orders in the days after, shape (users,).
        spend: the price of these orders, shape (users,); None if the warehouse has no prices.
        held_out: whether the user was held out, shape (users,).
    """
    groups = tuple(Group(int(each.sum()), int((orders[each] > 0).sum())) for each in (~held_out, held_out))
    treated, held = groups
    lacks = _lacks("got the webhook", treated) or _lacks("were held out", held)
    if lacks is not None:
        return Comparison(treated, held, lacks, ())
    outcomes = {"orders": orders} if spend is None else {"orders": orders, "spend": spend}
    return Comparison(
        treated,
        held,
        None,
        tuple(
            difference_of(name, amounts[~held_out], amounts[held_out]) for name, amounts in outcomes.items()
        ),
    )


def difference_of(outcome: str, treated: Amounts, held_out: Amounts) -> Difference:
    """Return the difference of the means, its interval, and the smallest effect.

    Args:
        outcome: its name.
        treated: the amounts of the users who got the webhook, shape (treated,), at least two.
        held_out: the amounts of those held out, shape (held out,), at least two.
    """
    difference = float(treated.mean() - held_out.mean())
    error, freedom = _error_of(treated, held_out)
    half = float(stats.t.ppf((1 + _LEVEL) / 2, freedom)) * error
    return Difference(
        outcome,
        float(treated.mean()),
        float(held_out.mean()),
        difference,
        difference - half,
        difference + half,
        half + float(stats.t.ppf(_POWER, freedom)) * error,
    )


def _lacks(what: str, group: Group) -> str | None:
    if group.users < LEAST_USERS:
        return f"{group.users:,} users {what} and their days have passed; {LEAST_USERS} are needed"
    if group.buyers < LEAST_BUYERS:
        return f"{group.buyers:,} of those who {what} have ordered since; {LEAST_BUYERS} are needed"
    return None


def _error_of(one: Amounts, other: Amounts) -> tuple[float, float]:
    """The standard error of the difference of the means, and its degrees of freedom."""
    sizes = (len(one), len(other))
    variances = (float(one.var(ddof=1)), float(other.var(ddof=1)))
    parts = [variance / size for variance, size in zip(variances, sizes, strict=True)]
    freedom = sum(sizes) - 2
    pooled = sum((size - 1) * variance for size, variance in zip(sizes, variances, strict=True)) / freedom
    squared = max(sum(parts), pooled * sum(1 / size for size in sizes))
    if not sum(parts):
        return math.sqrt(squared), float(freedom)
    welch = sum(parts) ** 2 / sum(part**2 / (size - 1) for part, size in zip(parts, sizes, strict=True))
    return math.sqrt(squared), welch
