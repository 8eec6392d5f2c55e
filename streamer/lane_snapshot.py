"""What a takeover starts from: the committed offsets, the place and the topics' bounds, as of one moment.

Kafka and Redis are asked one after the other, and the fence keeps only the former owner out: another worker may
take the lane between two answers, and then they tell of two moments.
"""

from msgspec import Struct

from schemas.topics import Topics
from streamer import place as places
from streamer.interfaces import Bounds, Committed, Log, Store
from streamer.lane_errors import InDoubt
from streamer.place import Place


class LaneSnapshot(Struct, frozen=True):
    """One lane in Kafka and in Redis.

    Attributes:
        committed: by input, the group's stable offset; an input without one is absent.
        stored: the place as its bytes lie in Redis.
        place: what these bytes say.
        inputs: by input, the bounds of the lane's partition, in the order of the inputs.
        users: the bounds of the lane's partition of ``user-segments``.
    """

    committed: dict[str, Committed]
    stored: bytes | None
    place: Place | None
    inputs: dict[str, Bounds]
    users: Bounds

    def topic_ids(self, topics: Topics) -> dict[str, str]:
        """The ids of the inputs and of ``user-segments``, by topic."""
        return {topic: bounds.topic_id for topic, bounds in {**self.inputs, topics.users: self.users}.items()}

    def ensure_current(self, log: Log, store: Store) -> None:
        """Ask Kafka and Redis once more.

        Raises:
            InDoubt: the offsets or the place are others by now.
        """
        if (log.committed(), store.place()) != (self.committed, self.stored):
            raise _taken()


def read_snapshot(log: Log, store: Store, topics: Topics) -> LaneSnapshot:
    """Read a lane whose producer was started just before.

    Raises:
        InDoubt: another worker committed meanwhile.
        NeedsRebuild: the place is none that a worker can go on from.
    """
    committed = log.committed()
    stored = store.place()
    inputs = {topic: log.bounds(topic) for topic in topics.inputs}
    users = log.bounds(topics.users)
    # Another that took the lane meanwhile may have decided further. Without its offsets, its decisions
    # would be adopted, and the place would no longer tell which events they came from.
    if log.committed() != committed:
        raise _taken()
    return LaneSnapshot(committed, stored, None if stored is None else places.decode(stored), inputs, users)


def _taken() -> InDoubt:
    return InDoubt("another worker has taken this lane over")
