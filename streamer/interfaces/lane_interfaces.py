"""The two interfaces of a lane to the outside: a log and a store.

In production, the log is Kafka (:mod:`streamer.kafka.kafka_log`) and the store is Redis
(:mod:`streamer.redis.redis_store`). In :mod:`streamer.in_memory`, both are dictionaries with the same
promises. All calls are synchronous, because a lane is one thread.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Protocol

from msgspec import UNSET, Struct, UnsetType

from streamer.interfaces.lane_errors import Torn
from streamer.user.user_state import Ask

Headers = tuple[tuple[str, bytes], ...]


class Record(Struct, frozen=True):
    """A record of a log. ``timestamp_ms`` is the record's time in milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: Headers = ()


class OutRecord(Struct, frozen=True):
    """A record to write. If ``partition`` is None, the partitioner chooses the partition."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None


class Former(Struct, frozen=True):
    """A topic that was deleted and created again under its name, and how far a lane had read it.

    Attributes:
        topic_id: the id of the deleted topic.
        offset: the lane's next offset in the deleted topic.
        earlier: there were facts in still older topics of this name.
    """

    topic_id: str
    offset: int
    earlier: bool = False

    @property
    def held_facts(self) -> bool:
        """Whether the lane has read facts that the present topic does not hold."""
        return self.earlier or self.offset > 0


class Committed(Struct, frozen=True):
    """A committed offset and its metadata.

    Attributes:
        offset: the offset.
        topic_id: the id of the topic; None if absent.
        former: the former topic; None if there is none.
        day: the lane's day; None if no feature read the day.
    """

    offset: int
    topic_id: str | None
    former: Former | None = None
    day: date | None = None


class Bounds(Struct, frozen=True):
    """One partition of a topic: first offset ``begin``, high watermark ``end``, and the topic's id."""

    begin: int
    end: int
    topic_id: str


class Reading(Protocol):
    """Reads a lane's partition of some topics."""

    def read_from(self, positions: Mapping[str, int]) -> None:
        """Read the lane's partition of these topics from these offsets on; stop reading other topics."""

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        """The next records, at most ``max_records``; waits up to ``timeout_s`` for the first one.

        The records of one topic come in the order of their offsets. There is no order between topics.
        """

    def at_end(self, ends: Mapping[str, int]) -> bool:
        """Whether reading has reached all these offsets, even if no record lies just before them."""

    def reached(self) -> Mapping[str, int]:
        """The next offset to read, by topic.

        At the end of a partition, this offset lies past transaction markers and aborted records.
        """


class Log(Reading, Protocol):
    """One lane's side of Kafka: partition p of the lane's topics, and its transactions.

    Every method may raise :class:`streamer.interfaces.lane_errors.InDoubt` (take over again) or
    :class:`schemas.errors.Unreachable` (no broker answers).
    """

    def fence(self) -> None:
        """Start the lane's producer; the lane's former producer can write no more."""

    def committed(self) -> dict[str, Committed]:
        """The group's stable offsets of this lane by input; an input without a committed offset is absent."""

    def watch(self, topic: str) -> Bounds:
        """The present bounds of the lane's partition of a topic; also remembers the topic's present id.

        From now on, committed offsets carry this id, and reading raises InDoubt if the topic is deleted and
        created again.
        """

    def lag(self) -> dict[str, int]:
        """The lag in offsets by topic that is being read, from the last answers; sends no request."""

    def note_formers(self, formers: Mapping[str, Former]) -> None:
        """Name these former topics in the metadata of offsets from now on, by input; sends no request."""

    def note_day(self, day: date) -> None:
        """Name this day in the metadata of offsets from now on; sends no request."""

    def commit(self, records: Sequence[OutRecord], positions: Mapping[str, int]) -> dict[str, int]:
        """Commit one transaction: these records and the inputs' next offsets, with their topics' ids.

        Returns:
            The offset after the last record written, by topic. Only topics whose records name a partition
            are included.
        """

    def close(self) -> None:
        """Close every connection; an open transaction is aborted."""


class StoredUser(Struct, frozen=True):
    """The stored bytes of one user: the state and the requested orders.

    ``orders`` has an entry for each requested order; None if the user does not have this order. ``listed``:
    the lane's set of users has the user.
    """

    state: bytes | None
    orders: dict[str, bytes | None]
    listed: bool


class Loaded(Struct, frozen=True):
    """The requested users, the size of the lane's set of users, and then the lane's place; one round trip.

    The place is read last, so a concurrent save shows as a changed place. A place that is read first, or in
    its own round trip, would not show a save that comes in between and is lost again.
    """

    place: bytes | None
    users: dict[str, StoredUser]
    listed: int


class LoadedOrders(Struct, frozen=True):
    """Every order of the requested users and then the lane's place, as in :class:`Loaded`."""

    place: bytes | None
    users: dict[str, dict[str, bytes]]


class LoadedEnds(Struct, frozen=True):
    """Entries of a user's index of orders by question, and then the lane's place, as in :class:`Loaded`.

    ``exists``: the index has an entry.
    """

    place: bytes | None
    ends: dict[Ask, list[str]]
    exists: bool


class IndexWrite(Struct, frozen=True):
    """The changes of a user's index of orders.

    ``anew``: delete all of its entries first. ``existing``: the index must have an entry before this save.
    """

    anew: bool = False
    existing: bool = False
    add: list[str] = []
    remove: list[str] = []


class UserWrite(Struct, frozen=True):
    """The writes of a save for one user.

    Attributes:
        user_id: the user.
        fields: the plain fields and the state, by name; None deletes the field.
        orders: the bytes of the changed orders, by order id; None deletes the order.
        angles: the user's new angle in radians, by space whose index changes; None removes the user.
        swept: the number of the last sweep that reached the user; None removes the user from the lane.
        index: the changes of the user's index of orders; None leaves it as it is.
        due: the day on which the user must be decided again; None removes the user from those due. Left out
            if no declared feature reads the day.
        existing: the user was read from the store, so its key must exist before this save. A key that was
            deleted in between would come back with only the fields of this save.
        listed: the lane's set of users has the user before this save.
    """

    user_id: str
    fields: dict[str, bytes | str | None]
    orders: dict[str, bytes | None]
    angles: dict[str, float | None]
    swept: int | None = None
    index: IndexWrite | None = None
    due: date | UnsetType | None = UNSET
    existing: bool = False
    listed: bool = False

    @property
    def joins(self) -> int:
        """By how much this write changes the size of the lane's set of users: 1, 0 or -1."""
        return (self.swept is not None) - self.listed


ALL_SWEEPS = 2**53
"""More than the number of any sweep: :meth:`Store.unswept` then counts all users of the lane."""


class Unswept(Struct, frozen=True):
    """Some of the lane's users that a sweep has not reached; ``left`` is the count of all of them."""

    user_ids: list[str]
    left: int


class Due(Struct, frozen=True):
    """Some of the lane's users who are due, the longest due first; ``left`` is the count of all of them."""

    user_ids: list[str]
    left: int


class Neighbour(Struct, frozen=True, array_like=True):
    """A user of the index, with its angle in radians and its segment (None if unknown)."""

    user_id: str
    angle: float
    segment: int | None = None


class Store(Protocol):
    """One lane's side of Redis.

    All methods may raise :class:`schemas.errors.Unreachable`. A method that reads the place raises
    :class:`streamer.interfaces.lane_errors.Torn` if Redis holds data that no lane saved.
    """

    @property
    def prefix(self) -> str:
        """The prefix of the keys: the configured prefix, or the prefix that :meth:`follow` reached last."""

    def follow(self) -> bytes | None:
        """Move to the present prefix of the lane's states, and return the lane's place there.

        A rebuild may have moved the lane. All other methods use the prefix that was reached last.
        """

    def places(self, partitions: Collection[int]) -> list[bytes]:
        """The places of these lanes; a lane that has no place or is torn is left out; one round trip."""

    def load(self, wanted: Mapping[str, Collection[str]]) -> Loaded:
        """These users, each with these orders, and the place; one round trip.

        Raises:
            TooMuchToLoad: there are several users, and they are too large to read at once.
        """

    def load_orders(self, user_ids: Collection[str]) -> LoadedOrders:
        """Every order of these users, and the place; one round trip."""

    def load_ends(self, user_id: str, asks: Mapping[Ask, int]) -> LoadedEnds:
        """The entries of the user's index of orders that answer these questions, and the place.

        Args:
            user_id: the user.
            asks: by question, the most entries to read. All answers come in one round trip.
        """

    def unswept(self, sweep: int, most: int) -> Unswept:
        """At most ``most`` of the lane's users that this sweep has not reached; one round trip."""

    def due(self, day: date, most: int) -> Due:
        """At most ``most`` of the lane's users who are due on this day or before it; one round trip."""

    def neighbours(
        self, space: str, angles: Sequence[float], n: int, exclude: Collection[str]
    ) -> list[Neighbour]:
        """The nearest ``n`` users of every angle, by angular distance and then by user id; one round trip.

        Args:
            space: the space of the index.
            angles: the directions to search from, in radians.
            n: how many users each search must find.
            exclude: the ids of users to leave out.

        Returns:
            The users of all searches together, each once, in no order. There may be others among them.
        """

    def save(self, expected: bytes | None, place: bytes, writes: Sequence[UserWrite]) -> bool:
        """Write the place, the users, their index entries, sweep numbers and due days: all or nothing.

        Args:
            expected: the stored place that this save replaces; None if there is none.
            place: the new place.
            writes: the users to write.

        Returns:
            False if the stored place is not ``expected``; then nothing was written.

        Raises:
            Torn: a key that must exist is gone; nothing was written.
        """

    def doubt(self, user_id: str) -> Torn | None:
        """Treat the lane as torn until its place is replaced, because this user's state contradicts itself.

        Returns:
            The error to raise; it does not name the user. None if this user made the lane torn before: then
            the log itself leads to the contradiction.
        """

    def lost_key(self) -> Torn:
        """Treat the lane as torn until its place is replaced, because a user's key is gone.

        Returns:
            The error to raise. No log leads to a lost key, so the same user may lose a key again.
        """

    def replace_torn(self, torn: Torn, place: bytes) -> bool:
        """Write this place over the place of a torn lane; False if another worker wrote there meanwhile."""

    def empty(self, mark: bytes, is_ours: Callable[[str], bool]) -> int | None:
        """Delete the lane's users, their entries in every index, their sweep numbers and due days.

        Args:
            mark: the mark that must stand in the lane's place.
            is_ours: whether a user id belongs to the lane.

        Returns:
            How much was deleted. None if the lane's place is no longer ``mark``: the deletion stops there.
        """

    def clear(self, mark: bytes) -> int | None:
        """Delete every user, index, sweep number and due day of all lanes, but not the places.

        No lane may be saving.

        Returns:
            As in :meth:`empty`.
        """

    def close(self) -> None:
        """Close the connection."""
