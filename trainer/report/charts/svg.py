"""The parts of SVG that the charts need: frames, scales, ticks, axes and text."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from xml.etree.ElementTree import Element, tostring

from markupsafe import Markup

# The colours of Okabe and Ito (https://jfly.uni-koeln.de/color): people with any colour vision can tell them
# apart. Yellow and black are left out: they are too light and too heavy for points on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A7A7A")

_WIDE, _BROAD, _USUAL = 14.0, 10.0, 7.4  # widths of a 13 px letter in pixels, rounded up
_BROAD_LETTERS = frozenset("mwMW@%&—…")


@dataclass(frozen=True, slots=True)
class Frame:
    """The size of a picture and its margins, in units of its view box."""

    width: float = 440.0
    height: float = 320.0
    left: float = 50.0
    right: float = 18.0
    top: float = 30.0
    bottom: float = 44.0

    @property
    def x_end(self) -> float:
        """The right end of the drawing."""
        return self.width - self.right

    @property
    def y_end(self) -> float:
        """The lower end of the drawing."""
        return self.height - self.bottom


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale: ``low`` to ``high`` in the data become ``start`` to ``end`` in pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def colour(place: int) -> str:
    """The colour of the segment at this index; the colours repeat after the last."""
    return COLOURS[place % len(COLOURS)]


def around(values: Iterable[float], *, margin: float = 0.06) -> tuple[float, float]:
    """The range of the values with a margin; the margin is 1 if all values are equal."""
    found = list(values)
    low, high = min(found), max(found)
    room = (high - low) * margin or 1.0
    return low - room, high + room


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About ``count`` round numbers from ``low`` to ``high``.

    >>> ticks(0, 21_436)
    [0.0, 5000.0, 10000.0, 15000.0, 20000.0]
    >>> ticks(-0.9, 2.2)
    [-0.5, 0.0, 0.5, 1.0, 1.5, 2.0]
    """
    rough = (high - low) / count
    power = 10.0 ** floor(log10(rough))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if size * power >= rough * 0.8)
    first = -floor(-low / step)
    return [i * step for i in range(first, floor(high / step) + 1)]


def thinned(values: Sequence[float], most: int) -> list[float]:
    """Every second, third… value, beginning with the first; at most ``most`` values.

    >>> thinned([2, 3, 4, 5, 6], 3)
    [2, 4, 6]
    """
    return list(values[:: -(-len(values) // most)])


def short(number: float) -> str:
    """The short text of a tick's number.

    >>> short(15_000), short(2_500_000), short(0.5), short(-2.0)
    ('15k', '2.5M', '0.5', '−2')
    """
    size = abs(number)
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= unit:
            return f"{number / unit:.4g}{name}".replace("-", "−")
    return f"{number:.4g}".replace("-", "−")


def cut(words: str, pixels: float) -> str:
    """The words if they fit into the width, else the letters that fit and an ellipsis.

    >>> cut("Accessories", 60)
    'Access…'
    """
    room = pixels - _BROAD
    for place, letter in enumerate(words):
        room -= _letter(letter)
        if room < 0:
            if sum(map(_letter, words)) <= pixels:
                return words
            return words[:place].rstrip() + "…"
    return words


def _letter(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in ("W", "F") or ord(letter) > 0xFFFF:
        return _WIDE
    return _BROAD if letter in _BROAD_LETTERS or letter.isupper() else _USUAL


def text(x: float, y: float, words: str, *, anchor: str = "start", css: str = "") -> Element:
    """Words at a point.

    Args:
        x: the position, in units of the view box.
        y: the base line, in units of the view box.
        words: the text; it is escaped.
        anchor: SVG's ``text-anchor``: start, middle or end.
        css: the classes; empty: none.
    """
    kind = {"class": css} if css else {}
    element = Element("text", {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, **kind})
    element.text = words
    return element


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> Element:
    """A straight line; its positions are in units of the view box.

    Args:
        x1: where it begins, from the left.
        y1: where it begins, from above.
        x2: where it ends, from the left.
        y2: where it ends, from above.
        css: its class.
    """
    ends = {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}"}
    return Element("line", {"class": css, **ends})


def circle(x: float, y: float, radius: float, css: str) -> Element:
    """A circle, in units of the view box.

    Args:
        x: the centre, from the left.
        y: the centre, from above.
        radius: the radius.
        css: its class.
    """
    return Element("circle", {"class": css, "cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": f"{radius:g}"})


def bar(x: float, y: float, width: float, height: float, fill: str) -> Element:
    """A filled rectangle with round corners, in units of the view box; a negative width counts as 0.

    Args:
        x: the left edge.
        y: the upper edge.
        width: the length of the bar.
        height: the thickness of the bar.
        fill: the colour.
    """
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{max(width, 0):.1f}", "height": f"{height:g}"}
    return Element("rect", {"fill": fill, **place, "rx": "2"})


def picture(label: str, parts: Iterable[Element], width: float, height: float) -> Markup:
    """One chart as SVG.

    Args:
        label: the text for screen readers.
        parts: the elements of the chart.
        width: the width of the view box.
        height: the height of the view box.
    """
    return drawn(parts, width, height, {"role": "img", "aria-label": label})


def drawn(parts: Iterable[Element], width: float, height: float, more: Mapping[str, str]) -> Markup:
    """An SVG of these parts.

    Args:
        parts: the elements.
        width: the width of the view box.
        height: the height of the view box.
        more: further attributes of the root element.
    """
    root = Element("svg", {"viewBox": f"0 0 {width:g} {height:g}", **more})
    root.extend(parts)
    return Markup(tostring(root, encoding="unicode"))  # noqa: S704 - the serializer has escaped all texts


def axes(
    frame: Frame,
    x: Scale,
    y: Scale,
    x_ticks: Sequence[float],
    y_ticks: Sequence[float],
    x_name: str,
    y_name: str,
) -> list[Element]:
    """Grid, ticks and names of a chart's two axes.

    Args:
        frame: size and margins.
        x: the scale of the horizontal axis.
        y: the scale of the vertical axis.
        x_ticks: values with a tick on the horizontal axis.
        y_ticks: values with a grid line.
        x_name: the name below the horizontal axis.
        y_name: the name above the vertical axis, where it can be read without turning; empty: no name.
    """
    parts = []
    for tick in y_ticks:
        parts.append(line(frame.left, y(tick), frame.x_end, y(tick), "grid"))
        parts.append(text(frame.left - 8, y(tick) + 4, short(tick), anchor="end"))
    for tick in x_ticks:
        parts.append(line(x(tick), frame.y_end, x(tick), frame.y_end + 5, "axis"))
        parts.append(text(x(tick), frame.y_end + 19, short(tick), anchor="middle"))
    parts.append(line(frame.left, frame.y_end, frame.x_end, frame.y_end, "axis"))
    parts.append(text((frame.left + frame.x_end) / 2, frame.height - 6, x_name, anchor="middle", css="name"))
    if y_name:
        parts.append(text(0, 14, y_name, css="name"))
    return parts
