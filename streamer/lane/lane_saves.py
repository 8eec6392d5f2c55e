"""The place that a lane wrote last, and the save that follows it."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from streamer.interfaces.lane_errors import InDoubt
from streamer.interfaces.lane_interfaces import Store, UserWrite
from streamer.lane.release_switch import Turn
from streamer.place import place as places
from streamer.place.place import Place


class LaneSaves:
    """Saves for one lane.

    Attributes:
        place: the place that was written last; a takeover begins with one that is not written yet. None before
            the first takeover.
        seen_s: when the place was last seen to be this one, on the monotonic clock.
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
        """See that this is the place that the lane wrote last.

        Raises:
            InDoubt: it is not.
        """
        if stored != places.encode(self.held):
            raise InDoubt("the place in Redis is not the one that this lane wrote last")
        self.seen_s = self._monotonic()

    def save(
        self,
        expected: bytes | None,
        writes: Sequence[UserWrite],
        reached: dict[str, int],
        turn: Turn,
        *,
        swept: bool = False,
    ) -> bytes:
        """Write the users and the place that follows, if the stored place is still ``expected``."""
        swept = swept or (self.held.swept and turn.sweep == self.held.sweep)
        following = replace(
            self.held,
            step=self.held.step + 1,
            positions={**self.held.positions, **reached},
            sweep=replace(turn.sweep, dropped=(), whole=True) if swept else turn.sweep,
            swept=swept,
        )
        encoded = places.encode(following)
        if not self._store.save(expected, encoded, writes):
            raise InDoubt("the place in Redis is not the one that this batch began with")
        self.place = following
        self.seen_s = self._monotonic()
        return encoded
