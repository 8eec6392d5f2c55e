"""Small charts of one figure for each k."""

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from markupsafe import Markup

from trainer.report.charts.svg import (
    COLOURS,
    Frame,
    Scale,
    around,
    axes,
    bar,
    circle,
    line,
    picture,
    text,
    thinned,
    ticks,
)

_FRAME = Frame(width=320, height=210, top=12, bottom=42)
_LABELS = 10


def curve_chart(
    name: str, ks: Sequence[int], values: Sequence[float | None], *, used: int, elbow: int | None = None
) -> Markup:
    """The curve of one figure over k, as SVG; a ring marks the k in use, a dashed line the elbow.

    Args:
        name: the text for screen readers.
        ks: at least two, ascending.
        values: the figure of each k, None if unknown; at least one is known.
        used: the k in use.
        elbow: the k where the curve bends; None: no line.
    """
    known = [(k, value) for k, value in zip(ks, values, strict=True) if value is not None]
    x = Scale(ks[0], ks[-1], _FRAME.left + 12, _FRAME.x_end - 6)
    y = Scale(*around(value for _, value in known), _FRAME.y_end, _FRAME.top)
    parts = axes(_FRAME, x, y, thinned(ks, _LABELS), ticks(y.low, y.high, 4), "k", "")
    points = {k: (x(k), y(value)) for k, value in known}
    if elbow in points:
        across, down = points[elbow]
        parts.append(line(across, _FRAME.y_end, across, down, "elbow"))
    curve = " ".join(f"{across:.1f},{down:.1f}" for across, down in points.values())
    parts.append(Element("polyline", {"class": "curve", "points": curve}))
    parts += [circle(across, down, 3.5, "dot") for across, down in points.values()]
    if used in points:
        parts.append(circle(*points[used], 8, "used"))
    return picture(name, parts, _FRAME.width, _FRAME.height)


def counts_chart(name: str, ks: Sequence[int], counts: Mapping[str, int]) -> Markup:
    """A bar chart of how often each k was found, and last how often no k was found, if ever."""
    words = [str(k) for k in ks] + (["none"] if counts.get("none") else [])
    step = (_FRAME.x_end - _FRAME.left) / len(words)
    y = Scale(0, max(counts.values(), default=1) * 1.2, _FRAME.y_end, _FRAME.top)
    parts = [line(_FRAME.left, _FRAME.y_end, _FRAME.x_end, _FRAME.y_end, "axis")]
    labelled = {*thinned(range(len(ks)), _LABELS), len(ks)}
    for place, word in enumerate(words):
        middle = _FRAME.left + (place + 0.5) * step
        if place in labelled:
            parts.append(text(middle, _FRAME.y_end + 19, word, anchor="middle"))
        if count := counts.get(word, 0):
            parts.append(
                bar(middle - step * 0.32, y(count), step * 0.64, _FRAME.y_end - y(count), COLOURS[0])
            )
            parts.append(text(middle, y(count) - 5, str(count), anchor="middle"))
    parts.append(text((_FRAME.left + _FRAME.x_end) / 2, _FRAME.height - 6, "k", anchor="middle", css="name"))
    return picture(name, parts, _FRAME.width, _FRAME.height)
