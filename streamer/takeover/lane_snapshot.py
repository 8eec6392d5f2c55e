"""The start of a takeover: the committed offsets, the place and the topics' bounds, as of one moment.

Kafka and Redis are asked one after the other. The fence locks out only the former owner, so another worker
may take the lane between two answers. Then the answers belong to two moments.
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
        committed: by input, the group's stable offset; an input without a committed offset is absent.
        stored: the bytes of the place in Redis; None if there is no place.
        place: the decoded place; None if there is no place, or if it does not count because the lane is torn
            or half emptied.
        torn: why the lane is torn; None if it is not. A torn lane must be emptied in Redis and folded again.
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
        """Ask Kafka and Redis again.

        Raises:
            InDoubt: the offsets or the place have changed.
        """
        if (log.committed(), follow_lane(store)[0]) != (self.committed, self.stored):
            raise _taken()

    def refuse(self, reason: NeedsRebuild) -> NoReturn:
        """Raise that an operator must decide, and name the reason why the lane is torn, if it is."""
        raise (
            reason
            if self.torn is None
            else NeedsRebuild(f"{self.torn}. So the states in Redis do not count: {reason}")
        )


def read_snapshot(log: Log, store: Store, topics: Topics) -> LaneSnapshot:
    """The lane in Kafka and Redis; call it just after the lane's producer was started.

    Raises:
        InDoubt: another worker committed meanwhile.
        NeedsRebuild: a worker cannot continue from the stored place.
    """
    committed = log.committed()
    stored, torn = follow_lane(store)
    inputs = {topic: log.watch(topic) for topic in topics.inputs}
    users = log.watch(topics.users)
    # Another worker that took the lane meanwhile may have decided more events. This takeover would adopt
    # those decisions without the offsets, and the place would no longer show which events led to them.
    if log.committed() != committed:
        raise _taken()
    void = stored is None or torn is not None or is_emptied(stored)
    place = None if stored is None or void else places.decode(stored)
    return LaneSnapshot(committed, stored, place, torn, inputs, users)


def follow_lane(store: Store) -> tuple[bytes | None, Torn | None]:
    """Move the store to the lane's present prefix; return the place's bytes there, and why it is torn."""
    try:
        return store.follow(), None
    except Torn as torn:
        return torn.place, torn


def _taken() -> InDoubt:
    return InDoubt("another worker has taken this lane over")
