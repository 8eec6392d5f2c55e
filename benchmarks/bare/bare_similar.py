"""The similar users of a batch's changes, among the store's candidates and the batch's own users."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from math import atan2, cos, pi

from schemas.outputs.segment_change import SimilarUser

TOP = 5

# Angle, user id, segment.
Candidate = tuple[float, str, int | None]


def angle_of(x: float, y: float) -> float | None:
    """The direction of a user; None at the origin."""
    return None if x == 0.0 and y == 0.0 else atan2(y, x) + 0.0


def similar_users(
    searches: Iterable[tuple[str, float]], candidates: Iterable[Candidate]
) -> list[list[SimilarUser]]:
    """For each search, the nearest users; equally near users come in the order of their ids.

    Args:
        searches: the user to leave out, and the direction.
        candidates: the nearest users of all searches, each once.
    """
    known = sorted(candidates)
    found = []
    for user_id, at in searches:
        start = bisect_left(known, (at, ""))
        near = _side(known, at, user_id, start, 1) | _side(known, at, user_id, start - 1, -1)
        found.append([SimilarUser(user, cos(apart), segment) for apart, user, segment in sorted(near)[:TOP]])
    return found


def _side(
    known: Sequence[Candidate], at: float, user_id: str, i: int, step: int
) -> set[tuple[float, str, int | None]]:
    """At least the nearest users on one side. A group of users with one angle is taken whole."""
    near: set[tuple[float, str, int | None]] = set()
    size, last = len(known), None
    for _ in range(size):
        angle, user, segment = known[i % size]
        if len(near) >= TOP and angle != last:
            break
        if user != user_id:
            apart = abs(at - angle)
            near.add((apart if apart <= pi else 2 * pi - apart, user, segment))
        last = angle
        i += step
    return near
