"""The border of a user's segment that is nearest to the user. Pure.

The set of points where a user in segment s would move to segment r is {x : h(x) <= 0} with the h of
:mod:`streamer.segment.segment_border`: a half-space, or with a ``min_margin`` a ball.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, sqrt

from schemas.release.model_release import ModelRelease, Segment
from segue.show.user_moves import NearestBorder


def nearest_border(
    components: Sequence[float], segment: int, release: ModelRelease, min_margin: float = 0.0
) -> NearestBorder | None:
    """Return the nearest border of the user's segment; None if there is no other segment.

    Args:
        components: the user's coordinates in the release's space.
        segment: the id of the user's segment.
        release: the segments.
        min_margin: 0 to 1. The user stays until another centre is nearer by this share.
    """
    own = next((each for each in release.segments if each.id == segment), None)
    others = [each for each in release.segments if own is not None and each.centre != own.centre]
    if own is None or not others:
        return None
    keep = (1.0 - min_margin) ** 2

    def distance_to(other: Segment) -> float:
        return _distance(components, own.centre, other.centre, keep)

    nearest = min(others, key=distance_to)
    return NearestBorder(nearest.id, nearest.name, max(0.0, distance_to(nearest)))


def _distance(at: Sequence[float], own: Sequence[float], other: Sequence[float], keep: float) -> float:
    """Return the distance of a point from {x : |x - other|² <= keep |x - own|²}; below 0 inside it."""
    linear = [r - keep * s for r, s in zip(other, own, strict=True)]
    constant = sum([r * r for r in other]) - keep * sum([s * s for s in own])
    quadratic = 1.0 - keep
    if quadratic == 0.0:
        along = sum([x * y for x, y in zip(at, linear, strict=True)])
        return (constant - 2.0 * along) / (2.0 * hypot(*linear))
    middle = [y / quadratic for y in linear]
    radius = sqrt(max(0.0, sum([y * y for y in middle]) - constant / quadratic))
    return hypot(*[x - y for x, y in zip(at, middle, strict=True)]) - radius
