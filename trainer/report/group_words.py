"""Words for the group that a number lies in, where the model reads groups (`quantile`)."""

from bisect import bisect_left
from collections.abc import Sequence

from trainer.report.charts.html import quantity


def group_words(borders: Sequence[float], value: float, currency: str = "") -> str:
    """Name the group of a number and its range; a number on a border is in the lower group.

    Args:
        borders: the borders of the groups, ascending; at least one.
        value: the number.
        currency: stands before amounts of money; empty for other numbers.

    >>> group_words((1.0, 3.0), 3), group_words((1.0, 3.0), 0), group_words((1.0, 3.0), 4)
    ('group 2 of 3: above 1, up to 3', 'group 1 of 3: up to 1', 'group 3 of 3: above 3')
    """
    place = bisect_left(borders, value)
    above = f"above {quantity(borders[place - 1], currency)}" if place else ""
    up_to = f"up to {quantity(borders[place], currency)}" if place < len(borders) else ""
    return f"group {place + 1} of {len(borders) + 1}: {', '.join(filter(None, (above, up_to)))}"
