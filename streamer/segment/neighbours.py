"""The nearest users by direction: in two dimensions, the angle between users gives their cosine similarity.

Angles are radians in (-pi, pi]. Users are ordered by angular distance, and at equal distances by user id
(Python compares text by code points, as UTF-8 bytes would). Distances of the stored angles are compared
exactly, as real numbers. So a walk outward through a sorted index gives the nearest users, and rounding
does not reorder them.
"""

from bisect import bisect_left, insort
from collections.abc import Container, Iterable, Iterator, Sequence
from heapq import nsmallest
from itertools import islice
from math import atan2, cos, fsum, isfinite, pi

from streamer.interfaces.lane_interfaces import Neighbour

FULL_TURN = 2.0 * pi

Entry = tuple[str, float]


def angle(components: Sequence[float]) -> float | None:
    """The direction of a user.

    Args:
        components: the user's coordinates in a release's space.

    Returns:
        Radians in (-pi, pi]. None at the origin, because it has no direction; None if a coordinate is not
        finite; None if there are not exactly two coordinates, because an angle alone then does not show
        who is near.

    >>> angle((0.0, 2.0)) == pi / 2, angle((-1.0, -0.0)) == pi, angle((0.0, 0.0))
    (True, True, None)
    """
    if len(components) != 2:
        return None
    x, y = components
    if (x == 0.0 and y == 0.0) or not (isfinite(x) and isfinite(y)):
        return None
    radians = atan2(y, x)
    # Each direction has one number: -pi becomes pi, and adding 0.0 turns -0.0 into 0.0.
    return pi if radians == -pi else radians + 0.0


def angular_distance(a: float, b: float) -> float:
    """The angle between two directions, radians in 0..pi.

    >>> angular_distance(3.0, -3.0) == 2 * pi - 6.0
    True
    """
    return _exact_distance(a, b)[0]


def similarity(a: float, b: float) -> float:
    """The cosine similarity of two users with these angles, -1 to 1."""
    return cos(angular_distance(a, b))


def nearest_of(angle: float, n: int, *sources: Iterable[Neighbour]) -> list[Neighbour]:
    """The nearest ``n`` users of several sources, the nearest first.

    Args:
        angle: the direction to search from, in radians.
        n: how many users to return.
        sources: for example the store's candidates and an overlay of users whose saved angle is stale. Each
            source must hold its own nearest ``n``. If a user is in two sources, the first source counts.
    """
    distinct: dict[str, Neighbour] = {}
    for source in sources:
        for candidate in source:
            distinct.setdefault(candidate.user_id, candidate)
    return nsmallest(
        n, distinct.values(), key=lambda user: (_exact_distance(angle, user.angle), user.user_id)
    )


class AngleIndex:
    """Users sorted by angle, in memory. A search takes O(log size + n + excluded users passed)."""

    __slots__ = ("_angles", "_entries")

    def __init__(self) -> None:
        self._angles: dict[str, float] = {}
        self._entries: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, user_id: str, angle: float | None) -> None:
        """Set a user's angle; None removes the user."""
        self.remove(user_id)
        if angle is not None:
            self._angles[user_id] = angle
            insort(self._entries, (angle, user_id))

    def remove(self, user_id: str) -> None:
        """Remove a user; an unknown user is ignored."""
        angle = self._angles.pop(user_id, None)
        if angle is not None:
            del self._entries[bisect_left(self._entries, (angle, user_id))]

    def nearest(self, angle: float, n: int, exclude: Container[str] = ()) -> list[Entry]:
        """The nearest ``n`` users, except the excluded users, as (user id, angle), the nearest first."""
        start = bisect_left(self._entries, (angle, ""))
        sides = (self._upward(start), self._downward(start))
        found = {
            user_id: (_exact_distance(angle, theirs), user_id, theirs)
            for side in sides
            for theirs, user_id in islice((entry for entry in side if entry[1] not in exclude), n)
        }
        return [(user_id, theirs) for _, user_id, theirs in nsmallest(n, found.values())]

    def _upward(self, start: int) -> Iterator[tuple[float, str]]:
        """Every entry once, with growing angles from ``start`` on, and then from the smallest angle on."""
        for i in range(start, len(self._entries)):
            yield self._entries[i]
        for i in range(start):
            yield self._entries[i]

    def _downward(self, start: int) -> Iterator[tuple[float, str]]:
        """Every entry once, with falling angles from below ``start``; equal angles come by user id.

        Users with one angle are equally far, so the walk enters such a group at its smallest id.
        """
        end, seen = start, 0
        while seen < len(self._entries):
            end = end or len(self._entries)
            first = bisect_left(self._entries, (self._entries[end - 1][0], ""))
            for i in range(first, end):
                yield self._entries[i]
            seen += end - first
            end = first


def _exact_distance(a: float, b: float) -> tuple[float, float]:
    """The angular distance as two numbers: the rounded distance, and the rest that rounding removed.

    The pairs compare like the exact distances, because two numbers hold the exact distance. If the full turn
    takes part in the sum, a and b cannot both be small, so the last digits of the three terms lie close
    together.
    """
    terms: tuple[float, ...] = (a, -b) if a >= b else (b, -a)
    rounded = fsum(terms)
    rest = fsum((*terms, -rounded))
    if (rounded, rest) > (pi, 0.0):
        terms = (FULL_TURN, -terms[0], -terms[1])
        rounded = fsum(terms)
        rest = fsum((*terms, -rounded))
    return rounded, rest
