"""The first day on which a straight path surely leaves the user's segment, by one formula.

A straight path is x = start + g u, where g is the day, or how much the logarithm has grown by then. So the
function h of :mod:`streamer.segment.segment_border` is quadratic in g: h = least + 2 half g + bend g².
"""

from math import exp, hypot, isfinite, log1p, sqrt
from operator import mul

from streamer.segment.day_path import DayPath, whole_day
from streamer.segment.segment_border import ROUNDING, Border

# A path without a logarithm is so long that rounding is coarse at its end. So its near days come first.
_NEAR_DAYS = 4_096


def sure_exit(path: DayPath, border: Border, last: int) -> int | None:
    """The first day on which the user is in another segment.

    Args:
        path: a straight path, with a part.
        border: the border of the user's segment.
        last: the last day of the search.

    Returns:
        The day, from 1 on. 0 if the user surely stays up to the last day. None if rounding may decide: the
        user is near the border on day 0 or on the day found.
    """
    reached = _exit(path, border, last if path.origin is not None else min(last, _NEAR_DAYS))
    if reached == 0 and path.origin is None and last > _NEAR_DAYS:
        return _exit(path, border, last)
    return reached


def _exit(path: DayPath, border: Border, last: int) -> int | None:
    """As :func:`sure_exit`, with one tolerance for all days."""
    start, quadratic, origin = path.start, border.quadratic, path.origin
    per_unit = path.per_unit
    farthest = float(last) if origin is None else log1p(last / origin)
    reach = hypot(*start) + farthest * hypot(*per_unit)
    size = border.size + reach
    error = ROUNDING * (size + path.magnitude(last))
    tolerance = 2.0 * (quadratic * reach + border.longest) * error + ROUNDING * size * size
    start_square = across = bend = 0.0
    if quadratic:
        start_square = quadratic * sum(map(mul, start, start))
        across = quadratic * sum(map(mul, start, per_unit))
        bend = quadratic * sum(map(mul, per_unit, per_unit))
    contact, met = farthest * (1.0 + ROUNDING), None
    for rival in border.rivals:
        least = start_square - 2.0 * sum(map(mul, start, rival.linear)) + rival.constant - tolerance
        if not least > 0.0:
            return None
        half = across - sum(map(mul, per_unit, rival.linear))
        root = half * half - bend * least
        if not isfinite(root):
            return None
        if half >= 0.0 or root < -ROUNDING * half * half:
            continue
        until = least / (sqrt(max(root, 0.0)) - half)
        if until < contact:
            contact, met = until, (least, half)
    if met is None:
        return 0
    day = whole_day(contact if origin is None else origin * (exp(contact) - 1.0), 1, last)
    grown = float(day) if origin is None else log1p(day / origin)
    least, half = met
    return day if least + 2.0 * half * grown + bend * grown * grown < -2.0 * tolerance else None
