"""The little SVG that the charts need: scales, ticks, axes and text."""

from dataclasses import dataclass
from html import escape
from math import floor, log10

WIDTH = 520
HEIGHT = 340
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 14, 46

# Okabe and Ito's colours, told apart with any colour vision (jfly.uni-koeln.de/color), without yellow and
# black, which are too light and too heavy for points on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A7A7A")


@dataclass(frozen=True, slots=True)
class Scale:
    """From data to pixels, along a straight line from ``low`` to ``high``."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def colour(place: int) -> str:
    """The colour of the segment in that place; past the last one they begin again."""
    return COLOURS[place % len(COLOURS)]


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


def short(number: float) -> str:
    """A tick's number, short.

    >>> short(15_000), short(2_500_000), short(0.5), short(-2.0)
    ('15k', '2.5M', '0.5', '−2')
    """
    size = abs(number)
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= unit:
            return f"{number / unit:.4g}{name}".replace("-", "−")
    return f"{number:.4g}".replace("-", "−")


def text(x: float, y: float, words: str, *, anchor: str = "start", css: str = "") -> str:
    """Words at a point; ``anchor`` is SVG's: start, middle or end."""
    kind = f' class="{css}"' if css else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{kind}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """A straight line, drawn as the style sheet says."""
    return f'<line class="{css}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def picture(label: str, parts: list[str], *, height: int = HEIGHT) -> str:
    """One chart; ``label`` is what a screen reader says."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def axes(
    x: Scale, y: Scale, x_ticks: list[float], y_ticks: list[float], x_name: str, y_name: str
) -> list[str]:
    """Grid, ticks and names of a chart's two axes."""
    parts = []
    for tick in y_ticks:
        parts.append(line(LEFT, y(tick), WIDTH - RIGHT, y(tick), "grid"))
        parts.append(text(LEFT - 8, y(tick) + 4, short(tick), anchor="end"))
    for tick in x_ticks:
        parts.append(line(x(tick), HEIGHT - BOTTOM, x(tick), HEIGHT - BOTTOM + 5, "axis"))
        parts.append(text(x(tick), HEIGHT - BOTTOM + 19, short(tick), anchor="middle"))
    parts.append(line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "axis"))
    middle_x, middle_y = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
    parts.append(text(middle_x, HEIGHT - 8, x_name, anchor="middle", css="name"))
    parts.append(f'<g transform="translate(13 {middle_y:.1f}) rotate(-90)">')
    parts.append(text(0, 0, y_name, anchor="middle", css="name"))
    parts.append("</g>")
    return parts
