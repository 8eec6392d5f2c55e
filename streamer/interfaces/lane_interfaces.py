"""The two things a lane knows of the world: a log and a store.

In production they are Kafka (:mod:`streamer.kafka.kafka_log`) and Redis (:mod:`streamer.redis.redis_store`); in
:mod:`streamer.in_memory` they are dictionaries with the same promises. All calls are synchronous: a lane
is one thread.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from streamer.interfaces.lane_errors import Torn
from streamer.user.user_state import Ask

Headers = tuple[tuple[str, bytes], ...]


class Record(Struct, frozen=True):
    """A record as it lies in a log. ``timestamp_ms`` is the record's time, since 1970."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: Headers = ()


class OutRecord(Struct, frozen=True):
    """A record to write. ``partition`` None leaves the choice to the partitioner."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None


class Former(Struct, frozen=True):
    """The topic that was deleted and made anew under its name, and how far a lane had read of it.

    ``earlier``: facts lay in topics before that one.
    """

    topic_id: str
    offset: int
    earlier: bool = False

    @property
    def held_facts(self) -> bool:
        """Whether facts were read that the present topic does not hold."""
        return self.earlier or self.offset > 0


class Committed(Struct, frozen=True):
    """A committed offset, the topic id that its metadata names (None: it names none), and the topic before that one."""

    offset: int
    topic_id: str | None
    former: Former | None = None


class Bounds(Struct, frozen=True):
    """One partition of a topic: its first offset, its high watermark, and the topic's id."""

    begin: int
    end: int
    topic_id: str


class Reading(Protocol):
    """Who reads a lane's partition of some topics."""

    def read_from(self, positions: Mapping[str, int]) -> None:
        """Read these topics' lane partition from these offsets on, and no other topic."""

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        """Read what is there, at most ``max_records``; waits up to ``timeout_s`` for the first.

        Of one topic the records come by offset; between topics there is no order.
        """

    def at_end(self, ends: Mapping[str, int]) -> bool:
        """Whether reading has passed all these offsets, though no record may lie just below them."""

    def reached(self) -> Mapping[str, int]:
        """By topic being read, the offset that is read next.

        At a partition's end it lies past transaction markers and aborted records.
        """


class Log(Reading, Protocol):
    """One lane's side of Kafka: partition p of the lane's topics, and its transactions.

    Every method may raise :class:`streamer.interfaces.lane_errors.InDoubt` (take over again) or
    :class:`schemas.errors.Unreachable` (no broker answers).
    """

    def fence(self) -> None:
        """Start the lane's producer: whoever wrote for this lane before can write no more."""

    def committed(self) -> dict[str, Committed]:
        """The group's stable offsets of this lane, by input topic; a topic without one is absent."""

    def watch(self, topic: str) -> Bounds:
        """Go by ``topic`` as it is now; the bounds of the lane's partition.

        From now on an offset that is committed names this topic's id, and reading ends in a doubt where the
        topic is made anew.
        """

    def lag(self) -> dict[str, int]:
        """By topic being read, how many offsets lie ahead, as the log last heard; it asks nobody."""

    def note_formers(self, formers: Mapping[str, Former]) -> None:
        """From now on the offsets' metadata names these topics, which were there before those of now; it asks nobody."""

    def commit(self, records: Sequence[OutRecord], positions: Mapping[str, int]) -> dict[str, int]:
        """One transaction of these records and the inputs' next offsets, with their topics' ids.

        Returns:
            By topic with an explicit partition, the offset after the last record written.
        """

    def close(self) -> None:
        """Let go of every connection; a transaction under way is aborted."""


class StoredUser(Struct, frozen=True):
    """What the store holds for one user: the state, and those of the orders that were asked for.

    ``orders`` has an entry for each order asked for; None where the user has no such order.
    """

    state: bytes | None
    orders: dict[str, bytes | None]


class Loaded(Struct, frozen=True):
    """The users asked for, and after them the lane's place, read in one round trip.

    The place is read last, so a save in between shows as another place. A place read first, or by itself,
    would not show a save that comes in between and is lost again before the next.
    """

    place: bytes | None
    users: dict[str, StoredUser]


class LoadedOrders(Struct, frozen=True):
    """Every order of the users asked for, and after them the lane's place, as :class:`Loaded`."""

    place: bytes | None
    users: dict[str, dict[str, bytes]]


class LoadedEnds(Struct, frozen=True):
    """Ends of a user's index of orders, by what was asked for, and after them the lane's place, as :class:`Loaded`."""

    place: bytes | None
    ends: dict[Ask, list[str]]


class IndexWrite(Struct, frozen=True):
    """What a save changes in a user's index of orders; ``anew``: what it holds is deleted first."""

    anew: bool = False
    add: list[str] = []
    remove: list[str] = []


class UserWrite(Struct, frozen=True):
    """What a save writes for one user.

    ``fields`` are the plain fields and the state; a value of None deletes the field. ``orders`` maps
    order ids to their bytes, None deletes one. ``angles`` maps the spaces whose index is to change to
    the user's new angle in radians, None removes the user. ``swept`` is the number of the lane's sweep
    that the user is up to; None where the user is none of the lane's users any more. ``index`` is None where the index
    of the user's orders stays as it is.
    """

    user_id: str
    fields: dict[str, bytes | str | None]
    orders: dict[str, bytes | None]
    angles: dict[str, float | None]
    swept: int | None = None
    index: IndexWrite | None = None


class Unswept(Struct, frozen=True):
    """Some of the lane's users that a sweep has not come to, and how many there are in all."""

    user_ids: list[str]
    left: int


class Neighbour(Struct, frozen=True):
    """A user of the index, with its angle in radians and its segment (None: not known)."""

    user_id: str
    angle: float
    segment: int | None


class Store(Protocol):
    """One lane's side of Redis.

    Methods may raise :class:`schemas.errors.Unreachable`. Those that read the place raise
    :class:`streamer.interfaces.lane_errors.Torn` where what is there was not made by the lane's saves alone.
    """

    @property
    def prefix(self) -> str:
        """The prefix that the keys lie under: the given one, or the one to which :meth:`follow` came last."""

    def follow(self) -> bytes | None:
        """Go to the prefix under which the lane's states lie now, and read the lane's place there.

        A rebuild may have moved the lane. All other methods read and write under the prefix that was reached
        last.
        """

    def places(self, partitions: Collection[int]) -> list[bytes]:
        """The places of these lanes, of those that have one and are not torn; one round trip."""

    def load(self, wanted: Mapping[str, Collection[str]]) -> Loaded:
        """These users, each with these orders, and the place; one round trip.

        Raises:
            TooMuchToLoad: they are several, and too large to be read at once.
        """

    def load_orders(self, user_ids: Collection[str]) -> LoadedOrders:
        """Every order of these users, and the place; one round trip."""

    def load_ends(self, user_id: str, asks: Mapping[Ask, int]) -> LoadedEnds:
        """What is asked of the user's index of orders, at most so many entries of each, and the place; one round trip."""

    def unswept(self, sweep: int, most: int) -> Unswept:
        """The lane's users who are not up to this sweep, at most ``most`` of them; one round trip."""

    def neighbours(
        self, space: str, angles: Sequence[float], n: int, exclude: Collection[str]
    ) -> list[list[Neighbour]]:
        """For each angle the nearest users but those excluded, enough to hold the nearest n.

        They come by angular distance, then user id; one round trip.
        """

    def save(self, expected: bytes | None, place: bytes, writes: Sequence[UserWrite]) -> bool:
        """Write place, users, index entries and what is swept, if the stored place is still ``expected``.

        Returns:
            False when it was not, and nothing was written.
        """

    def doubt(self, user_id: str) -> Torn | None:
        """Take what the store holds of the lane for torn, until it is replaced, since this user contradicts itself.

        Returns:
            The error to raise, which names no user. None where this user led to that before: so the log itself does.
        """

    def replace_torn(self, torn: Torn, place: bytes) -> bool:
        """Write this place over what a torn lane has, if nobody else did since."""

    def empty(self, mark: bytes, is_ours: Callable[[str], bool]) -> int | None:
        """Delete the lane's users, also in every index, and what is swept; ``is_ours`` says who is the lane's.

        Returns:
            How much there was to delete. None as soon as the lane's place is not ``mark`` any more: nothing is deleted
            from then on.
        """

    def clear(self, mark: bytes) -> int | None:
        """Delete every user, every index and what is swept, of all lanes, the places apart; nobody may be saving.

        Returns:
            As :meth:`empty`.
        """

    def close(self) -> None:
        """Let go of the connection."""
