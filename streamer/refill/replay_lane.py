"""A window of a lane's log decided once more, in memory, and compared with what was decided live. Pure.

Between two topics Kafka fixes no order. Each live change tells how far the lane had come in each input
(``cause.positions``), so a replay follows the live order from change to change; in between it goes by the
records' times. Changes on the way may therefore be others than the live ones; a user's last state is not.
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
from streamer.segment.decide_event import process
from streamer.user.order_rules import Rules
from streamer.user.user_state import Contradiction, UserState


def in_live_order(inputs: Mapping[str, Iterable[Incoming]], marks: Iterable[Cause]) -> Iterator[Incoming]:
    """Merge a lane's inputs.

    Args:
        inputs: each by offset; at equal times the first goes first.
        marks: causes of live changes, in the order in which they were decided: all events below a mark's
            positions go before it, and no others.
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
    """Whether the event is the mark itself, which goes last."""
    return mark is not None and _written_at(event.cause) == _written_at(mark)


def _written_at(cause: Cause) -> tuple[str | None, int | None, int | None]:
    return cause.topic, cause.partition, cause.offset


class Replay:
    """The states of users, each whole, and what one model decides for them; ``refusals`` gets what it refuses."""

    def __init__(
        self, states: Mapping[str, UserState], model: ActiveModel, rules: Rules, refusals: Refusals
    ) -> None:
        self._states = dict(states)
        self._model = model
        self._rules = rules
        self._positions: dict[str, int] = {}
        self._refusals = refusals

    def state(self, user_id: str) -> UserState:
        return self._states.get(user_id) or UserState(user_id)

    def apply(self, incoming: Incoming, now: datetime) -> tuple[Change, ...]:
        """One event; its changes name it as their cause, with how far this replay has come."""
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
        except Exception as error:  # noqa: BLE001 - a dead letter, as it was live
            self._refusals.add(incoming.event, error)
            return ()
        self._states[step.state.user_id] = step.state
        return step.changes


class Told(Struct, frozen=True):
    """A change as two runs are compared by."""

    kind: str
    segment: int | None
    provisional: bool | None
    topic: str | None
    offset: int | None


class UserReplay(Struct, frozen=True):
    """A user's changes in the window, live and replayed, and where each run left the user.

    Attributes:
        live_segment: None for a user who is erased, or never had one.
        live_known: whether the live decision is known at all; the log may have lost it.
    """

    user_id: str
    live: tuple[Told, ...]
    replayed: tuple[Told, ...]
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
    """A user's two runs. ``state`` is the user's after the replay."""
    last = live.last.get(user_id)
    return UserReplay(
        user_id,
        tuple(_told(change) for change in live.within.get(user_id, ())),
        tuple(_told(change) for change in replayed),
        None if last is None else last.segment,
        None if state.decided is None else state.decided.segment,
        user_id in live.last,
    )


def _told(change: Change) -> Told:
    cause = change.cause
    if isinstance(change, SegmentChange):
        return Told(change.kind, change.segment, change.provisional, cause.topic, cause.offset)
    return Told(change.kind, None, None, cause.topic, cause.offset)
