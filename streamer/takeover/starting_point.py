"""Where a lane starts: what Kafka's offsets and the place in Redis say together (DESIGN §3)."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from schemas.errors import NeedsRebuild
from schemas.features import told
from streamer.interfaces.lane_interfaces import Bounds, Committed, Former
from streamer.place.place import FoldSettings, Place
from streamer.takeover.former_topics import REBUILD, commit_former, former_of


class Start(Struct, frozen=True):
    """How a takeover reads.

    Attributes:
        fold_from: by input, the offset to fold from.
        decide_from: by input, the offset from which the lane decides; up to it, it only folds.
        users_from: the offset of ``user-segments`` from which decisions are read.
        by_users: inputs that Redis has reached but the group has no offset for. Their ``decide_from`` is provisional
            until ``user-segments`` is read from ``users_from`` on; the highest ``cause.positions`` there replaces it.
        formers: inputs that were made anew, with the topic before and how far its facts are in the states.
    """

    fold_from: dict[str, int]
    decide_from: dict[str, int]
    users_from: int
    by_users: frozenset[str] = frozenset()
    formers: dict[str, Former] = {}


def starting_point(
    place: Place | None,
    committed: Mapping[str, Committed],
    inputs: Mapping[str, Bounds],
    users_topic: str,
    users: Bounds,
    settings: FoldSettings,
    *,
    users_empty: Callable[[], bool],
    bootstrapped: bool,
) -> Start:
    """Weigh place, offsets and the topics as they are.

    Args:
        inputs: the bounds of each input's partition, in the order of the inputs.
        users_empty: asks whether this partition of ``user-segments`` holds no record; it must be read.
        bootstrapped: whether a ``bootstrap`` record stands, so that the log alone is not the whole past.

    Raises:
        NeedsRebuild: a part of the past is out of reach, or the place was made under other settings.
    """
    if place is not None:
        check_settings(place.settings, settings)
    elif committed:
        _complete(committed, inputs, users_empty, bootstrapped=bootstrapped)
    fold_from: dict[str, int] = {}
    decide_from: dict[str, int] = {}
    by_users: set[str] = set()
    formers: dict[str, Former] = {}
    for topic, bounds in inputs.items():
        placed_at = _placed_at(place, topic, bounds)
        commit = committed.get(topic)
        former = None if place is None else former_of(place, topic, bounds, commit)
        if former is not None:
            formers[topic] = former
        commit_at = commit.offset if commit is not None and _same_topic(commit, bounds) else None
        if placed_at is not None:
            fold_from[topic] = placed_at
            decide_from[topic] = placed_at if commit_at is None else max(placed_at, commit_at)
            # An offset in another topic of that name tells that nothing of this one was decided.
            if commit is None:
                by_users.add(topic)
        elif commit_at is not None:
            if place is not None:
                _begins_at_0(topic, bounds)
            fold_from[topic] = bounds.begin
            decide_from[topic] = commit_at
        elif place is None and commit is None and not users_empty():
            raise NeedsRebuild(
                f"the group has no offset for {topic} and Redis no place, but {users_topic} holds decisions:"
                f" {REBUILD}, or use a new group with new output topics"
            )
        else:
            fold_from[topic] = decide_from[topic] = bounds.begin
        if fold_from[topic] < bounds.begin:
            raise NeedsRebuild(
                f"Redis has come to offset {fold_from[topic]} of {topic}, but the topic now begins at"
                f" {bounds.begin}, so events are gone that were never applied: {REBUILD}"
            )
        _within(topic, max(fold_from[topic], decide_from[topic]), bounds)
    users_at = _placed_at(place, users_topic, users)
    users_from = users.begin if users_at is None else users_at
    _within(users_topic, users_from, users)
    return Start(fold_from, decide_from, max(users_from, users.begin), frozenset(by_users), formers)


def _placed_at(place: Place | None, topic: str, bounds: Bounds) -> int | None:
    """The place's offset in a topic; void where the place was made in another topic of that name."""
    if place is None or place.topic_ids.get(topic) != bounds.topic_id:
        return None
    return place.positions.get(topic)


def _within(topic: str, reached: int, bounds: Bounds) -> None:
    """A log that ends before what was read of it has lost records; waiting for them would be for ever."""
    if reached > bounds.end:
        raise NeedsRebuild(
            f"{topic} was read up to offset {reached}, but it ends at {bounds.end}, so Kafka has lost"
            f" records: {REBUILD}, or set the group's offsets to where the log ends"
        )


def _same_topic(commit: Committed, bounds: Bounds) -> bool:
    """Offsets outlive a deleted topic, so their metadata names the topic's id; a tool's names none."""
    return commit.topic_id is None or commit.topic_id == bounds.topic_id


def _complete(
    committed: Mapping[str, Committed],
    inputs: Mapping[str, Bounds],
    users_empty: Callable[[], bool],
    *,
    bootstrapped: bool,
) -> None:
    """The log alone gives the states back only if it holds the whole past, or nothing of the past stands."""
    if bootstrapped:
        raise NeedsRebuild(
            f"Redis has no place for this lane, and the users of the bootstrap are not in the log: {REBUILD}"
        )
    of_now = any(_same_topic(commit, inputs[topic]) for topic, commit in committed.items())
    if not of_now and users_empty():
        return
    for topic, commit in committed.items():
        former = commit_former(commit, inputs[topic])
        if former is not None and former.held_facts:
            raise NeedsRebuild(
                f"Redis has no place for this lane, and {topic} was made anew, so what the topic before it held cannot"
                f" be folded again: {REBUILD}"
            )
    for topic, bounds in inputs.items():
        if of_now:
            _begins_at_0(topic, bounds)


def _begins_at_0(topic: str, bounds: Bounds) -> None:
    if bounds.begin > 0:
        raise NeedsRebuild(
            f"Redis has no place for this lane in {topic}, and the topic begins at offset"
            f" {bounds.begin}, so what came before cannot be folded again: {REBUILD}"
        )


def check_settings(made: FoldSettings, now: FoldSettings) -> None:
    """See that the states in Redis were made with the settings of now.

    Raises:
        NeedsRebuild: they were made with others; the message names the first.
    """
    if made.partitions != now.partitions:
        raise NeedsRebuild(
            f"the inputs have {now.partitions} partitions, but the states in Redis were made with"
            f" {made.partitions}: make new topics and {REBUILD}"
        )
    for name, was, is_now in (
        ("exclude_statuses", made.exclude_statuses, now.exclude_statuses),
        ("partitioner", made.partitioner, now.partitioner),
        ("rekey", made.rekey, now.rekey),
        ("declare", told(made.declared), told(now.declared)),
    ):
        if was != is_now:
            raise NeedsRebuild(
                f"setting {name} is {is_now!r}, but the states in Redis were made with {was!r}:"
                f" {REBUILD}, or set it back"
            )
