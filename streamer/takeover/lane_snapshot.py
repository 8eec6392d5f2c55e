"""What a takeover starts from: the committed offsets, the place and the topics' bounds, as of one moment.

Kafka and Redis are asked one after the other, and the fence keeps only the former owner out: another worker may
take the lane between two answers, and then they tell of two moments.
"""

from typing import NoReturn

from msgspec import Struct

from schemas.errors import NeedsRebuild
from schemas.topics import Topics
from streamer.interfaces.lane_errors import InDoubt, Torn
from streamer.interfaces.lane_interfaces import Bounds, Committed, Log, Store
from streamer.place import place as places
from streamer.place.place import Place
from streamer.place.place_marks import is_emptied


class LaneSnapshot(Struct, frozen=True):
    """One lane in Kafka and in Redis.

    Attributes:
        committed: by input, the group's stable offset; an input without one is absent.
        stored: the place as its bytes lie in Redis.
        place: what these bytes say; None where they count for nothing, since the lane is torn.
        torn: why it is. What Redis holds of the lane is then to be emptied, and folded again.
        inputs: by input, the bounds of the lane's partition, in the order of the inputs.
        users: the bounds of the lane's partition of ``user-segments``.
    """

    committed: dict[str, Committed]
    stored: bytes | None
    place: Place | None
    torn: Torn | None
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
        if (log.committed(), follow_lane(store)[0]) != (self.committed, self.stored):
            raise _taken()

    def refuse(self, reason: NeedsRebuild) -> NoReturn:
        """Say that an operator must decide, and also what was wrong with Redis before."""
        raise (
            reason
            if self.torn is None
            else NeedsRebuild(f"{self.torn}. So nothing counts that it has: {reason}")
        )


def read_snapshot(log: Log, store: Store, topics: Topics) -> LaneSnapshot:
    """Read a lane whose producer was started just before.

    Raises:
        InDoubt: another worker committed meanwhile.
        NeedsRebuild: the place is none that a worker can go on from.
    """
    committed = log.committed()
    stored, torn = follow_lane(store)
    inputs = {topic: log.watch(topic) for topic in topics.inputs}
    users = log.watch(topics.users)
    # Another that took the lane meanwhile may have decided further. Without its offsets, its decisions
    # would be adopted, and the place would no longer tell which events they came from.
    if log.committed() != committed:
        raise _taken()
    void = stored is None or torn is not None or is_emptied(stored)
    place = None if stored is None or void else places.decode(stored)
    return LaneSnapshot(committed, stored, place, torn, inputs, users)


def follow_lane(store: Store) -> tuple[bytes | None, Torn | None]:
    """Take the store to where the lane's states lie; the place's bytes there, and what is wrong with them."""
    try:
        return store.follow(), None
    except Torn as torn:
        return torn.place, torn


def _taken() -> InDoubt:
    return InDoubt("another worker has taken this lane over")
