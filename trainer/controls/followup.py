"""Whether segments predict later orders: what their users bought in the next 90 days.

Users get segments by their features at a time T. Their orders in the days after T are added up. *Eta squared*
is the share of the variance between users that the segments explain (Fisher, "Statistical Methods for
Research Workers", 1925): 0 if all segments have the same mean, 1 if all users of each segment are equal. By
chance, segments without meaning have an eta squared above 0 too. So it is compared with the eta squared of
the same segments shuffled among the users.

The model was fitted to facts after T as well. But a user's features at T contain no fact from after T.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

SEED = 888
DAYS = 90
SHUFFLES = 100
LEAST_USERS = 50  # too few users with all features at T say nothing

Amounts = npt.NDArray[np.float64]
Ids = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class SegmentFollowup:
    """The later orders of one segment's users.

    Attributes:
        segment: the segment's id.
        users: the number of users in it at T.
        repeat_rate: the share of them who ordered again, 0 to 1.
        orders: orders per user.
        spend: spend per user, in the warehouse's currency; None if the warehouse has no prices.
        spend_margin: half of the 95% interval of ``spend`` (normal); None without ``spend`` or for a single
            user.
    """

    segment: int
    users: int
    repeat_rate: float
    orders: float
    spend: float | None
    spend_margin: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How well the segments explain one outcome.

    Attributes:
        outcome: ``repeat`` (0 or 1 for each user), ``orders`` or ``spend``.
        eta_squared: the eta squared of the segments.
        shuffled: the mean eta squared over SHUFFLES shuffles of the segments among the users.
        shuffled_most: the largest eta squared of these shuffles.
    """

    outcome: str
    eta_squared: float
    shuffled: float
    shuffled_most: float

    @property
    def by_chance(self) -> bool:
        """Whether random segments explain as much."""
        return self.eta_squared <= self.shuffled_most


@dataclass(frozen=True, slots=True)
class Followup:
    """The later orders of all users: those at or after ``since`` (T) and before ``until``."""

    since: datetime
    until: datetime
    users: int
    segments: tuple[SegmentFollowup, ...]
    outcomes: tuple[Outcome, ...]


def followup_of(
    since: datetime, until: datetime, labels: Ids, orders: Amounts, spend: Amounts | None
) -> Followup:
    """Compute the later orders by segment, and how well the segments explain them.

    Args:
        since: T.
        until: the end of the days after T.
        labels: each user's segment by id, shape (users,), from the features as of T.
        orders: each user's orders from ``since`` on and before ``until``, shape (users,).
        spend: the price of these orders, shape (users,); None if the warehouse has no prices.
    """
    amounts = {"repeat": (orders > 0).astype(np.float64), "orders": orders}
    if spend is not None:
        amounts["spend"] = spend
    return Followup(
        since,
        until,
        len(labels),
        tuple(_segment(int(place), labels, amounts) for place in np.unique(labels)),
        _outcomes(labels, amounts),
    )


def eta_squared(labels: Ids, amounts: Amounts) -> float:
    """The variance between segments divided by the variance between users; 0 if all users are equal."""
    centred = amounts - amounts.mean()
    total = float((centred * centred).sum())  # not `@`, whose digits depend on the number of threads
    sizes = np.bincount(labels)
    sums = np.bincount(labels, centred, len(sizes))
    between = float((sums[sizes > 0] ** 2 / sizes[sizes > 0]).sum())
    return between / total if total else 0.0


def _segment(place: int, labels: Ids, amounts: Mapping[str, Amounts]) -> SegmentFollowup:
    inside = labels == place
    size = int(inside.sum())
    spend = amounts["spend"][inside] if "spend" in amounts else None
    return SegmentFollowup(
        place,
        size,
        float(amounts["repeat"][inside].mean()),
        float(amounts["orders"][inside].mean()),
        None if spend is None else float(spend.mean()),
        None if spend is None or size < 2 else float(1.96 * spend.std(ddof=1) / np.sqrt(size)),
    )


def _outcomes(labels: Ids, amounts: Mapping[str, Amounts]) -> tuple[Outcome, ...]:
    rng = np.random.default_rng(SEED)
    dealt: dict[str, list[float]] = {outcome: [] for outcome in amounts}
    for _ in range(SHUFFLES):
        shuffled = rng.permutation(labels)
        for outcome, values in amounts.items():
            dealt[outcome].append(eta_squared(shuffled, values))
    return tuple(
        Outcome(outcome, eta_squared(labels, values), float(np.mean(dealt[outcome])), max(dealt[outcome]))
        for outcome, values in amounts.items()
    )
