"""The arguments of the script that saves: what to set and delete in each hash and in each sorted set."""

from collections.abc import Mapping, Sequence

from msgspec import UNSET, Raw

from streamer.interfaces.lane_interfaces import UserWrite
from streamer.place.redis_keys import ORDER_PREFIX, due_score


def spaces_of(writes: Sequence[UserWrite]) -> list[str]:
    """The spaces whose index these writes change."""
    return sorted({space for write in writes for space in write.angles})


def fields_in(write: UserWrite) -> tuple[list[str | Raw], list[str], bool]:
    """The fields to set, as name and value in turn, the fields to delete, and whether the key must exist."""
    named = {**write.fields, **{ORDER_PREFIX + k: value for k, value in write.orders.items()}}
    to_set: list[str | Raw] = []
    for name, value in named.items():
        if value is not None:
            to_set += (name, _as_text(value) if isinstance(value, bytes) else value)
    return to_set, [name for name, value in named.items() if value is None], write.existing


def _as_text(value: bytes) -> Raw:
    """Bytes under MessagePack's mark of a text: the MessagePack of Redis scripts has no byte strings."""
    return Raw(b"\xdb" + len(value).to_bytes(4) + value)


def angles_in(space: str, writes: Sequence[UserWrite]) -> dict[str, float | None]:
    """The angles that these writes put into the index of a space, by user id; None removes the user."""
    return {write.user_id: write.angles[space] for write in writes if space in write.angles}


def swept_in(writes: Sequence[UserWrite]) -> dict[str, float | None]:
    """The sweep numbers to write, by user id; None removes the user from the lane."""
    return {write.user_id: write.swept for write in writes}


def due_in(writes: Sequence[UserWrite]) -> dict[str, float | None]:
    """The due days to write, as scores; empty if no declared feature reads the day."""
    return {
        write.user_id: None if write.due is None else due_score(write.due)
        for write in writes
        if write.due is not UNSET
    }


def entries_of(scores: Mapping[str, float | None]) -> tuple[list[str], list[str]]:
    """The scores and members to add to a sorted set, in turn, and the members to remove."""
    to_add = [part for user_id, at in scores.items() if at is not None for part in (repr(at), user_id)]
    return to_add, [user_id for user_id, at in scores.items() if at is None]
