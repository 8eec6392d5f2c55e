"""The training users by their first two components, coloured by segment."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

import numpy as np
from markupsafe import Markup

from trainer.controls.evaluate import Labels
from trainer.report.charts.svg import (
    COLOURS,
    Frame,
    Scale,
    around,
    axes,
    circle,
    colour,
    picture,
    text,
    ticks,
)
from trainer.report.report_numbers import SegmentReport
from trainer.report.sampled_rows import sampled_rows
from trainer.steps.encode import Matrix

POINTS = 3_000
_FRAME = Frame()
_MARK = 10.0  # the radius of a centre's mark
_STEPS = 200


def scatter_chart(
    components: Matrix, labels: Labels, segments: Sequence[SegmentReport], explained: Sequence[float]
) -> Markup:
    """The scatter chart, as SVG.

    Args:
        components: shape (rows, components).
        labels: the index in ``segments`` for each row, shape (rows,).
        segments: the segments, each with its centre.
        explained: the share of the variance of each component, 0 to 1.
    """
    chosen = sampled_rows(labels, POINTS)
    shown, kinds = components[chosen], labels[chosen]
    flat = components.shape[1] == 1
    # With one component there is no second axis: the row number spreads the points instead.
    second = np.modf(chosen * 0.618033988749895)[0] if flat else shown[:, 1]
    x = Scale(*around(shown[:, 0]), _FRAME.left, _FRAME.x_end)
    y = Scale(*around(second), _FRAME.y_end, _FRAME.top)
    parts = axes(
        _FRAME,
        x,
        y,
        ticks(x.low, x.high),
        [] if flat else ticks(y.low, y.high),
        f"component 1, {explained[0]:.1%} of the variance",
        "spread for the eye" if flat else f"component 2, {explained[1]:.1%} of the variance",
    )
    for place in range(len(segments)):
        mask = kinds == place
        dots = "".join(f"M{x(a):.1f} {y(b):.1f}h0" for a, b in zip(shown[mask, 0], second[mask], strict=True))
        # Squares instead of dots when the colours repeat.
        cap = "round" if place < len(COLOURS) else "square"
        stroke = {"stroke": colour(place), "stroke-linecap": cap}
        parts.append(Element("path", {"class": "points", **stroke, "d": dots}))
    centres = np.array([(x(each.centre[0]), y(0.5 if flat else each.centre[1])) for each in segments])
    for segment, (across, down) in zip(segments, apart(centres, 2 * _MARK + 2), strict=True):
        parts.append(circle(across, down, _MARK, "centre"))
        parts.append(text(across, down + 4, str(segment.id), anchor="middle", css="id"))
    return picture("Training users by component, coloured by segment", parts, _FRAME.width, _FRAME.height)


def apart(points: Matrix, distance: float) -> Matrix:
    """The points, moved until no two are nearer than ``distance``; shape (points, 2)."""
    moved = points.astype(np.float64)
    for _ in range(_STEPS):
        still = True
        for one in range(len(moved)):
            for other in range(one):
                between = moved[one] - moved[other]
                length = float(np.hypot(*between))
                if length < distance:
                    still = False
                    way = between / length if length > 0 else np.array([0.0, 1.0])
                    push = (distance - length) / 2 + 0.01
                    moved[one] += way * push
                    moved[other] -= way * push
        if still:
            break
    return moved
