"""A bar chart: label and figure stand above each bar, so that long names have room at any width."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from markupsafe import Markup

from trainer.report.charts.svg import Scale, bar, cut, line, picture, text

_WIDTH = 440.0
_ROW = 44.0
_THICK = 13.0
_FIGURE = 150.0  # the room for a figure to the right of its label


@dataclass(frozen=True, slots=True)
class Bar:
    """One row.

    Attributes:
        value: 0 or more; the bar's length.
        figure: the value in words, to the right.
        margin: half the length of the whisker at the bar's end; None draws none.
    """

    label: str
    value: float
    figure: str
    fill: str
    margin: float | None = None


def bar_chart(
    name: str, rows: Sequence[Bar], *, full: float | None = None, mark: float | None = None
) -> Markup:
    """The chart, as SVG.

    Args:
        name: the text for screen readers.
        rows: at least one.
        full: the value of a bar of full length; None: the largest value, whiskers included.
        mark: the value of a line across all bars, such as the mean of all users; None: no line.
    """
    most = full or max([*(row.value + (row.margin or 0) for row in rows), mark or 0]) or 1.0
    x = Scale(0, most, 0, _WIDTH)
    parts = []
    for place, row in enumerate(rows):
        top = place * _ROW
        parts.append(text(0, top + 14, cut(row.label, _WIDTH - _FIGURE), css="name"))
        parts.append(text(_WIDTH, top + 14, row.figure, anchor="end", css="count"))
        track = {"x": "0", "y": f"{top + 21:g}", "width": f"{_WIDTH:g}", "height": f"{_THICK:g}", "rx": "2"}
        parts.append(Element("rect", {"class": "track", **track}))
        parts.append(bar(0, top + 21, x(row.value), _THICK, row.fill))
        if row.margin is not None:
            low, high = x(max(row.value - row.margin, 0)), x(min(row.value + row.margin, most))
            middle = top + 21 + _THICK / 2
            parts.append(line(low, middle, high, middle, "whisker"))
            parts += [line(end, middle - 4, end, middle + 4, "whisker") for end in (low, high)]
        if mark is not None:
            parts.append(line(x(mark), top + 18, x(mark), top + 24 + _THICK, "mark"))
    return picture(name, parts, _WIDTH, len(rows) * _ROW - 6)
