"""Rebuild: a lane's states under a fresh prefix, folded from its log while the worker runs.

A rebuild decides nothing. It reads up to the group's committed offsets and takes the decisions that were made
up to there. Every event before these offsets was decided. The next takeover under the new prefix finds a
place that is behind, and heals the rest as after a crash.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from schemas.errors import NeedsRebuild, SegueError
from streamer.batch.decided_records import cause_positions
from streamer.batch.lane_config import LaneConfig
from streamer.interfaces.lane_errors import Torn
from streamer.interfaces.lane_interfaces import Bounds, Reading, Store
from streamer.place import place as places
from streamer.place.place_marks import Emptying, Moved, Refilling, encode_mark, mark_in
from streamer.refill.numbered_saves import Filler
from streamer.segment.active_model import ActiveModel
from streamer.segment.decide_event import placed
from streamer.takeover.lane_snapshot import follow_lane
from streamer.takeover.read_stretch import read_whole
from streamer.user.user_state import UserState

# Every rebuild's writer name begins with this; a worker's writer name is a number in hex.
WRITER = "rebuild "

_TRIES = 1_000


class LaneInUse(SegueError):
    """The prefix is not fresh, or another program writes to it."""

    exit_code = 9


def decided_within(
    log: Reading, topic: str, bounds: Bounds, committed: Mapping[str, int], max_batch: int
) -> int:
    """The offset of ``user-segments`` up to which all decisions come from events below the committed offsets.

    A later decision must not be adopted. Its events are not folded yet. If an erasure is among them, the
    later fold would delete the decision.

    Args:
        log: reads the lane's partition.
        topic: the name of ``user-segments``.
        bounds: the bounds of the lane's partition of ``user-segments``.
        committed: by input, the committed offset.
        max_batch: the most records to read at once.
    """
    for records in read_whole(log, topic, bounds, max_batch):
        for record in records:
            if any(at > committed.get(name, at) for name, at in cause_positions(record).items()):
                return record.offset
    return bounds.end


class LaneFiller(Filler):
    """The part of a rebuild for one lane.

    Args:
        lane: the lane's partition number.
        store: the lane's store under the fresh prefix.
        model: the release that gives the users' positions.
        config: the settings of the lanes.
        writer: a name that no other rebuild has; it begins with :data:`WRITER`.
        anew: the next sweep must decide every user, because the decisions were made with other settings.
    """

    def __init__(
        self, lane: int, store: Store, model: ActiveModel, config: LaneConfig, writer: str, *, anew: bool
    ) -> None:
        overtaken = LaneInUse(
            f"another program writes to lane {lane} under this prefix: let the other rebuild end, or name"
            " another prefix with --into"
        )
        super().__init__(lane, store, model, config, "rebuild", writer, overtaken)
        self._anew = anew

    def check(self, *, again: bool) -> None:
        """Check that the lane may be filled; call it after :meth:`look` was called for every lane.

        Args:
            again: an earlier rebuild left some lane unfinished, so the place that it wrote does not count.

        Raises:
            LaneInUse: the lane has a place.
        """
        if not (self._held is None or self.unfinished or (again and self.former is not None)):
            raise LaneInUse(
                f"lane {self._lane} has a place in Redis already: rebuild fills a fresh prefix; name another"
                " with --into"
            )

    def fill(
        self,
        states: Iterable[UserState],
        positions: Mapping[str, int],
        topic_ids: Mapping[str, str],
        progress: Callable[[int], None],
    ) -> int:
        """Write the users.

        Args:
            states: the users' whole states.
            positions: by topic, the next offset after the states.
            topic_ids: the ids of these topics, by topic.
            progress: called with the number of users written so far.

        Returns:
            How many users were written.

        Raises:
            LaneInUse: another rebuild has begun under the same prefix.
            Unreachable: Redis has lost writes.
        """
        users = 0
        known = (state for state in states if state != UserState(state.user_id))
        while some := list(islice(known, self._config.max_batch)):
            self.write(map(self._placed, some), anew=self._anew)
            users += len(some)
            progress(users)
        self.end_at(positions, topic_ids)
        return users

    def _placed(self, state: UserState) -> tuple[UserState, bool]:
        return placed(state, self._model, self._config.rules, self.day)


def check_filled(old: bytes | None, new: bytes | None, prefix: str, topic_ids: Mapping[str, str]) -> None:
    """Check that a lane can continue under a new prefix.

    Args:
        old: the lane's present place; None if it has none.
        new: the lane's place under the new prefix; None if it has none.
        prefix: the new prefix, for messages.
        topic_ids: the present ids of the inputs and of ``user-segments``, by topic.

    Raises:
        NeedsRebuild: no rebuild has filled the lane there. Or it was made with other settings than the
            workers'. Or it was made from former topics, and may lack a part of their facts.
    """
    if new is None:
        raise NeedsRebuild(f"a lane has no place under {prefix!r}: run `segue rebuild --into {prefix}` first")
    place = places.decode(new)
    for topic, topic_id in place.topic_ids.items():
        if topic_ids.get(topic, topic_id) != topic_id:
            raise NeedsRebuild(
                f"{topic} was made anew since the states under {prefix!r} were made, so they lack its newer"
                " events: let the lanes stay where they are, and drop these states (segue rebuild"
                f" --into {prefix} --drop)"
            )
    if old is not None and places.decode(old).settings != place.settings:
        raise NeedsRebuild(
            f"the states under {prefix!r} were made for other settings than the workers': stop the workers,"
            " and start them with those settings and that redis_prefix"
        )


def check_target(old: Store, new: Store, prefix: str, topic_ids: Mapping[str, str]) -> None:
    """Check that a lane can continue under a new prefix, if it is not there already.

    Args:
        old: the lane's store under the prefix in the workers' settings.
        new: the lane's store under the new prefix.
        prefix: the new prefix, for messages.
        topic_ids: the present ids of the inputs and of ``user-segments``, by topic.

    Raises:
        NeedsRebuild: as :func:`check_filled`; or the states there are torn.
        LaneInUse: the lane has moved away from there.
    """
    _check_new(follow_lane(old), old.prefix, new, prefix, topic_ids)


def move(old: Store, new: Store, prefix: str, topic_ids: Mapping[str, str]) -> bool:
    """Write a mark that moves a lane to a prefix; False if the lane is already there.

    The write is retried, because the lane's worker saves at the same time. Before each try the new prefix is
    checked again: another switch may move the lane away from there meanwhile, and its mark would point back.
    The old place is read before the check. While it stays, the lane is not under the new prefix, and nothing
    can move it away from there.

    Args:
        old, new, prefix, topic_ids: as in :func:`check_target`.

    Raises:
        LaneInUse: the lane's place changed before each try, or the lane has moved away from the new prefix.
        NeedsRebuild: as :func:`check_target`.
    """
    for _ in range(_TRIES):
        place, torn = found = follow_lane(old)
        if old.prefix == prefix:  # a mark there would point to itself
            return False
        filled = _check_new(found, old.prefix, new, prefix, topic_ids)
        if not _reach_activation(new, filled, place):
            continue
        there = encode_mark(Moved(prefix))
        if old.save(place, there, []) if torn is None else old.replace_torn(torn, there):
            return True
    raise LaneInUse(
        f"a lane's place changed {_TRIES} times while it was to move to {prefix!r}: run the same again"
    )


def _check_new(
    found: tuple[bytes | None, Torn | None],
    live: str,
    new: Store,
    prefix: str,
    topic_ids: Mapping[str, str],
) -> bytes | None:
    """Check as :func:`check_target`, for the place that was found under ``live``; return the new place."""
    filled, torn = follow_lane(new)
    if live == prefix:
        return filled
    if torn is not None:
        raise NeedsRebuild(
            f"{torn}, under {prefix!r}: drop it (segue rebuild --into {prefix} --drop) and rebuild into it,"
            " or into another prefix"
        )
    if new.prefix != prefix:
        raise LaneInUse(
            f"the states under {prefix!r} are old, the lanes have moved to {new.prefix!r}: drop them (segue"
            f" rebuild --into {prefix} --drop) and rebuild into this prefix, or into another one"
        )
    check_filled(_kept(*found), filled, prefix, topic_ids)
    return filled


def _reach_activation(new: Store, filled: bytes | None, live: bytes | None) -> bool:
    """Let the new place name the activation by which the lane decides now; False if the place has changed."""
    there = None if filled is None else places.readable(filled)
    here = None if live is None else places.readable(live)
    if there is None or here is None:
        return True
    later = places.at_activation_of(there, here)
    return later is None or new.save(filled, places.encode(later), [])


def _kept(place: bytes | None, torn: Torn | None) -> bytes | None:
    """The lane's place; None if no worker can continue there.

    This is so if the lane has no place, is torn or half emptied, or if a bootstrap or a rebuild did not end.
    A Redis that went back in time may show a rebuild's mark again, even after the lanes have moved there.
    """
    is_mark = isinstance(mark_in(place), Refilling | Emptying)
    return None if torn is not None or is_mark else place
