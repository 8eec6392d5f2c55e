"""A lane that is filled under a mark: each save has a number in its mark, so that a Redis that loses one shows."""

from collections.abc import Callable, Sequence

from schemas.errors import SegueError, Unreachable
from streamer.interfaces import Store, UserWrite
from streamer.lane_errors import Torn
from streamer.lane_snapshot import follow_lane
from streamer.place_marks import Refill, Refilling, encode_mark

_ALL_SWEEPS = 2**53


class NumberedSaves:
    """The saves of a rebuild or a bootstrap in one lane.

    Args:
        writer: a name that no other has.
        overtaken: the error where somebody else wrote.
    """

    def __init__(
        self,
        lane: int,
        store: Store,
        what: Refill,
        writer: str,
        overtaken: Callable[[], SegueError],
    ) -> None:
        self._lane = lane
        self._store = store
        self._what = what
        self._writer = writer
        self._overtaken = overtaken
        self._number = 0
        self._alive = 0
        self._torn: Torn | None = None
        self._found: bytes | None = None
        self._place: bytes | None = None

    def look(self) -> bytes | None:
        """Read the lane's place."""
        self._found, self._torn = follow_lane(self._store)
        return self._found

    def begin(self) -> None:
        """Mark the lane, over what :meth:`look` found."""
        self._number = 1
        mark = self._mark
        done = (
            self._store.save(self._found, mark, [])
            if self._torn is None
            else self._store.replace_torn(self._torn, mark)
        )
        if not done:
            raise self._overtaken()

    def clear(self) -> None:
        """Delete the users of all lanes, until there is nothing to delete under a mark that came after the last deletion.

        A Redis that loses a deletion would keep the mark that stood before it.
        """
        deleted: int | None = 1
        while deleted:
            deleted = self._store.clear(self._mark)
            if deleted is None:
                raise self._refused()
            self.save([])

    def save(self, writes: Sequence[UserWrite]) -> None:
        """Write users."""
        self._write(self._mark_of(self._number + 1), writes)
        self._number += 1
        self._alive += sum(write.swept is not None for write in writes)

    def count(self) -> None:
        """See that the lane has as many users as were written.

        Raises:
            Unreachable: it has not.
        """
        found = self._store.unswept(_ALL_SWEEPS, 0).left
        if found != self._alive:
            raise Unreachable(
                f"lane {self._lane} has {found:,} users in Redis, and {self._alive:,} were written: run the same"
                f" {self._what} again"
            )

    def end(self, place: bytes) -> None:
        """Write the place, from which a worker may go on."""
        self._write(place, [])
        self._place = place

    def confirm(self) -> None:
        """See that the place stands."""
        if follow_lane(self._store) != (self._place, None):
            raise self._refused()

    @property
    def _mark(self) -> bytes:
        return self._mark_of(self._number)

    def _mark_of(self, number: int) -> bytes:
        """The mark with which a save of this number leaves the lane."""
        return encode_mark(Refilling(self._what, self._writer, number))

    def _write(self, place: bytes, writes: Sequence[UserWrite]) -> None:
        if not self._store.save(self._mark, place, writes):
            raise self._refused()

    def _refused(self) -> SegueError:
        """Why a save was: somebody else wrote, or Redis has gone back to an earlier one."""
        stored, torn = follow_lane(self._store)
        before = {self._found, *(self._mark_of(number) for number in range(self._number + 1))}
        if stored is not None and torn is None and stored not in before:
            return self._overtaken()
        return Unreachable(
            f"Redis has lost what this {self._what} wrote to lane {self._lane}, as when it restarts or a replica takes"
            f" over: run the same {self._what} again"
        )
