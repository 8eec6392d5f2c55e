"""A release's users, the centres of its segments and one user, as points of a picture. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from math import sqrt

from msgspec import Struct

from schemas.release.model_release import ModelRelease

WIDTH, HEIGHT = 440.0, 300.0
_LARGEST, _MARGIN = 30.0, 44.0
_CENTRE, _SMALL_MARGIN = 10.0, 18.0
"""A centre's circle among users; it needs less of a margin than one whose area is a number of users."""


class Dot(Struct, frozen=True):
    """A segment: its centre's place in the picture.

    Attributes:
        radius: of its circle; by its share of the training users if none of them is drawn.
        users: the places of some training users, as the path of an SVG; empty if there are none.
    """

    id: int
    name: str
    x: float
    y: float
    radius: float
    users: str


class SegmentMap(Struct, frozen=True):
    """The picture: the segments, and the user's place."""

    dots: tuple[Dot, ...]
    x: float
    y: float

    @property
    def scattered(self) -> bool:
        """Whether training users are drawn."""
        return any(dot.users for dot in self.dots)


def segment_map(
    release: ModelRelease, components: Sequence[float], scatter: Sequence[Sequence[Sequence[float]]] = ()
) -> SegmentMap | None:
    """Place the segments and a user; return None if the space does not have two components.

    Both axes have one scale, so a distance in the picture is a distance in the space.

    Args:
        release: the segments, with their centres and sizes.
        components: the user's coordinates in the release's space.
        scatter: coordinates of some training users, in the order of the segments; shape (segments, users, 2).
    """
    if len(components) != 2:
        return None
    users = scatter if len(scatter) == len(release.segments) else [()] * len(release.segments)
    points = [tuple(components), *(segment.centre for segment in release.segments), *chain(*users)]
    low, high = ([limit(point[axis] for point in points) for axis in (0, 1)] for limit in (min, max))
    spans = [(high[axis] - low[axis]) or 1.0 for axis in (0, 1)]
    margin = _SMALL_MARGIN if any(users) else _MARGIN
    scale = min((WIDTH - 2 * margin) / spans[0], (HEIGHT - 2 * margin) / spans[1])

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
            _CENTRE if any(users) else round(_LARGEST * max(0.3, sqrt(segment.size / largest)), 1),
            "".join("M{} {}h0".format(*placed(point)) for point in members),
        )
        for segment, members in zip(release.segments, users, strict=True)
    ]
    return SegmentMap(tuple(dots), *placed(components))
