"""The nearest users by direction: in two dimensions, the angle between users gives their cosine similarity.

Angles are radians in (-pi, pi]. Users are ordered by angular distance, and at equal distances by user id
(Python compares text by code points, as UTF-8 bytes would). Distances of the stored angles are compared
exactly, as real numbers. So a walk outward through a sorted index gives the nearest users, and rounding
does not reorder them.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from math import atan2, cos, fsum, isfinite, pi
from operator import itemgetter
from typing import Self

from schemas.outputs.segment_change import SimilarUser
from streamer.interfaces.lane_interfaces import Neighbour

FULL_TURN = 2.0 * pi
# The rounding of a distance is below 1e-15. So rough distances that differ by more are in the right order.
_NEAR_TIE = 1e-12
# Less than half a turn: the way round the other side is longer, so one subtraction gives the distance.
_SURELY_SHORTER = 3.0

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
    apart = abs(a - b)
    return apart if apart < _SURELY_SHORTER else _exact_distance(a, b)[0]


def similarity(a: float, b: float) -> float:
    """The cosine similarity of two users with these angles, -1 to 1."""
    return cos(angular_distance(a, b))


class Neighbourhood:
    """The candidates of several searches for similar users, sorted once."""

    def __init__(self, users: Iterable[Neighbour]) -> None:
        """Take the candidates of all searches.

        Args:
            users: each user once. The nearest users of every search must be among them; others do no harm.
        """
        candidates = list(users)
        self._segments = {user.user_id: user.segment for user in candidates}
        self._index = AngleIndex.of({user.user_id: user.angle for user in candidates})

    def most_similar(self, angle: float, n: int, exclude: Collection[str] = ()) -> tuple[SimilarUser, ...]:
        """The ``n`` users most similar to a direction in radians, the nearest first, without ``exclude``."""
        return tuple(
            SimilarUser(user_id, similarity(angle, theirs), self._segments[user_id])
            for user_id, theirs in self._index.nearest(angle, n, exclude)
        )


class AngleIndex:
    """Users sorted by angle, in memory. A search takes O(log size + n + excluded users passed)."""

    __slots__ = ("_angles", "_entries")

    def __init__(self) -> None:
        self._angles: dict[str, float] = {}
        self._entries: list[tuple[float, str]] = []

    @classmethod
    def of(cls, angles: Mapping[str, float]) -> Self:
        """An index of many users at once, given as angles by user id."""
        index = cls()
        index._angles = dict(angles)
        index._entries = sorted((angle, user_id) for user_id, angle in angles.items())
        return index

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

    def nearest(self, angle: float, n: int, exclude: Collection[str] = ()) -> list[Entry]:
        """The nearest ``n`` users, except the excluded users, as (user id, angle), the nearest first."""
        start, wanted = bisect_left(self._entries, (angle, "")), n + len(exclude)
        if len(exclude) <= n and 0 < wanted <= start <= len(self._entries) - wanted:
            around = self._around(start, wanted)
            return _nearest(angle, [entry for entry in around if entry[1] not in exclude], n)
        sides = (self._upward(start), self._downward(start))
        # A set, because in a small index the two walks meet.
        found = {
            entry for side in sides for entry in islice((one for one in side if one[1] not in exclude), n)
        }
        return _nearest(angle, found, n)

    def _around(self, start: int, wanted: int) -> list[tuple[float, str]]:
        """The first ``wanted`` entries of both walks, perhaps with others, in an index that is larger."""
        entries, low = self._entries, start - wanted
        lowest = entries[low][0]
        first = bisect_left(entries, (lowest, ""), 0, low + 1)
        if first == low:
            return entries[low : start + wanted]
        # The smallest ids of the group of the lowest angle count, and the window begins within this group.
        after = bisect_right(entries, lowest, low, start, key=itemgetter(0))
        return [*entries[first : min(first + wanted, after)], *entries[after : start + wanted]]

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


def _nearest(angle: float, users: Iterable[tuple[float, str]], n: int) -> list[Entry]:
    """The ``n`` users nearest to an angle, by their exact distance and then by user id.

    Rough distances give the order at a tenth of the cost. Only a near tie of different angles needs the exact
    ones: users with the same angle have the same distance either way.
    """
    rough = [
        (apart if (apart := abs(angle - theirs)) <= pi else FULL_TURN - apart, user_id, theirs)
        for theirs, user_id in users
    ]
    rough.sort()
    for place, (nearer, farther) in enumerate(pairwise(rough), 1):
        if farther[0] - nearer[0] >= _NEAR_TIE:
            if place >= n:
                break
        elif farther[2] != nearer[2]:
            rough.sort(key=lambda user: (_exact_distance(angle, user[2]), user[1]))
            break
    return [(user_id, theirs) for _, user_id, theirs in rough[:n]]


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
