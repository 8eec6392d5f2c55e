"""The similar users of a change: the nearest of all users, at their positions when the batch commits."""

from collections.abc import Sequence

from msgspec.structs import replace

from schemas.outputs.segment_change import Change, SegmentChange
from streamer.batch.batch_users import Users
from streamer.interfaces.lane_interfaces import Neighbour, Store
from streamer.segment.neighbours import Neighbourhood, angle
from streamer.user.user_state import UserState


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
    here = [near for state in users if (near := _neighbour(state, space)) is not None]
    there = store.neighbours(space, list(searched.values()), n, [state.user_id for state in users])
    everyone = Neighbourhood([*here, *there])
    complete = list(changes)
    for i, at in searched.items():
        change = changes[i]
        complete[i] = replace(change, similar_users=everyone.most_similar(at, n, {change.user_id}))
    return complete


def _neighbour(state: UserState, space: str) -> Neighbour | None:
    """A user of the batch at its present position; None if it has no direction in this space."""
    if state.position is None or state.position.space != space:
        return None
    at = angle(state.position.components)
    segment = None if state.decided is None else state.decided.segment
    return None if at is None else Neighbour(state.user_id, at, segment)
