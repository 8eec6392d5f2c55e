"""The report's three charts, as SVG: they need no script and no network, and print."""

from collections.abc import Sequence

import numpy as np

from trainer.encode import Matrix
from trainer.evaluate import Labels
from trainer.report.numbers import ElbowCurve, SegmentReport
from trainer.report.svg import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Scale,
    axes,
    colour,
    line,
    picture,
    text,
    ticks,
)

POINTS = 3_000
_SEED = 555
_BAR_ROW = 46
_BAR_CHARACTERS = 54  # what fits on a line beside the count


def elbow_chart(curve: ElbowCurve, k: int) -> str:
    """SSE against k, the elbow and the k in use marked; needs at least two points."""
    x = Scale(curve.ks[0], curve.ks[-1], LEFT + 18, WIDTH - RIGHT - 14)
    y = Scale(0, max(curve.sse) * 1.06 or 1, HEIGHT - BOTTOM, TOP)
    parts = axes(
        x, y, [float(each) for each in curve.ks], ticks(0, y.high), "k, the number of segments", "SSE"
    )
    points = [(x(each), y(sse)) for each, sse in zip(curve.ks, curve.sse, strict=True)]
    parts.append(f'<polyline class="curve" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in points)}"/>')
    parts += [f'<circle class="dot" cx="{a:.1f}" cy="{b:.1f}" r="4"/>' for a, b in points]
    # The curve falls from the left, so the upper right is free.
    words = WIDTH - RIGHT - 150
    if curve.elbow is not None:
        at = x(curve.elbow)
        parts.append(line(at, HEIGHT - BOTTOM, at, y(curve.sse[curve.ks.index(curve.elbow)]), "elbow"))
        parts.append(line(words - 26, TOP + 20, words - 6, TOP + 20, "elbow"))
        parts.append(text(words, TOP + 24, f"kneed's elbow: {curve.elbow}", css="key"))
    if k in curve.ks:
        cx, cy = points[curve.ks.index(k)]
        parts.append(f'<circle class="used" cx="{cx:.1f}" cy="{cy:.1f}" r="8"/>')
        parts.append(f'<circle class="used" cx="{words - 16:.1f}" cy="{TOP + 42:.1f}" r="7"/>')
        parts.append(text(words, TOP + 46, f"k used: {k}", css="key"))
    return picture(f"SSE for k from {curve.ks[0]} to {curve.ks[-1]}", parts)


def scatter_chart(
    components: Matrix, labels: Labels, segments: Sequence[SegmentReport], explained: Sequence[float]
) -> str:
    """A sample of the training users by their first two components, coloured by segment.

    Args:
        components: shape (rows, components).
        labels: each row's place in ``segments``, shape (rows,).
        segments: the segments.
        explained: the share of variance of each component.
    """
    chosen = _sample(len(labels))
    shown, kinds = components[chosen], labels[chosen]
    flat = components.shape[1] == 1
    # One component has no second axis: a spread by the row's number keeps the points apart.
    second = np.modf(chosen * 0.618033988749895)[0] if flat else shown[:, 1]
    x = Scale(*_range(shown[:, 0]), LEFT, WIDTH - RIGHT)
    y = Scale(*_range(second), HEIGHT - BOTTOM, TOP)
    parts = axes(
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
        # Squares, not dots, when the colours begin again.
        cap = "round" if place < 7 else "square"
        parts.append(f'<path class="points" stroke="{colour(place)}" stroke-linecap="{cap}" d="{dots}"/>')
    for segment in segments:
        at = x(segment.centre[0]), y(0.5 if flat else segment.centre[1])
        parts.append(f'<circle class="centre" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="10"/>')
        parts.append(text(at[0], at[1] + 4, str(segment.id), anchor="middle", css="id"))
    return picture("Training users by component, coloured by segment", parts)


def size_chart(segments: Sequence[SegmentReport]) -> str:
    """The segments' sizes as bars."""
    widest = max(segment.size for segment in segments)
    x = Scale(0, widest, 0, WIDTH)
    parts = []
    for place, segment in enumerate(segments):
        top = place * _BAR_ROW
        parts.append(text(0, top + 14, _cut(f"{segment.id}  {segment.name}")))
        parts.append(
            text(
                WIDTH,
                top + 14,
                f"{segment.size:,}  ({segment.cluster_ratio:.1f}%)",
                anchor="end",
                css="count",
            )
        )
        parts.append(f'<rect class="track" x="0" y="{top + 21}" width="{WIDTH}" height="13" rx="2"/>')
        parts.append(
            f'<rect fill="{colour(place)}" x="0" y="{top + 21}" width="{x(segment.size):.1f}" height="13" rx="2"/>'
        )
    return picture("Users in each segment", parts, height=len(segments) * _BAR_ROW)


def _cut(words: str) -> str:
    return words if len(words) <= _BAR_CHARACTERS else words[: _BAR_CHARACTERS - 1] + "…"


def _sample(rows: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    if rows <= POINTS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(_SEED).choice(rows, POINTS, replace=False))


def _range(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float]:
    """The values' range with a margin; 1 to either side where all are equal."""
    low, high = float(values.min()), float(values.max())
    margin = (high - low) * 0.04 or 1.0
    return low - margin, high + margin
