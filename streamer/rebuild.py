"""Rebuild: a lane's states under a fresh prefix, folded from its log beside the worker. It decides nothing.

It goes no further than the group's committed offsets, up to which everything was decided, and takes the
decisions that were made up to there. Whoever takes the lane over under that prefix finds a place that lies
behind, and heals the rest as after any crash.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

from msgspec.structs import replace

from schemas.errors import NeedsRebuild, SegueError
from streamer import place as places
from streamer.decisions import cause_positions
from streamer.healing import read_between
from streamer.interfaces import Bounds, Reading, Store, UserWrite
from streamer.lane_config import LaneConfig
from streamer.model import ActiveModel
from streamer.place import Place
from streamer.process import placed
from streamer.state import UserState
from streamer.users import write_of

_TRIES = 1_000


class LaneInUse(SegueError):
    """The prefix is not fresh, or somebody else writes to it."""

    exit_code = 9


def decided_within(
    log: Reading, topic: str, bounds: Bounds, committed: Mapping[str, int], max_batch: int
) -> int:
    """Up to which offset of ``user-segments`` the decisions were made by events below these offsets.

    A later decision must not be adopted: its events are not folded yet, and an erasure among them, folded
    after, would take the decision away.
    """
    for records in read_between(log, {topic: bounds.begin}, {topic: bounds.end}, max_batch):
        for record in records:
            if any(at > committed.get(name, at) for name, at in cause_positions(record).items()):
                return record.offset
    return bounds.end


class LaneFiller:
    """Writes a lane's states under a prefix that no worker uses.

    Args:
        writer: a name that no other rebuild has.
        anew: leave every user to the next sweep, since the decisions were made under other settings.
    """

    def __init__(
        self, lane: int, store: Store, model: ActiveModel, config: LaneConfig, writer: str, *, anew: bool
    ) -> None:
        self._lane = lane
        self._store = store
        self._model = model
        self._config = config
        self._writer = writer
        self._mark = places.rebuilding(writer)
        self._anew = anew
        self._sweep = places.using(None, model)

    def begin(self) -> None:
        """Mark the lane, so that a worker refuses it, and a rebuild that came before can write no more.

        Raises:
            LaneInUse: it has a place.
        """
        held = self._store.place()
        if held is not None and not places.is_rebuilding(held):
            raise LaneInUse(
                f"lane {self._lane} has a place in Redis already: rebuild fills a fresh prefix; name another with"
                " --into"
            )
        self._save(held, self._mark, [])

    def fill(
        self,
        states: Iterable[UserState],
        positions: Mapping[str, int],
        topic_ids: Mapping[str, str],
        progress: Callable[[int], None],
    ) -> int:
        """Write the users, and with the last of them the place.

        Args:
            progress: told how many users have been written.

        Returns:
            How many users were written.

        Raises:
            LaneInUse: another rebuild has begun under the same prefix.
        """
        users = 0
        writes = (self._write(state) for state in states if state != UserState(state.user_id))
        for some in _in_batches(writes, self._config.max_batch):
            self._save(self._mark, self._mark, some)
            users += len(some)
            progress(users)
        place = Place(
            step=1,
            writer=self._writer,
            positions=dict(positions),
            topic_ids=dict(topic_ids),
            settings=self._config.settings,
            sweep=self._sweep,
        )
        self._save(self._mark, places.encode(place), [])
        return users

    def _write(self, state: UserState) -> UserWrite:
        now = placed(state, self._model, self._config.rules)
        write = write_of(None, now, self._sweep, {}, index_all=True)
        return replace(write, swept=0) if self._anew and write.swept is not None else write

    def _save(self, expected: bytes | None, place: bytes, writes: list[UserWrite]) -> None:
        if not self._store.save(expected, place, writes):
            raise LaneInUse(
                f"somebody else writes to lane {self._lane} under this prefix: let the other rebuild end, or name"
                " another prefix with --into"
            )


def check_filled(old: bytes | None, new: bytes | None, prefix: str) -> None:
    """See that a lane can go on under a prefix.

    Args:
        old: the lane's place; it may have none.
        new: the one under the prefix.

    Raises:
        NeedsRebuild: no rebuild has filled the lane there, or one has for other settings, with which the
            workers of now cannot go on.
    """
    if new is None:
        raise NeedsRebuild(f"a lane has no place under {prefix!r}: run `segue rebuild --into {prefix}` first")
    if old is not None and places.decode(old).settings != places.decode(new).settings:
        raise NeedsRebuild(
            f"the states under {prefix!r} were made for other settings than the workers': stop them, and start them"
            " with those settings and that redis_prefix"
        )


def move(old: Store, prefix: str) -> bool:
    """Point a lane to a prefix, as soon as its worker leaves a moment for it; True.

    Raises:
        LaneInUse: its place changed each time.
    """
    for _ in range(_TRIES):
        if old.save(old.place(), places.moved(prefix), []):
            return True
    raise LaneInUse(
        f"a lane's place changed {_TRIES} times while it was to move to {prefix!r}: run the same again"
    )


def _in_batches(writes: Iterator[UserWrite], size: int) -> Iterator[list[UserWrite]]:
    while some := list(islice(writes, size)):
        yield some
