"""The place that a lane wrote last, and the save that follows it."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from streamer.batch.batch_users import Users
from streamer.interfaces.lane_errors import InDoubt
from streamer.interfaces.lane_interfaces import Store, UserWrite
from streamer.lane.release_switch import Turn
from streamer.place import place as places
from streamer.place.place import Place
from streamer.segment.lane_day import stored_day


class LaneSaves:
    """The saves of one lane.

    Attributes:
        place: the place that the lane wrote last. A takeover begins with a place that is not written yet.
            None before the first takeover.
        seen_s: when this place was last seen in Redis, in seconds of the monotonic clock.
    """

    def __init__(self, store: Store, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._monotonic = monotonic
        self.place: Place | None = None
        self.seen_s = 0.0

    @property
    def held(self) -> Place:
        """The place that this lane wrote last.

        Raises:
            InDoubt: the lane was never taken over.
        """
        if self.place is None:
            raise InDoubt("the lane was never taken over")
        return self.place

    def expect(self, stored: bytes | None) -> None:
        """Check that the stored bytes are the place that the lane wrote last.

        Raises:
            InDoubt: Redis has another place or no place.
        """
        if stored != places.encode(self.held):
            raise InDoubt("the place in Redis is not the one that this lane wrote last")
        self.seen_s = self._monotonic()

    def expect_listed(self, users: Users) -> None:
        """Check that the lane's set of users was whole when these users were read.

        Raises:
            Torn: the set has more or fewer users than the place says.
        """
        if users.listed != self.held.users:
            raise self._store.lost_key()

    def save(
        self,
        expected: bytes | None,
        writes: Sequence[UserWrite],
        reached: dict[str, int],
        turn: Turn,
        *,
        swept: bool = False,
    ) -> bytes:
        """Write the users and the next place, if the stored place is still ``expected``.

        Args:
            expected: the bytes of the place before this save; None if Redis has no place.
            writes: the users to write.
            reached: the next offsets after the batch, by topic.
            turn: the model, the day and the sweep of the batch.
            swept: with these users, the sweep has reached all users.

        Returns:
            The bytes of the new place.

        Raises:
            InDoubt: Redis has another place, and nothing was written.
        """
        swept = swept or (self.held.swept and turn.sweep.number == self.held.sweep.number)
        following = replace(
            self.held,
            step=self.held.step + 1,
            positions={**self.held.positions, **reached},
            sweep=replace(turn.sweep, dropped=(), whole=True) if swept else turn.sweep,
            swept=swept,
            day=stored_day(turn.day),
            users=self.held.users + sum(write.joins for write in writes),
        )
        encoded = places.encode(following)
        if not self._store.save(expected, encoded, writes):
            raise InDoubt("the place in Redis is not the one that this batch began with")
        self.place = following
        self.seen_s = self._monotonic()
        return encoded
