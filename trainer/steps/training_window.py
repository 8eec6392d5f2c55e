"""The training window: which users a fit learns from, and which facts count."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Self

from schemas import times
from schemas.days import bound_text
from schemas.errors import BadSetting


@dataclass(frozen=True, slots=True)
class Window:
    """A training window; None: no bound.

    A user's features come from the user's whole history before ``as_of``, as in live scoring. So a window
    leaves out users, but never a part of a user's history.

    Attributes:
        as_of: only facts strictly before this time count.
        start: only users with a counted order at or after this time (and before ``end``) train.
        end: only users with a counted order strictly before this time (and not before ``start``) train.
        day: the date of the features of time; needed only if the model has some.
        zone: the zone in which a day of an option begins, for messages.
    """

    as_of: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None
    day: date | None = None
    zone: tzinfo = UTC

    @property
    def text(self) -> str:
        """The bounds, for people."""
        bounds = (("from", self.start), ("to", self.end), ("as_of", self.as_of))
        return ", ".join(f"{name} {_text(at, self.zone)}" for name, at in bounds if at is not None)

    @classmethod
    def between(
        cls, start: datetime | None, end: datetime | None, as_of: datetime | None, zone: tzinfo = UTC
    ) -> Self:
        """A window; ``as_of`` is the end if it is None.

        Args:
            start: users with an order at or after this time train; None: no bound.
            end: users with an order before this time train; None: no bound.
            as_of: only facts before this time count; None: ``end``.
            zone: the zone in which a day of an option begins.

        Raises:
            BadSetting: the end is not after the start, or ``as_of`` is before the start or the end.
        """
        if start is not None and end is not None and end <= start:
            raise BadSetting("to", _text(end, zone), f"give a time after from, which is {_text(start, zone)}")
        for name, at in (("from", start), ("to", end)):
            if as_of is not None and at is not None and at > as_of:
                raise BadSetting(
                    name,
                    _text(at, zone),
                    f"only facts before as_of count, which is {_text(as_of, zone)}: give an earlier time",
                )
        return cls(end if as_of is None else as_of, start, end, zone=zone)


def _text(at: datetime, zone: tzinfo) -> str:
    return bound_text(times.text(at), zone)


EVERYTHING = Window()
