"""The first day on which a user's path may leave the user's segment: geometry, without scores.

With k = (1 - min_margin)², the user leaves the segment with centre s for the one with centre r if
|x - r|² <= k |x - s|². That is h(x) <= 0 for h(x) = (1 - k) |x|² - 2 x (r - k s) + |r|² - k |s|²: a
half-space if k is 1, else a ball. Along a straight line, h is a quadratic function of the place on the line.
"""

from collections.abc import Sequence
from math import hypot, isfinite, sqrt
from operator import mul

from msgspec import Struct

from schemas.release.model_release import Segment
from streamer.segment.day_path import DayPath
from streamer.segment.moving_features import Vector

MOST_CHORDS = 100
"""How many chords of a path one search takes at most."""

ROUNDING = 1e-11
"""Rounding changes a result by less than this share of the numbers that it was computed from."""
# The length of the first chord in days. After it, a straight path has one more chord: far away, rounding is
# coarser, and a single chord would leave many near days unsure.
_FIRST_STRAIGHT, _FIRST_CURVED = 4_096, 256


class Rival(Struct, frozen=True):
    """Another segment. h(x) = quadratic |x|² - 2 x linear + constant."""

    linear: Vector
    constant: float


class Border(Struct, frozen=True):
    """Where a user leaves a segment.

    Attributes:
        quadratic: 1 - k; 0 without a ``min_margin``.
        rivals: the other segments.
        size: the largest distance of a centre from the origin.
        longest: the largest length of a rival's ``linear``.
        complete: whether every other segment is a rival.
    """

    quadratic: float
    rivals: tuple[Rival, ...]
    size: float
    longest: float
    complete: bool


class Borders:
    """The borders of a release's segments, each computed once for a ``min_margin``."""

    __slots__ = ("_made", "_segments")

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments = {segment.id: segment for segment in segments}
        self._made: dict[tuple[int, float], Border] = {}

    def of(self, segment: int, min_margin: float) -> Border | None:
        """The border of the segment with this id; None if the release has no such segment."""
        border = self._made.get((segment, min_margin))
        if border is None and segment in self._segments:
            border = border_of(tuple(self._segments.values()), segment, min_margin)
            self._made[segment, min_margin] = border
        return border


def border_of(segments: Sequence[Segment], segment: int, min_margin: float) -> Border:
    """The border of the segment with this id.

    Args:
        segments: the segments of the release.
        segment: the id of one of them.
        min_margin: 0 to 1. A user stays until another centre is nearer by this share.
    """
    keep = (1.0 - min_margin) * (1.0 - min_margin)
    own = next(each.centre for each in segments if each.id == segment)
    own_square = sum([x * x for x in own])
    rivals = tuple(
        Rival(
            tuple([r - keep * s for r, s in zip(each.centre, own, strict=True)]),
            sum([r * r for r in each.centre]) - keep * own_square,
        )
        for each in segments
        # Without a margin, of two segments with the same centre the first is taken on every day.
        if each.id != segment and (each.centre != own or min_margin > 0.0)
    )
    return Border(
        1.0 - keep,
        rivals,
        max(hypot(*each.centre) for each in segments),
        max((hypot(*rival.linear) for rival in rivals), default=0.0),
        len(rivals) == len(segments) - 1,
    )


def is_inside(at: Vector, border: Border) -> bool:
    """Whether a user with these components is surely in the segment, however the score rounds."""
    if not border.complete:
        return False
    quadratic, length = border.quadratic, hypot(*at)
    size = border.size + length
    square = quadratic * sum(map(mul, at, at))
    tolerance = 2.0 * ROUNDING * size * (quadratic * length + border.longest + size)
    return all(
        square - 2.0 * sum(map(mul, at, rival.linear)) + rival.constant > tolerance for rival in border.rivals
    )


def first_possible_exit(path: DayPath, border: Border, first: int, last: int) -> int | None:
    """A day before which the user surely stays; None if the user surely stays up to the last day.

    On a straight path this is the first day on which the user may leave. On a curved path the search takes
    chords, and it asks how near the border is to the chord, less the deviation of the path from the chord.
    After :data:`MOST_CHORDS` chords it may be an earlier day.

    Args:
        path: the path of the user.
        border: the border of the user's segment.
        first: the first day of the search.
        last: the last day of the search.
    """
    end = min(last, first + (_FIRST_STRAIGHT if path.straight else _FIRST_CURVED))
    for _ in range(MOST_CHORDS):
        share = _first_contact(path, border, first, end)
        if share is None:
            if end == last:
                return None
            first, end = end + 1, last if path.straight else min(last, end + 4 * (end - first + 1))
            continue
        reached = path.day_at(first, end, share)
        if path.straight or first == end:
            return reached
        first, end = reached, reached + (end - reached) // 4
    return first


def _first_contact(path: DayPath, border: Border, first: int, last: int) -> float | None:
    """The share of the chord between two days at which the path may first leave; None if it surely stays."""
    start, end, quadratic = path.at(first), path.at(last), border.quadratic
    chord = [there - here for here, there in zip(start, end, strict=True)]
    chord_square = quadratic * sum([x * x for x in chord])
    start_square = quadratic * sum([x * x for x in start])
    size = border.size + max(hypot(*start), hypot(*end))
    error = path.deviation(first, last) + ROUNDING * (size + path.magnitude(last))
    contact: float | None = None
    for rival in border.rivals:
        # Half the gradient of h at both ends. Its length is convex, so it is largest at one of them.
        slope = [quadratic * x - y for x, y in zip(start, rival.linear, strict=True)]
        slope_there = [quadratic * x - y for x, y in zip(end, rival.linear, strict=True)]
        least = start_square - 2.0 * sum([x * y for x, y in zip(start, rival.linear, strict=True)])
        least += rival.constant - 2.0 * max(hypot(*slope), hypot(*slope_there)) * error
        least -= ROUNDING * size * size
        if not least > 0.0:
            return 0.0
        # Along the chord: least + 2 share half + share² chord_square = 0.
        half = sum([x * y for x, y in zip(chord, slope, strict=True)])
        root = half * half - chord_square * least
        if not isfinite(root):
            return 0.0
        if half >= 0.0 or root < -ROUNDING * half * half:
            continue
        share = least / (sqrt(max(root, 0.0)) - half)
        if share <= 1.0 + ROUNDING and (contact is None or share < contact):
            contact = share
    return contact
