"""One lane's window decided once more: its users as the past left them, its events, and what was decided live."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from msgspec.structs import replace

from schemas.outputs.segment_change import Change
from schemas.outputs.wire import decode_change
from segue.refill.lane_past import LaneLog
from streamer.batch.decided_records import decision_in
from streamer.batch.lane_config import LaneConfig
from streamer.batch.read_batch import Incoming
from streamer.interfaces.lane_interfaces import Reading, Record
from streamer.refill.live_decisions import Live, Window
from streamer.refill.refold import Refold
from streamer.refill.replay_lane import Replay, UserReplay, compared, in_live_order
from streamer.segment.active_model import ActiveModel
from streamer.takeover.read_stretch import read_events, read_whole
from streamer.user.user_state import UserState


class LaneReplay:
    """A lane's replay; it fills its attributes as it goes.

    Args:
        past: the lane where its past begins, without decisions.
        readers: opens one more reader of the lane: in which order to take the inputs is not one reader's to say.
        users: only these; None for all.
        progress: told how many records were read, whenever some were.

    Attributes:
        live: what was decided live.
        undecided_before: users whose decision before the window the log does not tell.
        told: by user who has an event in the window, the changes of the replay.
        refusals: the events that could not be applied, before the window and in it.
    """

    def __init__(
        self,
        log: LaneLog,
        window: Window,
        past: Refold,
        model: ActiveModel,
        config: LaneConfig,
        readers: Callable[[], AbstractContextManager[Reading]],
        users: Container[str] | None,
        progress: Callable[[int], None],
    ) -> None:
        self._log = log
        self._window = window
        self._config = config
        self._readers = readers
        self._users = users
        self._progress = progress
        self.events = 0
        self.live = self._read_live()
        past.go_to(window.begin)
        states = {state.user_id: self._as_decided(state) for state in past.states}
        self.undecided_before = sum(s.facts.alive and s.decided is None for s in states.values())
        self.told: dict[str, list[Change]] = {}
        self._replay = Replay(states, model, config.rules, past.refusals)
        self.refusals = past.refusals

    def changes(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Iterator[Change]:
        """Give each change as it is decided."""
        inputs = {topic: self._input(topic) for topic in self._config.topics.inputs}
        for incoming in in_live_order(inputs, self.live.marks):
            user_id = incoming.event.user_id
            if self._users is not None and user_id not in self._users:
                continue
            self.events += 1
            changes = self._replay.apply(incoming, clock())
            self.told.setdefault(user_id, []).extend(changes)
            yield from changes

    def compared(self) -> Iterator[UserReplay]:
        """Both runs of each user who has an event in the window; after :meth:`changes`."""
        for user_id, changes in self.told.items():
            yield compared(user_id, self.live, changes, self._replay.state(user_id))

    def _as_decided(self, state: UserState) -> UserState:
        """The user as it was decided before the window, by no activation of now: every event decides."""
        decided = self.live.before.get(state.user_id)
        return replace(state, decided=None if decided is None else replace(decided, models_topic=""))

    def _read_live(self) -> Live:
        topics = self._config.topics
        decisions = (decision_in(record) for record in self._output(topics.users))
        live = Live(self._window, (one for one in decisions if one is not None))
        for record in self._output(topics.changes):
            if record.value is not None:
                live.add(decode_change(record.value))
        return live

    def _output(self, topic: str) -> Iterator[Record]:
        bounds = self._log.bounds[topic]
        for records in read_whole(self._log.reader, topic, bounds, self._config.max_batch):
            self._progress(len(records))
            yield from records

    def _input(self, topic: str) -> Iterator[Incoming]:
        begin, end = {topic: self._window.begin[topic]}, {topic: self._window.end[topic]}
        with self._readers() as reader:
            for records, events in read_events(reader, begin, end, self._config):
                self._progress(records)
                yield from events
