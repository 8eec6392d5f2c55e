"""The common part of a rebuild and a bootstrap: write the users and the place of one lane.

Each save leaves a mark with the save's number, so a lost save shows as a wrong number.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from schemas.errors import SegueError, Unreachable
from streamer.batch.batch_users import write_of
from streamer.batch.lane_config import LaneConfig
from streamer.interfaces.lane_errors import Torn
from streamer.interfaces.lane_interfaces import ALL_SWEEPS, Store, UserWrite
from streamer.place import place as places
from streamer.place.place import Place
from streamer.place.place_marks import Refill, Refilling, encode_mark, is_refilled
from streamer.segment.active_model import ActiveModel
from streamer.segment.lane_day import LaneDay, stored_day
from streamer.takeover.lane_snapshot import follow_lane
from streamer.user.user_state import UserState


class Filler:
    """Writes one lane's states under a prefix that no worker uses.

    Args:
        lane: the lane's partition number.
        store: the lane's store.
        model: the release that gives the users' positions.
        config: the settings of the lanes.
        what: the kind of command. The names of its writers begin with it; a worker's name is a number in hex.
        writer: a name that no other writer has.
        overtaken: the error to raise if another program wrote to the lane.

    Attributes:
        day: the lane's day, to set before the first user is written; None if no declared feature reads it.
    """

    def __init__(
        self,
        lane: int,
        store: Store,
        model: ActiveModel,
        config: LaneConfig,
        what: Refill,
        writer: str,
        overtaken: SegueError,
    ) -> None:
        self._lane = lane
        self._store = store
        self._model = model
        self._config = config
        self._what: Refill = what
        self._writer = writer
        self._overtaken = overtaken
        self._sweep = places.using(None, model)
        self.day: date | None = None
        self._number = 0
        self._alive = 0
        self._held: bytes | None = None
        self._torn: Torn | None = None
        self._place: Place | None = None

    @property
    def unfinished(self) -> bool:
        """Whether :meth:`look` found an unfinished command of this kind."""
        return is_refilled(self._held, self._what)

    @property
    def former(self) -> Place | None:
        """The place that :meth:`look` found, if a command of this kind was the last to write it."""
        place = None if self._held is None else places.readable(self._held)
        return place if place is not None and place.writer.startswith(f"{self._what} ") else None

    def look(self) -> None:
        """Read the lane's place."""
        self._held, self._torn = follow_lane(self._store)

    def begin(self) -> None:
        """Write the mark over the place that :meth:`look` found.

        From then on, a worker refuses the lane, and earlier writers can write no more.

        Raises:
            SegueError: another program wrote meanwhile.
        """
        self._number = 1
        mark, torn = self._mark_of(1), self._torn
        done = (
            self._store.save(self._held, mark, []) if torn is None else self._store.replace_torn(torn, mark)
        )
        if not done:
            raise self._overtaken

    def clear(self) -> None:
        """Delete the users of all lanes.

        The deletion is repeated under a new mark until nothing is left to delete: a Redis that loses a
        deletion keeps the mark that stood before it.

        Raises:
            SegueError: another program wrote meanwhile.
            Unreachable: Redis has lost writes.
        """
        deleted: int | None = 1
        while deleted:
            deleted = self._store.clear(self._mark_of(self._number))
            if deleted is None:
                raise self._refused()
            self.write([])

    def write(self, states: Iterable[tuple[UserState, bool]], *, anew: bool = False) -> None:
        """Write users in one save. Errors as in :meth:`clear`.

        Args:
            states: the users, each with whether the lane must decide it again.
            anew: a sweep must decide all of them.
        """
        rules = self._config.rules
        day = None if self.day is None else LaneDay(self.day, self._model, rules)
        writes = [
            write_of(None, state, self._sweep, {}, rules, day, index_all=True, due=due, anew=anew)
            for state, due in states
        ]
        self._save(self._mark_of(self._number + 1), writes)
        self._number += 1
        self._alive += sum(write.swept is not None for write in writes)

    def end_at(self, positions: Mapping[str, int], topic_ids: Mapping[str, str]) -> None:
        """Set the lane's final place: these positions, in the topics with these ids."""
        self._place = Place(
            step=1,
            writer=self._writer,
            positions=dict(positions),
            topic_ids=dict(topic_ids),
            settings=self._config.settings,
            sweep=self._sweep,
            day=stored_day(self.day),
            users=self._alive,
        )

    def check_count(self) -> None:
        """Check that the lane has as many users as were written.

        Raises:
            Unreachable: the counts differ.
        """
        found = self._store.unswept(ALL_SWEEPS, 0).left
        if found != self._alive:
            raise Unreachable(
                f"lane {self._lane} has {found:,} users in Redis, and {self._alive:,} were written: run the"
                f" same {self._what} again"
            )

    def write_place(self) -> None:
        """Write the place; a worker may continue from it. Errors as in :meth:`clear`."""
        self._save(self._encoded, [])

    def confirm(self) -> None:
        """Check that the place is in Redis. Errors as in :meth:`clear`."""
        if follow_lane(self._store) != (self._encoded, None):
            raise self._refused()

    @property
    def _encoded(self) -> bytes:
        assert self._place is not None
        return places.encode(self._place)

    def _mark_of(self, number: int) -> bytes:
        """The mark that the save with this number leaves."""
        return encode_mark(Refilling(self._what, self._writer, number))

    def _save(self, place: bytes, writes: Sequence[UserWrite]) -> None:
        if not self._store.save(self._mark_of(self._number), place, writes):
            raise self._refused()

    def _refused(self) -> SegueError:
        """The reason of a refused save: another program wrote, or Redis has gone back to an earlier save."""
        stored, torn = follow_lane(self._store)
        before = {self._held, *(self._mark_of(number) for number in range(self._number + 1))}
        if stored is not None and torn is None and stored not in before:
            return self._overtaken
        return Unreachable(
            f"Redis has lost what this {self._what} wrote to lane {self._lane}, as when it restarts or a"
            f" replica takes over: run the same {self._what} again"
        )


def finish(fillers: Sequence[Filler]) -> None:
    """Write every lane's place after all users are written; do each step for all lanes before the next."""
    for filler in fillers:
        filler.check_count()
    for filler in fillers:
        filler.write_place()
    for filler in fillers:
        filler.confirm()
