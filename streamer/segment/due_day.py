"""The day on which a user must be looked at again although nothing happens.

Features of time change with the days, and so may the decision. The *due day* is never later than the first
day with another decision. It may be earlier; on that day the next due day is computed.

Between two days on which a window loses an order, or a number goes to another group, the features stay or
grow by 1 a day. There the components move on a path. If the path is straight, one formula gives the day on
which the user leaves (:mod:`streamer.segment.straight_exit`). Else, and where rounding may decide,
:mod:`streamer.segment.segment_border` computes how long the user surely stays in the segment, and the search
scores the day on which the user may leave.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import partial

from msgspec import Struct

from schemas.outputs.segment_change import FeatureValue
from streamer.segment.active_model import ActiveModel
from streamer.segment.day_path import DayPath, day_path
from streamer.segment.detect_change import kind_of
from streamer.segment.moving_features import Vector, days_to_next_group
from streamer.segment.segment_border import Border, first_possible_exit, is_inside
from streamer.segment.straight_exit import sure_exit
from streamer.user.days.changing_days import next_change_days
from streamer.user.order_rules import Rules
from streamer.user.user_features import features
from streamer.user.user_state import Decided, Position, UserState

MOST_LOOKS = 32
"""How many days one search scores at most. The search then ends early, on the day that it has reached."""

ValuesAt = Callable[[date], Mapping[str, FeatureValue]]
"""Returns a user's features on a day."""

_LAST = date.max.toordinal()


def due_day(state: UserState, model: ActiveModel, rules: Rules, day: date | None) -> date | None:
    """A day after ``day`` up to which the user's decision surely stays, if nothing happens.

    Args:
        state: the user's state, with the decision. If it has a position, it is that of this day.
        model: the release that decides.
        rules: the settings of the features and the scoring.
        day: the day of the decision; None only if no declared feature reads it.

    Returns:
        A day that is never later than the first day with another decision. None if there is no such day up
        to the end of the year 9999, if the model reads no feature of time, and for an erased user.
    """
    if day is None or not model.scorer.reads_day or not state.facts.alive:
        return None
    breaks, position = next_change_days(state, rules, day), state.position
    if position is not None and position.space != model.release.space:
        position = None
    values_at = partial(features, state, rules)
    return first_other_day(values_at, breaks, state.decided, model, rules.min_margin, day, position)


def first_other_day(
    values_at: ValuesAt,
    breaks: Iterable[date],
    decided: Decided | None,
    model: ActiveModel,
    min_margin: float,
    day: date,
    position: Position | None = None,
) -> date | None:
    """A day after ``day`` up to which the decision surely stays: segment, ``provisional`` and ``missing``.

    Args:
        values_at: returns the user's features on a day.
        breaks: the days on which a feature does anything but stay or, as ``days_since`` does, grow by 1;
            ascending. Days up to ``day`` are ignored.
        decided: the user's decision. If the model would decide otherwise on ``day``, the next day is due.
        model: the release that decides.
        min_margin: 0 to 1. The user keeps the present segment until another centre is nearer by this share.
        day: the day of the decision.
        position: the user's components on this day, in the release's space; None: a score gives them.

    Returns:
        A day that is never later than the first day with another decision. None if there is no such day up
        to the end of the year 9999.
    """
    days = _Days(values_at, decided, model, min_margin)
    border = None if decided is None else model.scorer.borders.of(decided.segment, min_margin)
    today = None if border is None else days.first(day.toordinal(), position, border)
    if border is None or today is None:
        due: int | None = day.toordinal() + 1
    else:
        due = _search(days, today, breaks, model, border)
    return None if due is None or due > _LAST else date.fromordinal(due)


class _Look(Struct, frozen=True):
    """A day, and the user's features and components on this day."""

    day: int
    values: Mapping[str, FeatureValue]
    components: Vector


class _Days:
    """A user on any day. It counts the days that were looked at."""

    def __init__(
        self, values_at: ValuesAt, decided: Decided | None, model: ActiveModel, min_margin: float
    ) -> None:
        self._values_at = values_at
        self._decided = decided
        self._present = None if decided is None else decided.segment
        self._scorer = model.scorer
        self._min_margin = min_margin
        self._missing: tuple[str, ...] | None = None
        self._looks = 0

    @property
    def spent(self) -> bool:
        """Whether the search may look at no further day."""
        return self._looks == MOST_LOOKS

    def first(self, day: int, position: Position | None, border: Border) -> _Look | None:
        """As :meth:`look`, without a score if the position shows that the user is in the segment."""
        assert self._decided is not None
        if (
            position is None
            or self._decided.provisional != bool(position.missing)
            or not is_inside(position.components, border)
        ):
            return self.look(day)
        self._missing = position.missing
        return _Look(day, self._values_at(date.fromordinal(day)), position.components)

    def look(self, day: int) -> _Look | None:
        """The user on a day; None if the decision would be another than on the first day looked at."""
        self._looks += 1
        values = self._values_at(date.fromordinal(day))
        score = self._scorer.score(values, self._present, self._min_margin)
        if kind_of(self._decided, score) is not None or self._missing not in (None, score.missing):
            return None
        self._missing = score.missing
        return _Look(day, values, score.components)


def _search(days: _Days, at: _Look, breaks: Iterable[date], model: ActiveModel, border: Border) -> int | None:
    """The due day; None if there is none.

    Args:
        days: the user on any day.
        at: the user on the day of the decision.
        breaks: see :func:`first_other_day`.
        model: the release that decides.
        border: the border of the user's segment.
    """
    moving = model.scorer.moving
    turns = iter(breaks)
    turn = at.day
    while True:
        while turn <= at.day:
            turn = _day(next(turns, None))
        to_next_group = days_to_next_group(moving, at.values)
        until = turn if to_next_group is None else min(turn, at.day + to_next_group)
        due = _first_on_path(days, at, day_path(at.components, moving, at.values), border, until)
        if due is not None or until > _LAST:
            return due
        if days.spent or (seen := days.look(until)) is None:
            return until
        at = seen


def _first_on_path(days: _Days, at: _Look, path: DayPath, border: Border, until: int) -> int | None:
    """The due day after ``at`` and before ``until``; None if the user surely stays.

    Args:
        days: the user on any day.
        at: the user on the first day of the path.
        path: the path of the user, up to ``until``.
        border: the border of the user's segment.
        until: a later day.
    """
    first, last = 1, until - 1 - at.day
    if not path.parts or first > last:
        return None
    if path.straight and (exit_day := sure_exit(path, border, last)) is not None:
        return at.day + exit_day if exit_day else None
    while first <= last:
        exit_day = first_possible_exit(path, border, first, last)
        if exit_day is None:
            return None
        if days.spent or days.look(at.day + exit_day) is None:
            return at.day + exit_day
        first = exit_day + 1
    return None


def _day(turn: date | None) -> int:
    """The ordinal of a day; after the last day of the calendar if there is none."""
    return _LAST + 1 if turn is None else turn.toordinal()
