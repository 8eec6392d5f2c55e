"""Suggests a ``min_margin``: few flaps, while most of the users who move still move. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MARGINS = (0.0, 0.05, 0.1, 0.2)
"""The values of ``min_margin`` that a rehearsal tries."""
KEPT_REACH = 0.9
"""The share of the users who move without a margin that must still move with the suggested margin."""


@dataclass(frozen=True, slots=True)
class MarginTrial:
    """The window under one ``min_margin``.

    Attributes:
        min_margin: 0 to 1, the setting of the same name.
        flapping_users: the number of users who returned to a segment that they had left.
        flaps: the number of returns.
        moving_users: the reach: the number of users who moved at all.
    """

    min_margin: float
    flapping_users: int
    flaps: int
    moving_users: int


def suggested(trials: Sequence[MarginTrial]) -> MarginTrial:
    """Return the trial with the fewest flaps among those that keep :data:`KEPT_REACH`; first the smaller
    margin.

    >>> suggested([MarginTrial(0, 9, 12, 100), MarginTrial(0.1, 2, 2, 95), MarginTrial(0.2, 0, 0, 60)])
    MarginTrial(min_margin=0.1, flapping_users=2, flaps=2, moving_users=95)

    Args:
        trials: at least one; the first has the smallest margin.
    """
    most = KEPT_REACH * trials[0].moving_users
    return min(
        (trial for trial in trials if trial is trials[0] or trial.moving_users >= most),
        key=lambda trial: (trial.flaps, trial.min_margin),
    )
