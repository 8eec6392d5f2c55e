"""A chart with two or three marks in each row, on one scale; the marks differ in shape and in colour."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from markupsafe import Markup

from trainer.report.charts.svg import Scale, circle, cut, drawn, line, picture, short, text, ticks

_WIDTH = 440.0
_ROW = 42.0
_LEFT, _RIGHT = 10.0, 16.0
_BOTTOM = 26.0
SHAPES = ("disc", "ring", "cross")


@dataclass(frozen=True, slots=True)
class DotRow:
    """One row: a label, a figure as text to the right, and a value for each shape."""

    label: str
    figure: str
    values: tuple[float, ...]


def dot_chart(name: str, rows: Sequence[DotRow], *, low: float = 0.0, percent: bool = False) -> Markup:
    """The chart, as SVG: the rows, with one scale below.

    Args:
        name: the text for screen readers.
        rows: at least one; the values of each are in the order of :data:`SHAPES`.
        low: the start of the scale, unless a value is smaller.
        percent: whether to show the values, shares of 1, as percentages.
    """
    values = [value for row in rows for value in row.values]
    least, most = min([low, *values]), max([*values, low + 0.01])
    x = Scale(least, least + (most - least) * 1.04, _LEFT, _WIDTH - _RIGHT)
    height = len(rows) * _ROW + _BOTTOM
    parts = []
    for tick in ticks(x.low, x.high, 5):
        parts.append(line(x(tick), 20, x(tick), height - _BOTTOM, "grid"))
        words = f"{short(tick * 100)}%" if percent else short(tick)
        parts.append(text(x(tick), height - 8, words, anchor="middle"))
    for place, row in enumerate(rows):
        top = place * _ROW
        parts.append(text(0, top + 13, cut(row.label, _WIDTH - 8.5 * len(row.figure) - 12), css="name paper"))
        parts.append(text(_WIDTH, top + 13, row.figure, anchor="end", css="count paper"))
        middle = top + 29
        parts.append(line(x(min(row.values)), middle, x(max(row.values)), middle, "between"))
        # The first shape is drawn last, so that it lies on top.
        marks = list(zip(SHAPES, row.values, strict=False))
        parts += [shape(kind, x(value), middle) for kind, value in reversed(marks)]
    return picture(name, parts, _WIDTH, height)


def shape(kind: str, x: float, y: float) -> Element:
    """A mark of this kind (see :data:`SHAPES`) at a point."""
    if kind == "cross":
        return Element("path", {"class": "cross", "d": f"M{x - 4.5:.1f} {y - 4.5:.1f}l9 9m-9 0l9-9"})
    return circle(x, y, 5.5, kind)


def legend(meanings: Sequence[str]) -> list[tuple[Markup, str]]:
    """Each shape as SVG, with its meaning."""
    return [
        (drawn([shape(kind, 8, 8)], 16, 16, {"aria-hidden": "true"}), meaning)
        for kind, meaning in zip(SHAPES, meanings, strict=False)
    ]
