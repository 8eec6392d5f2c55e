"""Replay: decide a window of a lane's log again, in memory, and compare it with the live decisions. Pure.

A replay follows the live order as far as it is known (:mod:`streamer.refill.live_order`), and the live days
(:mod:`streamer.refill.replay_days`). So the changes on the way may differ from the live changes, but a user's
last state does not.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import date, datetime

from msgspec import Struct
from msgspec.structs import replace

from schemas.errors import BadEvent, SegueError
from schemas.outputs.segment_change import Cause, Change, SegmentChange
from streamer.batch.read_batch import Incoming
from streamer.batch.refusals import Refusals
from streamer.refill.live_decisions import Live
from streamer.segment.active_model import ActiveModel
from streamer.segment.decide_event import decide, placed, process
from streamer.segment.lane_day import LaneDay, beginning_of, stored_day
from streamer.user.order_rules import Rules
from streamer.user.user_state import Contradiction, UserState


class Replay:
    """Decides the events of users again with one model.

    Args:
        states: the users' whole states before the window.
        model: the release that decides.
        rules: the settings of the fold and the scoring.
        refusals: gets the events that cannot be applied.
    """

    def __init__(
        self, states: Mapping[str, UserState], model: ActiveModel, rules: Rules, refusals: Refusals
    ) -> None:
        self._states = dict(states)
        self._model = model
        self._rules = rules
        self._positions: dict[str, int] = {}
        self._refusals = refusals
        self._due: dict[str, date] = {}

    @property
    def states(self) -> Iterable[UserState]:
        """Every user's present state."""
        return self._states.values()

    def state(self, user_id: str) -> UserState:
        return self._states.get(user_id) or UserState(user_id)

    def begin(self, day: date, moved_by_time: Container[str]) -> None:
        """Find out who is due; call it before the first event if a feature reads the day.

        A user whom the release would decide otherwise already waits for an event, unless the live run decided
        the user by time.

        Args:
            day: the lane's day before the first event.
            moved_by_time: the users whom the live run decided by time.
        """
        for state in self._states.values():
            now, other = placed(state, self._model, self._rules, day)
            if not other:
                self._note_due(now, day)
            elif state.user_id in moved_by_time:
                self._due[state.user_id] = day

    def apply(self, incoming: Incoming, now: datetime, day: date | None) -> tuple[Change, ...]:
        """The changes of one event; their cause is the event, with this replay's positions.

        Args:
            incoming: the event.
            now: the time of the changes' ``emitted_at``.
            day: the lane's day; None only if no declared feature reads the day.
        """
        self._positions[incoming.topic] = incoming.offset + 1
        before = self.state(incoming.event.user_id)
        try:
            step = process(
                before,
                incoming.event,
                replace(incoming.cause, type="replay", positions=dict(self._positions), day=stored_day(day)),
                self._model,
                self._rules,
                now,
            )
        except BadEvent as bad:
            self._refusals.add(incoming.event, bad)
            return ()
        except (SegueError, Contradiction, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - the lane wrote a dead letter for it, too
            self._refusals.add(incoming.event, error)
            return ()
        if step.state is not before:  # else it was decided on an earlier day, and the due day of then holds
            self._states[step.state.user_id] = step.state
            self._note_due(step.state, day)
        return step.changes

    def decide_due(self, day: date, now: datetime) -> Iterator[tuple[str, tuple[Change, ...]]]:
        """Decide the users who are due on a day, as a worker does; give each with its changes."""
        occurred_at = beginning_of(self._rules, day)
        for user_id in sorted(user_id for user_id, due in self._due.items() if due <= day):
            cause = Cause(type="replay", positions=dict(self._positions), day=day)
            step = decide(self._states[user_id], cause, occurred_at, self._model, self._rules, now)
            self._states[user_id] = step.state
            self._note_due(step.state, day)
            yield user_id, step.changes

    def redecide(self, user_id: str, now: datetime, day: date | None) -> tuple[Change, ...]:
        """The changes of a user whom the model decides without an event, as a worker's sweep does.

        Args:
            user_id: the user.
            now: the time of the change.
            day: the lane's day; None only if no declared feature reads the day.
        """
        cause = Cause(type="model", positions=dict(self._positions), day=stored_day(day))
        step = decide(self.state(user_id), cause, now, self._model, self._rules, now)
        self._states[user_id] = step.state
        self._note_due(step.state, day)
        return step.changes

    def _note_due(self, state: UserState, day: date | None) -> None:
        due = None if day is None else LaneDay(day, self._model, self._rules).due(state)
        if due is None:
            self._due.pop(state.user_id, None)
        else:
            self._due[state.user_id] = due


class ComparedChange(Struct, frozen=True):
    """The part of a change that is compared between the live run and the replay."""

    kind: str
    segment: int | None
    provisional: bool | None
    topic: str | None
    offset: int | None


class UserReplay(Struct, frozen=True):
    """A user's changes in the window, live and replayed, and the last segment of each run.

    Attributes:
        user_id: the user.
        live: the live changes.
        replayed: the replayed changes.
        live_segment: the last live segment; None if the user was erased or never had a segment.
        replayed_segment: the last replayed segment; None if the user was erased or never had a segment.
        live_known: the last live decision is known; the log may have lost it.
    """

    user_id: str
    live: tuple[ComparedChange, ...]
    replayed: tuple[ComparedChange, ...]
    live_segment: int | None
    replayed_segment: int | None
    live_known: bool

    @property
    def ends_alike(self) -> bool:
        return not self.live_known or self.live_segment == self.replayed_segment

    @property
    def same_way(self) -> bool:
        return self.live == self.replayed


def compared(user_id: str, live: Live, replayed: Iterable[Change], state: UserState) -> UserReplay:
    """The comparison of a user's two runs.

    Args:
        user_id: the user.
        live: the live decisions.
        replayed: the changes of the replay.
        state: the user's state after the replay.
    """
    last = live.last.get(user_id)
    return UserReplay(
        user_id,
        tuple(_compared_change(change) for change in live.within.get(user_id, ())),
        tuple(_compared_change(change) for change in replayed),
        None if last is None else last.segment,
        None if state.decided is None else state.decided.segment,
        user_id in live.last,
    )


def _compared_change(change: Change) -> ComparedChange:
    cause = change.cause
    if isinstance(change, SegmentChange):
        return ComparedChange(change.kind, change.segment, change.provisional, cause.topic, cause.offset)
    return ComparedChange(change.kind, None, None, cause.topic, cause.offset)
