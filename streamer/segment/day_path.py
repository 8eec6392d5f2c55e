"""The path of a user's components over the days, while nothing happens."""

from collections.abc import Mapping
from math import ceil, exp, hypot, log, log1p

from msgspec import Struct

from schemas.outputs.segment_change import FeatureValue
from streamer.segment.moving_features import Moving, Vector

# The rounding of a day that was computed from a logarithm is far below this share of a day.
_ROUNDING = 1e-6


class Part(Struct, frozen=True):
    """What one feature adds to the path: ``per_unit`` for each day, or for each 1 of the logarithm.

    Attributes:
        per_unit: a vector in the space of the components.
        length: the length of ``per_unit``.
        log: whether the model reads the logarithm.
        offset: 1 + the feature's value on day 0.
        mean: the training mean of the model's input.
    """

    per_unit: Vector
    length: float
    log: bool
    offset: float
    mean: float


class DayPath(Struct, frozen=True):
    """The components on day 0, 1, 2…, as long as each feature of ``parts`` grows by 1 a day.

    The *clock* of a path is ln(``origin`` + day), where ``origin`` is the smallest offset of a logarithm.
    Without a logarithm, ``origin`` is None and the clock is the day. Every part is a convex function of the
    clock. If every part is a linear function of it, the path is straight.
    """

    start: Vector
    parts: tuple[Part, ...]
    origin: float | None
    straight: bool

    @property
    def per_unit(self) -> Vector:
        """What all parts of a straight path add, for each 1 that the day or the logarithm grows."""
        if len(self.parts) == 1:
            return self.parts[0].per_unit
        return tuple(map(sum, zip(*[part.per_unit for part in self.parts], strict=True)))

    def at(self, day: int) -> Vector:
        """The components on a day. A score may round in another way."""
        there = self.start
        for part in self.parts:
            grown = log1p(day / part.offset) if part.log else day
            there = tuple([x + grown * weight for x, weight in zip(there, part.per_unit, strict=True)])
        return there

    def deviation(self, first: int, last: int) -> float:
        """An upper bound of the distance between the path and its chord, for the days from first to last.

        Path and chord are compared at equal times of the clock. A convex function f over [a, b] is below its
        chord by at most (b - a) (f'(b) - f'(a)) / 4.
        """
        if self.straight:
            return 0.0
        bends = sum(
            [part.length * (self._slope(part, last) - self._slope(part, first)) for part in self.parts]
        )
        return (self._clock(last) - self._clock(first)) * bends / 4.0

    def magnitude(self, day: int) -> float:
        """An upper bound of the vectors that a score adds up for the parts, up to a day; for rounding."""
        inputs = [(part, log(part.offset + day) if part.log else part.offset + day) for part in self.parts]
        return sum([part.length * (abs(part.mean) + most) for part, most in inputs])

    def day_at(self, first: int, last: int, share: float) -> int:
        """The first day at or after this share of the time between two days, by the clock."""
        if self.origin is None:
            day = first + share * (last - first)
        else:
            passed = self._clock(last) - self._clock(first)
            day = (self.origin + first) * exp(share * passed) - self.origin
        return whole_day(day, first, last)

    def _clock(self, day: int) -> float:
        return day if self.origin is None else log(self.origin + day)

    def _slope(self, part: Part, day: int) -> float:
        """The derivative of a part's input by the clock."""
        if self.origin is None:
            return 1.0
        return (self.origin + day) / (part.offset + day) if part.log else self.origin + day


def whole_day(day: float, first: int, last: int) -> int:
    """The first whole day at or after a computed one, between two days."""
    return min(max(ceil(day - _ROUNDING), first), last)


def day_path(start: Vector, moving: tuple[Moving, ...], values: Mapping[str, FeatureValue]) -> DayPath:
    """The path from a day on.

    Args:
        start: the components on this day.
        moving: the features that grow by 1 each day.
        values: the features' values on this day. A missing feature does not move the user.
    """
    parts = tuple(
        Part(each.per_unit, hypot(*each.per_unit), each.feature.encoding == "log", 1.0 + value, each.mean)
        for each in moving
        if each.feature.encoding != "quantile"
        and isinstance(value := values.get(each.feature.name), int | float)
    )
    offsets = [part.offset for part in parts if part.log]
    origin = min(offsets, default=None)
    straight = origin is None or (len(offsets) == len(parts) and max(offsets) == origin)
    return DayPath(start, parts, origin, straight)
