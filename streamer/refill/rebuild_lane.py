"""Rebuild: a lane's states under a fresh prefix, folded from its log beside the worker. It decides nothing.

It goes no further than the group's committed offsets, up to which everything was decided, and takes the
decisions that were made up to there. Whoever takes the lane over under that prefix finds a place that lies
behind, and heals the rest as after any crash.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from schemas.errors import NeedsRebuild, SegueError
from streamer.batch.decided_records import cause_positions
from streamer.batch.lane_config import LaneConfig
from streamer.interfaces.lane_interfaces import Bounds, Reading, Store
from streamer.place import place as places
from streamer.place.place_marks import Emptying, Moved, Refilling, encode_mark, mark_in
from streamer.refill.numbered_saves import Filler
from streamer.segment.active_model import ActiveModel
from streamer.segment.decide_event import placed
from streamer.takeover.lane_snapshot import follow_lane
from streamer.takeover.read_stretch import read_whole
from streamer.user.user_state import UserState

# What begins the name of every rebuild's writer; a worker's is a number in hex.
WRITER = "rebuild "

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
    for records in read_whole(log, topic, bounds, max_batch):
        for record in records:
            if any(at > committed.get(name, at) for name, at in cause_positions(record).items()):
                return record.offset
    return bounds.end


class LaneFiller(Filler):
    """A rebuild's share of one lane.

    Args:
        writer: a name that no other rebuild has; it begins with :data:`WRITER`.
        anew: leave every user to the next sweep, since the decisions were made under other settings.
    """

    def __init__(
        self, lane: int, store: Store, model: ActiveModel, config: LaneConfig, writer: str, *, anew: bool
    ) -> None:
        overtaken = LaneInUse(
            f"somebody else writes to lane {lane} under this prefix: let the other rebuild end, or name another"
            " prefix with --into"
        )
        super().__init__(lane, store, model, config, "rebuild", writer, overtaken)
        self._anew = anew

    def check(self, *, again: bool) -> None:
        """See that the lane may be filled; once every lane was looked at.

        Args:
            again: a rebuild left some lane unfinished, so that the place that it gave this one counts for nothing.

        Raises:
            LaneInUse: it has a place.
        """
        if not (self._held is None or self.unfinished or (again and self.former is not None)):
            raise LaneInUse(
                f"lane {self._lane} has a place in Redis already: rebuild fills a fresh prefix; name another with"
                " --into"
            )

    def fill(
        self,
        states: Iterable[UserState],
        positions: Mapping[str, int],
        topic_ids: Mapping[str, str],
        progress: Callable[[int], None],
    ) -> int:
        """Write the users, as of these positions in the topics with these ids.

        Args:
            progress: gets the number of users written.

        Returns:
            How many users were written.

        Raises:
            LaneInUse: another rebuild has begun under the same prefix.
            Unreachable: Redis has lost what was written.
        """
        users = 0
        known = (state for state in states if state != UserState(state.user_id))
        while some := list(islice(known, self._config.max_batch)):
            self.write(map(self._placed, some))
            users += len(some)
            progress(users)
        self.end_at(positions, topic_ids)
        return users

    def _placed(self, state: UserState) -> tuple[UserState, bool]:
        now, due = placed(state, self._model, self._config.rules)
        return now, due or self._anew


def check_filled(old: bytes | None, new: bytes | None, prefix: str, topic_ids: Mapping[str, str]) -> None:
    """See that a lane can go on under a prefix.

    Args:
        old: the lane's place; it may have none.
        new: the one under the prefix.
        topic_ids: the ids of the inputs and of ``user-segments`` as they are, by topic.

    Raises:
        NeedsRebuild: no rebuild has filled the lane there, or one has for other settings, with which the
            workers of now cannot go on, or from topics that are gone, of which it may not have all.
    """
    if new is None:
        raise NeedsRebuild(f"a lane has no place under {prefix!r}: run `segue rebuild --into {prefix}` first")
    place = places.decode(new)
    for topic, topic_id in place.topic_ids.items():
        if topic_ids.get(topic, topic_id) != topic_id:
            raise NeedsRebuild(
                f"{topic} was made anew since the states under {prefix!r} were made, so they lack what came to it after"
                f" that: let the lanes stay where they are, and drop it (segue rebuild --into {prefix} --drop)"
            )
    if old is not None and places.decode(old).settings != place.settings:
        raise NeedsRebuild(
            f"the states under {prefix!r} were made for other settings than the workers': stop them, and start them"
            " with those settings and that redis_prefix"
        )


def kept(store: Store) -> bytes | None:
    """The lane's place; None where no worker can go on there anyway: it has none, or what Redis holds of the lane is to be
    emptied, or a bootstrap or a rebuild did not end. A Redis that went back may have a rebuild's mark again where the
    lanes are.
    """
    place, torn = follow_lane(store)
    is_mark = isinstance(mark_in(place), Refilling | Emptying)
    return None if torn is not None or is_mark else place


def move(old: Store, prefix: str) -> bool:
    """Point a lane to a prefix, as soon as its worker leaves a moment for it; False where it is there already.

    Raises:
        LaneInUse: its place changed each time.
    """
    for _ in range(_TRIES):
        place, torn = follow_lane(old)
        if old.prefix == prefix:  # a pointer of its own there would lead nowhere
            return False
        there = encode_mark(Moved(prefix))
        if old.save(place, there, []) if torn is None else old.replace_torn(torn, there):
            return True
    raise LaneInUse(
        f"a lane's place changed {_TRIES} times while it was to move to {prefix!r}: run the same again"
    )
