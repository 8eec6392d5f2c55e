"""One batch: load its users, decide each event, and find the similar users of the changes."""

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct

from benchmarks.bare.bare_change import Headers, Input, decide, record_of
from benchmarks.bare.bare_similar import angle_of, similar_users
from benchmarks.bare.bare_store import BareStore
from benchmarks.bare.bare_user import BareUser, fold
from benchmarks.bare.table_score import TableScorer

# Partition, key, value, headers.
Record = tuple[int, bytes, bytes, Headers]


class Decided(Struct, gc=False):
    """What a batch gives: the records of its changes, and what to save."""

    records: list[Record]
    users: dict[str, BareUser]
    changed: set[str]
    angles: dict[str, float]


def decide_batch(inputs: Sequence[Input], store: BareStore, scorer: TableScorer, prefix: str) -> Decided:
    """Decide these events in their order.

    Args:
        inputs: the events.
        store: holds the users.
        scorer: the release.
        prefix: the prefix of the topics.
    """
    users = store.load(list(dict.fromkeys(given.event.user_id for given in inputs)))
    angles: dict[str, float] = {}
    changes = []
    for given in inputs:
        user_id = given.event.user_id
        user = users[user_id]
        fold(user, given.event)
        change, x, y = decide(user, given, scorer, prefix)
        at = angle_of(x, y)
        if at is not None:
            angles[user_id] = at
        if change is not None:
            changes.append((change, given.partition, at))
    searches = [(change.user_id, at) for change, _, at in changes if at is not None]
    own = [(at, user_id, users[user_id].segment) for user_id, at in angles.items()]
    stored = store.near([at for _, at in searches], users)
    found = iter(similar_users(searches, [*own, *((at, user, segment) for user, at, segment in stored)]))
    now = datetime.now(UTC)
    records = [
        (partition, *record_of(change, next(found) if at is not None else (), now, prefix))
        for change, partition, at in changes
    ]
    return Decided(records, users, {change.user_id for change, _, _ in changes}, angles)
