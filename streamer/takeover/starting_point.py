"""The offsets where a lane starts, from Kafka's committed offsets and the place in Redis."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec import Struct

from schemas.errors import NeedsRebuild
from streamer.interfaces.lane_interfaces import Bounds, Committed, Former
from streamer.place.place import FoldSettings, Place
from streamer.takeover.changed_settings import changes_text, features_by_name, forms_by_name
from streamer.takeover.former_topics import BEGIN_AGAIN, REBUILD, RESTORE, commit_former, former_of


class Start(Struct, frozen=True):
    """The offsets from which a takeover reads.

    Attributes:
        fold_from: by input, the offset to fold from.
        decide_from: by input, the offset to decide from; before this offset, the lane only folds.
        users_from: the offset of ``user-segments`` to read decisions from.
        by_users: the inputs that have a position in the place but no committed offset. Their ``decide_from``
            is provisional: the highest ``cause.positions`` in ``user-segments`` from ``users_from`` on
            replaces it.
        formers: by input that was deleted and created again, the former topic and how far the states hold its
            facts.
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
    prefix: str,
    *,
    users_empty: Callable[[], bool],
    bootstrapped: bool,
) -> Start:
    """The offsets where a lane starts, from its place, the committed offsets and the topics.

    Args:
        place: the lane's place; None if there is none that counts.
        committed: by input, the group's committed offset.
        inputs: the bounds of each input's partition, in the order of the inputs.
        users_topic: the name of ``user-segments``.
        users: the bounds of this partition of ``user-segments``.
        settings: the present settings of the fold.
        prefix: the prefix in Redis under which the place was looked for.
        users_empty: whether this partition of ``user-segments`` holds no record; the call reads the topic.
        bootstrapped: a ``bootstrap`` record exists, so the log alone does not hold the whole past.

    Raises:
        NeedsRebuild: a part of the past cannot be read, or the place was made with other settings.
    """
    if place is not None:
        check_settings(place.settings, settings)
    elif committed:
        _complete(committed, inputs, prefix, users_empty, bootstrapped=bootstrapped)
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
            # A committed offset in a former topic shows that no event of the present topic was decided.
            if commit is None:
                by_users.add(topic)
        elif commit_at is not None:
            if place is not None:
                _begins_at_0(topic, bounds, prefix)
            fold_from[topic] = bounds.begin
            decide_from[topic] = commit_at
        elif place is None and commit is None and not users_empty():
            raise NeedsRebuild(
                f"the group has no offset for {topic} and Redis no place under the prefix {prefix!r}, but"
                f" {users_topic} holds decisions: set the workers' group, redis and redis_prefix, or"
                f" {BEGIN_AGAIN}"
            )
        else:
            fold_from[topic] = decide_from[topic] = bounds.begin
        if fold_from[topic] < bounds.begin:
            raise NeedsRebuild(
                f"Redis has come to offset {fold_from[topic]} of {topic}, but the topic now begins at"
                f" {bounds.begin}, so events are gone that were never applied: {BEGIN_AGAIN}"
            )
        _within(topic, max(fold_from[topic], decide_from[topic]), bounds)
    users_at = _placed_at(place, users_topic, users)
    users_from = users.begin if users_at is None else users_at
    _within(users_topic, users_from, users)
    return Start(fold_from, decide_from, max(users_from, users.begin), frozenset(by_users), formers)


def _placed_at(place: Place | None, topic: str, bounds: Bounds) -> int | None:
    """The place's offset in a topic; None if the place belongs to a former topic of this name."""
    if place is None or place.topic_ids.get(topic) != bounds.topic_id:
        return None
    return place.positions.get(topic)


def _within(topic: str, reached: int, bounds: Bounds) -> None:
    """Refuse an offset beyond the log's end: Kafka has lost records, and waiting would never end."""
    if reached > bounds.end:
        raise NeedsRebuild(
            f"{topic} was read up to offset {reached}, but it ends at {bounds.end}, so Kafka has lost"
            f" records: set the group's offsets to where the log ends, or {BEGIN_AGAIN}"
        )


def _same_topic(commit: Committed, bounds: Bounds) -> bool:
    """Whether a committed offset belongs to the present topic, by the id in its metadata.

    Offsets outlive a deleted topic. An offset that a tool committed has no id and counts as present.
    """
    return commit.topic_id is None or commit.topic_id == bounds.topic_id


def _complete(
    committed: Mapping[str, Committed],
    inputs: Mapping[str, Bounds],
    prefix: str,
    users_empty: Callable[[], bool],
    *,
    bootstrapped: bool,
) -> None:
    """Check that the log alone can restore the states: it holds the whole past, or there is no past."""
    if bootstrapped:
        raise NeedsRebuild(
            f"Redis has no place for this lane under the prefix {prefix!r}, and the users of the bootstrap"
            f" are not in the log: rebuild the states with `segue rebuild --warehouse`; if the log has lost"
            f" events since the bootstrap, {RESTORE}"
        )
    of_now = any(_same_topic(commit, inputs[topic]) for topic, commit in committed.items())
    if not of_now and users_empty():
        return
    for topic, commit in committed.items():
        former = commit_former(commit, inputs[topic])
        if former is not None and former.held_facts:
            raise NeedsRebuild(
                f"Redis has no place for this lane under the prefix {prefix!r}, and {topic} was made anew, so"
                f" what the topic before it held cannot be folded again: {RESTORE}"
            )
    for topic, bounds in inputs.items():
        if of_now:
            _begins_at_0(topic, bounds, prefix)


def _begins_at_0(topic: str, bounds: Bounds, prefix: str) -> None:
    if bounds.begin > 0:
        raise NeedsRebuild(
            f"Redis has no place for this lane in {topic} under the prefix {prefix!r}, and the topic begins"
            f" at offset {bounds.begin}, so what came before cannot be folded again: {RESTORE}"
        )


def _toml(value: bool | str | Sequence[str]) -> str:
    """A value as in a settings file; JSON writes these kinds as TOML does."""
    return msgspec.json.encode(value).decode()


def check_settings(made: FoldSettings, now: FoldSettings) -> None:
    """Check that the states in Redis were made with the present settings.

    Raises:
        NeedsRebuild: a setting differs; the message names the first one.
    """
    if made.partitions != now.partitions:
        raise NeedsRebuild(
            f"the inputs have {now.partitions} partitions, but the states in Redis were made with"
            f" {made.partitions}: begin again with new topics (docs/rebuilding.md, Another number of"
            " partitions)"
        )
    for name, was, is_now in (
        ("exclude_statuses", made.exclude_statuses, now.exclude_statuses),
        ("partitioner", made.partitioner, now.partitioner),
        ("rekey", made.rekey, now.rekey),
        ("time_zone", made.zone_name, now.zone_name),
        ("features (the default ones left out)", ", ".join(made.left_out), ", ".join(now.left_out)),
    ):
        if was != is_now:
            raise NeedsRebuild(
                f"setting {name} is {_toml(is_now)}, but the states in Redis were made with {_toml(was)}:"
                f" {REBUILD}, or set it back"
            )
    for name, changes in (
        ("declare", changes_text(features_by_name(made.declared), features_by_name(now.declared))),
        ("events", changes_text(forms_by_name(made.forms), forms_by_name(now.forms))),
    ):
        if changes:
            raise NeedsRebuild(
                f"setting {name} has changed since the states were made: {changes}: {REBUILD}, or set it back"
            )
