"""Replay: decide a window of a lane's log again, in memory, and compare it with the live decisions. Pure.

Kafka fixes no order between two topics. Each live change names the lane's offset in each input
(``cause.positions``), so a replay follows the live order from change to change. Between two changes, it goes
by the records' times. So the changes on the way may differ from the live changes, but a user's last state
does not.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from math import inf

from msgspec import Struct
from msgspec.structs import replace

from schemas.errors import BadEvent, SegueError
from schemas.outputs.segment_change import Cause, Change, SegmentChange
from streamer.batch.read_batch import Incoming
from streamer.batch.refusals import Refusals
from streamer.refill.live_decisions import Live
from streamer.segment.active_model import ActiveModel
from streamer.segment.decide_event import decide, process
from streamer.user.order_rules import Rules
from streamer.user.user_state import Contradiction, UserState


def in_live_order(inputs: Mapping[str, Iterable[Incoming]], marks: Iterable[Cause]) -> Iterator[Incoming]:
    """The events of all inputs in the live order.

    Args:
        inputs: the events of each input, by offset. At equal times, the first input goes first.
        marks: the causes of the live changes, in the order of the decisions. Exactly the events below a
            mark's positions come before the mark.
    """
    streams = {topic: iter(events) for topic, events in inputs.items()}
    heads = {topic: next(stream, None) for topic, stream in streams.items()}
    for mark in (*marks, None):
        while ready := [event for event in heads.values() if event is not None and _is_below(event, mark)]:
            event = min(ready, key=lambda event: (_is_of(event, mark), event.written_ms))
            yield event
            heads[event.topic] = next(streams[event.topic], None)


def _is_below(event: Incoming, mark: Cause | None) -> bool:
    return event.offset < (inf if mark is None else mark.positions.get(event.topic, 0))


def _is_of(event: Incoming, mark: Cause | None) -> bool:
    """Whether the event is the mark itself, which goes last among the events below its positions."""
    return mark is not None and _written_at(event.cause) == _written_at(mark)


def _written_at(cause: Cause) -> tuple[str | None, int | None, int | None]:
    return cause.topic, cause.partition, cause.offset


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

    @property
    def states(self) -> Iterable[UserState]:
        """Every user's present state."""
        return self._states.values()

    def state(self, user_id: str) -> UserState:
        return self._states.get(user_id) or UserState(user_id)

    def apply(self, incoming: Incoming, now: datetime) -> tuple[Change, ...]:
        """The changes of one event; their cause is the event, with this replay's positions."""
        self._positions[incoming.topic] = incoming.offset + 1
        try:
            step = process(
                self.state(incoming.event.user_id),
                incoming.event,
                replace(incoming.cause, type="replay", positions=dict(self._positions)),
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
        self._states[step.state.user_id] = step.state
        return step.changes

    def redecide(self, user_id: str, now: datetime) -> tuple[Change, ...]:
        """The changes of a user whom the model decides without an event, as a worker's sweep does."""
        cause = Cause(type="model", positions=dict(self._positions))
        step = decide(self.state(user_id), cause, now, self._model, self._rules, now)
        self._states[user_id] = step.state
        return step.changes


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
