"""The smallest change of each feature that moves a user to another segment. Pure.

A number moves the user along a straight line of the space. Where this line leaves the segment follows from
the borders; the scorer then confirms the value. A text has few values, so the scorer tries all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil, dist, expm1, floor, fsum, inf, isfinite, log10, sqrt

from schemas.outputs.segment_change import FeatureValue
from schemas.release.model_release import OF_NUMBERS, EncodedFeature, ModelRelease
from schemas.release.number_inputs import number_input
from segue.show.user_moves import FeatureMove
from streamer.segment.scoring import Score, Scorer
from streamer.segment.segment_border import Border, border_of

_MOST_DEVIATIONS = 4.0
"""A number beyond so many standard deviations from the training mean moves nobody in practice."""
_MOST_TEXTS = 5_000
_DIGITS = 3
_ROUNDING = 1e-9


class _User:
    """A user and the release that scores it."""

    def __init__(
        self,
        features: Mapping[str, FeatureValue],
        segment: int | None,
        release: ModelRelease,
        min_margin: float,
    ) -> None:
        self.features, self.release, self.min_margin = features, release, min_margin
        self._scorer, self._present = Scorer(release), segment
        self.now = self._score(features)

    def move(self, feature: str, value: FeatureValue) -> FeatureMove | None:
        """Return the move that a value makes; None if the user stays."""
        score = self._score({**self.features, feature: value})
        if score.segment == self.now.segment or feature in score.missing:
            return None
        distance = dist(self.now.components, score.components)
        return FeatureMove(feature, value, score.segment, score.segment_name, distance)

    def _score(self, features: Mapping[str, FeatureValue]) -> Score:
        return self._scorer.score(features, self._present, self.min_margin)


def smallest_changes(
    features: Mapping[str, FeatureValue],
    segment: int | None,
    release: ModelRelease,
    min_margin: float = 0.0,
) -> tuple[FeatureMove, ...]:
    """Return the smallest change of each feature that can move the user, the smallest of all first.

    A missing feature is left out: that it becomes known is no change of the user.

    Args:
        features: the user's values by feature.
        segment: the user's segment; None for an imagined user, who is in the nearest one.
        release: the release that scores.
        min_margin: 0 to 1. The user stays until another centre is nearer by this share.
    """
    user = _User(features, segment, release, min_margin)
    found = []
    column = 0
    for feature in release.features:
        if feature.name not in user.now.missing:
            moves = filter(None, _moves(feature, column, user))
            if (smallest := min(moves, key=_by_distance, default=None)) is not None:
                found.append(smallest)
        column += feature.width
    return tuple(sorted(found, key=_by_distance))


def _by_distance(move: FeatureMove) -> float:
    return move.distance


def _moves(feature: EncodedFeature, column: int, user: _User) -> Iterator[FeatureMove | None]:
    value = user.features[feature.name]
    if feature.encoding not in OF_NUMBERS:
        if len(feature.categories) <= _MOST_TEXTS:
            yield from (user.move(feature.name, text) for text in feature.categories)
    elif isinstance(value, bool):
        yield user.move(feature.name, not value)
    elif isinstance(value, (int, float)):
        candidates = _of_groups if feature.encoding == "quantile" else _of_line
        for outward, number in candidates(feature, column, value, user):
            yield _first_move(feature, outward, number, value, user)


def _of_groups(
    feature: EncodedFeature, _column: int, value: float, _user: _User
) -> Iterator[tuple[float, float]]:
    """Yield, upwards and downwards, the borders of the groups."""
    yield from ((1.0, cut) for cut in feature.cuts if cut >= value)
    # A number on a border is in the lower group.
    yield from ((-1.0, cut) for cut in reversed(feature.cuts) if cut < value)


def _of_line(
    feature: EncodedFeature, column: int, value: float, user: _User
) -> Iterator[tuple[float, float]]:
    """Yield where the line of this number leaves the segment, upwards and downwards."""
    release = user.release
    mean, scale = release.mean[column], release.scale[column]
    present = number_input(feature, value)
    assert present is not None
    direction = [axis[column] for axis in release.projection]
    border = border_of(release.segments, user.now.segment, user.min_margin)
    at = (present - mean) / scale
    for outward in (1.0, -1.0):
        length = _exit(user.now.components, [outward * x for x in direction], border)
        there = at + outward * length
        if abs(there) <= max(_MOST_DEVIATIONS, abs(at)):
            reached = mean + scale * there
            yield outward, expm1(reached) if feature.encoding == "log" else reached


def _exit(start: tuple[float, ...], direction: list[float], border: Border) -> float:
    """Return how far a ray stays within the border; infinity if it never leaves.

    Along the ray, h is ``square t² + 2 half t + least``; it is above 0 at the start.
    """
    quadratic, first = border.quadratic, inf
    square = quadratic * fsum(x * x for x in direction)
    for rival in border.rivals:
        least = quadratic * fsum(x * x for x in start) + rival.constant
        least -= 2.0 * fsum(x * y for x, y in zip(start, rival.linear, strict=True))
        half = fsum(d * (quadratic * x - y) for d, x, y in zip(direction, start, rival.linear, strict=True))
        root = half * half - square * least
        if half < 0.0 and root >= 0.0:
            first = min(first, max(0.0, least) / (sqrt(root) - half))
    return first


def _first_move(
    feature: EncodedFeature, outward: float, border: float, value: float, user: _User
) -> FeatureMove | None:
    """Return the move of the first plain number past a border; None if there is none."""
    if not isfinite(border):
        return None
    step = 1.0 if isinstance(value, int) else _step(border - value)
    steps = border / step
    # A border that is a whole number of steps may be computed just beyond it.
    number = step * (ceil(steps - _ROUNDING) if outward > 0.0 else floor(steps + _ROUNDING))
    for tried in (number, number + outward * step):
        if tried == value or (tried < 0.0 <= value):
            continue
        plain = int(tried) if isinstance(value, int) else round(tried, 12)
        if (move := user.move(feature.name, plain)) is not None:
            return move
    return None


def _step(change: float) -> float:
    """Return the unit of the last of a few digits of a change.

    >>> [_step(26.677), _step(-0.5)]
    [0.1, 0.001]
    """
    return float(10.0 ** (floor(log10(abs(change))) - _DIGITS + 1)) if change else 10.0**-_DIGITS
