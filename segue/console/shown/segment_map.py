"""The segments' centres and one user as points of a picture. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from msgspec import Struct

from schemas.release.model_release import ModelRelease

WIDTH, HEIGHT = 440.0, 300.0
_MARGIN = 44.0
_LARGEST = 30.0


class Dot(Struct, frozen=True):
    """A segment: its place in the picture, and a radius by its share of the training users."""

    id: int
    name: str
    x: float
    y: float
    radius: float


class SegmentMap(Struct, frozen=True):
    """The picture: the segments, and the user's place."""

    dots: tuple[Dot, ...]
    x: float
    y: float


def segment_map(release: ModelRelease, components: Sequence[float]) -> SegmentMap | None:
    """Place the segments and a user; return None if the space does not have two components.

    Both axes have one scale, so a distance in the picture is a distance in the space.

    Args:
        release: the segments, with their centres and sizes.
        components: the user's coordinates in the release's space.
    """
    if len(components) != 2:
        return None
    points = [tuple(components), *(segment.centre for segment in release.segments)]
    low, high = ([limit(point[axis] for point in points) for axis in (0, 1)] for limit in (min, max))
    spans = [(high[axis] - low[axis]) or 1.0 for axis in (0, 1)]
    scale = min((WIDTH - 2 * _MARGIN) / spans[0], (HEIGHT - 2 * _MARGIN) / spans[1])

    def placed(point: Sequence[float]) -> tuple[float, float]:
        x = WIDTH / 2 + scale * (point[0] - (low[0] + high[0]) / 2)
        y = HEIGHT / 2 - scale * (point[1] - (low[1] + high[1]) / 2)
        return round(x, 1), round(y, 1)

    largest = max((segment.size for segment in release.segments), default=0) or 1
    dots = [
        Dot(
            segment.id,
            segment.name,
            *placed(segment.centre),
            round(_LARGEST * max(0.3, sqrt(segment.size / largest)), 1),
        )
        for segment in release.segments
    ]
    return SegmentMap(tuple(dots), *placed(components))
