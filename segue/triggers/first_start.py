"""Where every user of a partition is at the first start, and where the changes go on.

The order of reading is that of :mod:`segue.subscribe.state_seam`. What was committed meanwhile is part of
where users are: the first change that counts comes after the last change that was read here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from schemas.outputs.segment_change import Change, SegmentChange, UserErasedChange
from schemas.outputs.wire import decode_change
from schemas.topics import Topics
from segue.subscribe.state_seam import Seam, State
from segue.triggers import ledger_records
from segue.triggers.firm_segment import after, first_met
from segue.triggers.ledger import Ledger
from segue.triggers.ledger_records import Writes
from segue.triggers.policy import User
from streamer.interfaces.lane_interfaces import Log, Record

_CHUNK = 1_000

Read = Callable[[str, int, int], Iterator[list[Record]]]
"""Yields the committed records of a topic from an offset up to another; some beyond may come with them."""
WriteUsers = Callable[[Writes], None]
"""Commits records of the ledger."""


def write_users(kafka: Log, topics: Topics, read: Read, known: Ledger, write: WriteUsers) -> int:
    """Write where the users of a partition are; return the offset of the first change that counts.

    A user who has long been in a segment must not enter it with the first change that comes.

    Args:
        kafka: tells the topics' ends.
        topics: the names of the topics.
        read: reads the partition.
        known: the ledger; it has what was written, and holds none of the users.
        write: writes to the ledger.
    """
    changes = kafka.watch(topics.changes)
    # A transaction may be open below the end. Wait for it: then user-segments has its users too.
    for _ in read(topics.changes, max(changes.begin, changes.end - 1), changes.end):
        pass
    states = _write_states(kafka, topics, read, write)
    end = kafka.watch(topics.changes).end
    window = [
        decode_change(record.value)
        for records in read(topics.changes, changes.end, end)
        for record in records
        if record.value is not None and record.offset < end
    ]
    seam = Seam(states, {change.event_id for change in window})
    users: dict[str, User | None] = {}
    for number in range(0, len(window), _CHUNK):
        some = window[number : number + _CHUNK]
        met = {change.user_id for change in some} - users.keys()
        known.hold(met)
        for change in some:
            if seam.is_new(change.user_id, change.event_id, is_erasure=isinstance(change, UserErasedChange)):
                before = users[change.user_id] if change.user_id in users else known.user(change.user_id)
                users[change.user_id] = _moved(before, change)
        for user_id in met:
            known.release(user_id)
    moved = [(ledger_records.user_key(user_id), _value(user)) for user_id, user in users.items()]
    for number in range(0, len(moved), _CHUNK):
        write(dict(moved[number : number + _CHUNK]))
    return end


def _write_states(kafka: Log, topics: Topics, read: Read, write: WriteUsers) -> dict[str, State]:
    """Write the users as `user-segments` has them; return the ids of their changes."""
    states: dict[str, State] = {}
    writes: dict[bytes, bytes | None] = {}
    bounds = kafka.watch(topics.users)
    for records in read(topics.users, bounds.begin, bounds.end):
        for record in records:
            if record.key is None:
                continue
            user_id = record.key.decode()
            change = None if record.value is None else decode_change(record.value)
            writes[ledger_records.user_key(user_id)] = _value(
                None if change is None else _moved(None, change)
            )
            if change is None:
                states.pop(user_id, None)
            else:
                states[user_id] = State(change.event_id, b"")  # only whether there is a value counts
        if len(writes) >= _CHUNK:
            write(writes)
            writes = {}
    write(writes)
    return states


def _moved(before: User | None, change: Change) -> User | None:
    if not isinstance(change, SegmentChange):
        return None
    return User(after(first_met(change) if before is None else before.where, change))


def _value(user: User | None) -> bytes | None:
    return None if user is None else ledger_records.encode(user)
