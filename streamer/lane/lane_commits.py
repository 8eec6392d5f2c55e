"""The transactions of one lane: the changes of a batch with their records, and the inputs' next offsets."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from schemas.outputs.segment_change import Change
from streamer.batch.batch_users import Users
from streamer.batch.change_records import change_records
from streamer.batch.lane_config import LaneConfig
from streamer.interfaces.lane_interfaces import Log, OutRecord
from streamer.lane.lane_saves import LaneSaves
from streamer.lane.release_switch import Turn


class LaneCommits:
    """Commits the batches of one lane.

    Args:
        partition: the lane's partition number.
        log: the lane's side of Kafka.
        saves: the lane's saves; it holds the place.
        config: the settings of the lanes.
    """

    def __init__(self, partition: int, log: Log, saves: LaneSaves, config: LaneConfig) -> None:
        self._partition = partition
        self._log = log
        self._saves = saves
        self._topics = config.topics

    @property
    def positions(self) -> dict[str, int]:
        """The lane's next offset in each input; empty before the first takeover."""
        place = self._saves.place
        return {} if place is None else {topic: place.positions[topic] for topic in self._topics.inputs}

    def commit(
        self,
        changes: Sequence[Change],
        users: Users,
        turn: Turn,
        others: Sequence[OutRecord],
        positions: dict[str, int],
        traces: Mapping[str, bytes] = MappingProxyType({}),
    ) -> dict[str, int]:
        """Commit one transaction.

        Args:
            changes: the changes of the batch.
            users: the users of the batch, after their decisions.
            turn: the model and the day that decided.
            others: the records besides those of the changes.
            positions: the inputs' next offsets.
            traces: the trace contexts of changes, by ``event_id``.

        Returns:
            The next offsets by topic: of the inputs and, if it was written, of ``user-segments``.
        """
        out = [record for change in changes for record in self._records(change, users, turn, traces)]
        if turn.day is not None:
            self._log.note_day(turn.day)
        written = self._log.commit([*out, *others], positions)
        topic = self._topics.users
        return {**positions, topic: written[topic]} if topic in written else positions

    def _records(
        self, change: Change, users: Users, turn: Turn, traces: Mapping[str, bytes]
    ) -> tuple[OutRecord, OutRecord]:
        erased_at = users[change.user_id].facts.erased_at
        trace = traces.get(change.event_id)
        return change_records(change, self._topics, self._partition, turn.model.topic_id, erased_at, trace)
