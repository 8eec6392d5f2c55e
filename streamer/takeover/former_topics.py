"""An input that was deleted and created again: whether the states hold all facts of the former topic."""

from schemas.errors import NeedsRebuild
from streamer.interfaces.lane_interfaces import Bounds, Committed, Former
from streamer.place.place import Place

REBUILD = "rebuild the states with `segue rebuild` (docs/operations.md, code 7)"
# Where a rebuild would refuse: the log has lost a part of the past.
BEGIN_AGAIN = "begin again from the warehouse (docs/rebuilding.md)"
RESTORE = f"restore a backup of Redis, or {BEGIN_AGAIN}"


def commit_former(commit: Committed, bounds: Bounds) -> Former | None:
    """The former topic, as a committed offset names it; None if it names no former topic."""
    if commit.topic_id is None or commit.topic_id == bounds.topic_id:
        return commit.former
    earlier = commit.former is not None and commit.former.held_facts
    return Former(commit.topic_id, commit.offset, earlier)


def former_of(place: Place, topic: str, bounds: Bounds, commit: Committed | None) -> Former | None:
    """The former topic, and how far the states hold its facts; None if there was no former topic.

    Args:
        place: the lane's place.
        topic: the name of the input.
        bounds: the bounds and the id of the present topic.
        commit: the group's committed offset; None if there is none.

    Raises:
        NeedsRebuild: the group committed more of the former topic than the states hold, or this cannot be
            known.
    """
    made_in, known = place.topic_ids.get(topic), place.formers.get(topic)
    if made_in in (None, bounds.topic_id):
        has = known
    elif known is not None and known.topic_id == made_in:
        has = known  # a takeover crashed before it had adopted every decision
    else:
        has = Former(made_in, place.positions[topic], known is not None and known.held_facts)
    if commit is None:
        return has
    decided = commit_former(commit, bounds)
    if decided is None:
        if commit.topic_id == bounds.topic_id and made_in not in (None, bounds.topic_id):
            raise _behind(topic)
        return has
    if has is None:  # an older version of Segue wrote the place, without former topics
        return decided
    reached = next(
        (one for one in (has, known) if one is not None and one.topic_id == decided.topic_id), None
    )
    if reached is None or reached.offset < decided.offset:
        raise _behind(topic)
    return has


def _behind(topic: str) -> NeedsRebuild:
    return NeedsRebuild(
        f"{topic} was made anew, and Redis had not come to the end of the topic before it, so events are gone"
        f" that were never applied: {RESTORE}"
    )
