"""Which users a fit learns from, and which facts their features are made of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from schemas import times
from schemas.errors import BadSetting


@dataclass(frozen=True, slots=True)
class Window:
    """A training window; None in each place is no bound.

    The features of a user are made of the user's whole history before ``as_of``, as the live ones are:
    a window leaves users out, never a part of their history.

    Attributes:
        as_of: only facts strictly before it count.
        start: only users with a counted order at or after it train…
        end: …and strictly before it.
    """

    as_of: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None

    @property
    def told(self) -> str:
        """Its bounds, for people."""
        bounds = (("from", self.start), ("to", self.end), ("as_of", self.as_of))
        return ", ".join(f"{name} {times.text(at)}" for name, at in bounds if at is not None)

    @classmethod
    def between(cls, start: datetime | None, end: datetime | None, as_of: datetime | None) -> Self:
        """A window whose ``as_of`` is its end where none is given.

        Raises:
            BadSetting: the end is not after the start, or the start or the end lies behind ``as_of``.
        """
        if start is not None and end is not None and end <= start:
            raise BadSetting("to", times.text(end), f"give a time after from, which is {times.text(start)}")
        for name, at in (("from", start), ("to", end)):
            if as_of is not None and at is not None and at > as_of:
                raise BadSetting(
                    name,
                    times.text(at),
                    f"only what happened before as_of counts, which is {times.text(as_of)}: give an earlier time",
                )
        return cls(end if as_of is None else as_of, start, end)


EVERYTHING = Window()
