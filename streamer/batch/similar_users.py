"""The similar users of a change: the nearest of all users, at their positions when the batch commits."""

from collections.abc import Sequence

from msgspec.structs import replace

from schemas.outputs.segment_change import Change, SegmentChange, SimilarUser
from streamer.batch.batch_users import Users
from streamer.interfaces.lane_interfaces import Neighbour, Store
from streamer.segment.neighbours import AngleIndex, angle, nearest_of, similarity


def with_similar_users(
    changes: Sequence[Change], users: Users, store: Store, space: str, n: int
) -> list[Change]:
    """The changes, each with its ``n`` most similar users; one round trip for all changes.

    The index in the store has the former angles of this batch's users. So the search in the store leaves
    these users out, and their present angles come from memory.

    Args:
        changes: the changes of the batch.
        users: the users of the batch, after their decisions.
        store: the lane's store.
        space: the space of the release that decides.
        n: how many similar users each change names.
    """
    angles = {i: angle(c.components) for i, c in enumerate(changes) if isinstance(c, SegmentChange)}
    searched = {i: at for i, at in angles.items() if at is not None}
    if not searched or n == 0:
        return list(changes)
    here = AngleIndex()
    for state in users:
        if state.position is not None and state.position.space == space:
            here.put(state.user_id, angle(state.position.components))
    there = store.neighbours(space, list(searched.values()), n, [state.user_id for state in users])
    complete = list(changes)
    for (i, at), found in zip(searched.items(), there, strict=True):
        change = changes[i]
        assert isinstance(change, SegmentChange)
        batch = [
            Neighbour(user_id, theirs, _segment(users, user_id))
            for user_id, theirs in here.nearest(at, n, {change.user_id})
        ]
        complete[i] = replace(
            change,
            similar_users=tuple(
                SimilarUser(near.user_id, similarity(at, near.angle), near.segment)
                for near in nearest_of(at, n, found, batch)
            ),
        )
    return complete


def _segment(users: Users, user_id: str) -> int | None:
    decided = users[user_id].decided
    return None if decided is None else decided.segment
