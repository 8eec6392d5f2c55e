"""A chart with a mark and its interval in each row, on one scale with a line at 0."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from trainer.report.charts.svg import Scale, around, circle, cut, line, picture, short, text, ticks

_WIDTH = 440.0
_ROW = 42.0
_BOTTOM = 26.0


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """One row: a label, a figure as text to the right, a value and half the length of its interval."""

    label: str
    figure: str
    value: float
    margin: float


def interval_chart(name: str, rows: Sequence[IntervalRow]) -> Markup:
    """The chart, as SVG: the rows, with one scale below; ``name`` is the text for screen readers."""
    ends = [end for row in rows for end in (row.value - row.margin, row.value + row.margin)]
    x = Scale(*around([0.0, *ends]), 10, _WIDTH - 16)
    height = len(rows) * _ROW + _BOTTOM
    parts = []
    for tick in ticks(x.low, x.high, 5):
        parts.append(line(x(tick), 20, x(tick), height - _BOTTOM, "grid"))
        parts.append(text(x(tick), height - 8, short(tick), anchor="middle"))
    parts.append(line(x(0), 20, x(0), height - _BOTTOM, "mark"))
    for place, row in enumerate(rows):
        top = place * _ROW
        parts.append(text(0, top + 13, cut(row.label, _WIDTH - 8.5 * len(row.figure) - 12), css="name paper"))
        parts.append(text(_WIDTH, top + 13, row.figure, anchor="end", css="count paper"))
        middle, low, high = top + 29, x(row.value - row.margin), x(row.value + row.margin)
        parts.append(line(low, middle, high, middle, "whisker"))
        parts += [line(end, middle - 4, end, middle + 4, "whisker") for end in (low, high)]
        parts.append(circle(x(row.value), middle, 5.5, "disc"))
    return picture(name, parts, _WIDTH, height)
