"""Which erasures came before a lane's log goes on, so that no event of it tells them. Pure.

A bootstrap keeps to the erasures that it finds in ``user-segments``. Those that came later lie in the log: who folds it
from where it goes on must meet them there, and not know them before.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime

from schemas.changes import Cause, UserErasedChange
from schemas.events import UserErased
from schemas.wire import decode_change
from streamer.batch import read_batch
from streamer.decisions import decision_in
from streamer.healing import read_between
from streamer.interfaces import Bounds, Reading, Record
from streamer.lane_config import LaneConfig

Times = dict[str, set[datetime]]
"""By user, when it was erased."""


def erased_before(
    log: Reading,
    bounds: Mapping[str, Bounds],
    begin: Mapping[str, int],
    known: Mapping[str, datetime],
    config: LaneConfig,
) -> dict[str, datetime]:
    """By user, the last erasure that came before the log goes on.

    Args:
        bounds: of the inputs, ``user-segments`` and ``segment-changes``.
        begin: by input, the offset from which the log goes on.
        known: erasures that somebody else tells, by user; compaction may have taken the records that did.
    """
    before, told = _told(log, bounds, begin, config)
    for user_id, at in known.items():
        told[user_id].add(at)
    if told:
        for user_id, later in _in_log(log, bounds, begin, config).items():
            told[user_id] -= later
    for user_id, times in told.items():
        before[user_id] |= times
    return {user_id: max(times) for user_id, times in before.items() if times}


def _told(
    log: Reading, bounds: Mapping[str, Bounds], begin: Mapping[str, int], config: LaneConfig
) -> tuple[Times, Times]:
    """The erasures that the outputs tell: those that surely came before the log goes on, and the others."""
    topics = config.topics
    before: Times = defaultdict(set)
    pending: Times = defaultdict(set)

    def is_before(cause: Cause) -> bool:
        return all(cause.positions.get(topic, 0) <= at for topic, at in begin.items())

    for record in _all(log, bounds, topics.users, config):
        decision = decision_in(record)
        if decision is None:
            continue
        if decision.erased_at is not None:
            # A record of a user who is there has the last erasure of its batch, which may follow it.
            is_told = before if decision.decided is None and is_before(decision.cause) else pending
            is_told[decision.user_id].add(decision.erased_at)
        if decision.cause.type == "bootstrap":
            for user_id, times in pending.items():
                before[user_id] |= times
            pending.clear()
    for record in _all(log, bounds, topics.changes, config):
        change = None if record.value is None else decode_change(record.value)
        if isinstance(change, UserErasedChange):
            (before if is_before(change.cause) else pending)[change.user_id].add(change.occurred_at)
    return before, pending


def _in_log(
    log: Reading, bounds: Mapping[str, Bounds], begin: Mapping[str, int], config: LaneConfig
) -> Times:
    """Every erasure among the events; orders hold none."""
    topics = config.topics
    found: Times = defaultdict(set)
    for topic in (topic for topic in topics.inputs if topic != topics.orders):
        start = {topic: begin[topic]}
        for records in read_between(log, start, {topic: bounds[topic].end}, config.max_batch):
            for incoming in read_batch(records, start, topics, config.settings, config.max_ahead).events:
                if isinstance(incoming.event, UserErased):
                    found[incoming.event.user_id].add(incoming.event.erased_at)
    return found


def _all(log: Reading, bounds: Mapping[str, Bounds], topic: str, config: LaneConfig) -> Iterator[Record]:
    begin, end = {topic: bounds[topic].begin}, {topic: bounds[topic].end}
    for records in read_between(log, begin, end, config.max_batch):
        yield from records
