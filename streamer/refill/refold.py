"""Folds a lane's log again, without Redis: gives every user's state at some place.

A refold decides nothing. Every event before the place was already decided, and ``user-segments`` holds the
decisions. So a refold folds the events and reads the decisions. It is pure, except that states that do not
fit into memory go to disk (:mod:`streamer.refill.kept_states`).
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping

from schemas.input_events import Event
from streamer.batch.decided_records import adopted
from streamer.batch.lane_config import LaneConfig
from streamer.batch.refusals import Refusals
from streamer.interfaces.lane_interfaces import Reading
from streamer.refill.kept_states import KeptStates
from streamer.takeover.read_stretch import by_user, read_between, read_events
from streamer.user.fold_events import fold_all
from streamer.user.user_state import UserState


class Refold:
    """The whole states of a lane's users, from the log up to ``positions``.

    Args:
        log: reads the lane's partition.
        config: the settings of the lanes.
        positions: the offsets to begin at, by input; also of ``user-segments`` if decisions are wanted.
        states: the users' states at these offsets.
        only: the ids of the users to fold; None for all.
        refusals: the facts that were refused before; the facts that this fold refuses are added.
        progress: called with the number of records read so far.
    """

    def __init__(
        self,
        log: Reading,
        config: LaneConfig,
        positions: Mapping[str, int],
        states: Iterable[UserState] = (),
        *,
        only: Container[str] | None = None,
        refusals: Refusals | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._log = log
        self._config = config
        self._progress = progress
        self.positions = dict(positions)
        self._only = only
        self.refusals = Refusals() if refusals is None else refusals
        self.states = KeptStates()
        self.records = 0
        for state in states:
            if self._is_wanted(state.user_id):
                self.states.put(state)

    def close(self) -> None:
        """Delete the states."""
        self.states.close()

    def go_to(self, positions: Mapping[str, int]) -> None:
        """Read up to these offsets; an offset that was already passed stays.

        The inputs come first: an erasure deletes the decision, and the record that follows gives the next
        decision.
        """
        topics = self._config.topics
        ends = {topic: max(at, positions.get(topic, at)) for topic, at in self.positions.items()}
        self._fold({topic: ends[topic] for topic in topics.inputs})
        if topics.users in ends:
            self._adopt(ends[topics.users])
        self.positions = ends

    def _fold(self, ends: Mapping[str, int]) -> None:
        begin = {topic: self.positions[topic] for topic in ends}
        for records, incoming in read_events(self._log, begin, ends, self._config):
            of_user: dict[str, list[Event]] = defaultdict(list)
            for event in (one.event for one in incoming):
                if self._is_wanted(event.user_id):
                    of_user[event.user_id].append(event)
            for user_id, events in of_user.items():
                self.states.put(
                    fold_all(self.states.get(user_id), events, self._config.rules, self.refusals.add)
                )
            self._count(records)

    def _adopt(self, end: int) -> None:
        topic = self._config.topics.users
        begin = {topic: self.positions[topic]}
        for records in read_between(self._log, begin, {topic: end}, self._config.max_batch):
            for user_id, record in by_user(records):
                if self._is_wanted(user_id):
                    self.states.put(adopted(self.states.get(user_id), record))
            self._count(len(records))

    def _is_wanted(self, user_id: str) -> bool:
        return self._only is None or user_id in self._only

    def _count(self, records: int) -> None:
        self.records += records
        self._progress(self.records)
