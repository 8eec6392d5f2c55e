"""Which erasures came before a lane's log goes on, so that no event of it tells them. Pure.

A bootstrap keeps to the erasures that it finds in ``user-segments``. Those that came later lie in the log: who folds it
from where it goes on must meet them there, and not know them before.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime

import msgspec

from schemas.input_events import UserErased
from schemas.outputs.segment_change import Cause, UserErasedChange
from schemas.outputs.wire import decode_change
from streamer.batch.decided_records import decision_in
from streamer.batch.lane_config import LaneConfig
from streamer.interfaces.lane_interfaces import Bounds, Reading, Record
from streamer.refill.spill import Spill
from streamer.takeover.read_stretch import read_events, read_whole

_decode = msgspec.json.Decoder(dict[datetime, int]).decode

# Where an erasure was told: before all records of ``user-segments``, at one's offset, or after all.
_SURELY_BEFORE, _AFTER_ALL = -1, 2**62


class Erasures:
    """By user, the last erasure that came before a lane's log goes on.

    ``all_before``: of none that was noted the log itself could tell.

    Every method raises :class:`~schemas.errors.NoRoom` where they fit neither into memory nor on the disk.
    """

    def __init__(self) -> None:
        self._spill = Spill()
        self._shelf = self._spill.shelf()
        # Records of ``user-segments`` up to here were there when a bootstrap began.
        self._until = _SURELY_BEFORE
        self.all_before = True

    def pop(self, user_id: str) -> datetime | None:
        """A user's, which is then forgotten; None for one who was not erased."""
        stored = self._shelf.get(user_id)
        self._shelf.remove(user_id)
        return None if stored is None else self._last(stored)

    def __iter__(self) -> Iterator[tuple[str, datetime]]:
        for entries in self._shelf.batches():
            for user_id, stored in entries:
                last = self._last(stored)
                if last is not None:
                    yield user_id, last

    def close(self) -> None:
        """Let go of all."""
        self._spill.close()

    def note(self, user_id: str, erased_at: datetime, told_at: int) -> None:
        """An erasure, and where it was told."""
        self.all_before = self.all_before and told_at == _SURELY_BEFORE
        told = self._told(user_id)
        told[erased_at] = min(told_at, told.get(erased_at, told_at))
        self._shelf.put([(user_id, msgspec.json.encode(told))])

    def note_bootstrap(self, offset: int) -> None:
        """What was told up to a bootstrap's record came before the log goes on."""
        self._until = offset
        self.all_before = True

    def met(self, user_id: str, erased_at: datetime) -> None:
        """The log tells this erasure: it came later, unless something else shows that it came before."""
        told = self._told(user_id)
        if told.get(erased_at, self._until) > self._until:
            del told[erased_at]
            self._shelf.put([(user_id, msgspec.json.encode(told))])

    def _told(self, user_id: str) -> dict[datetime, int]:
        stored = self._shelf.get(user_id)
        return {} if stored is None else _decode(stored)

    def _last(self, stored: bytes) -> datetime | None:
        return max(_decode(stored), default=None)


@contextmanager
def erased_before(
    log: Reading,
    bounds: Mapping[str, Bounds],
    begin: Mapping[str, int],
    known: Iterable[tuple[str, datetime]],
    config: LaneConfig,
) -> Iterator[Erasures]:
    """The erasures that came before the log goes on.

    Args:
        bounds: of the inputs, ``user-segments`` and ``segment-changes``.
        begin: by input, the offset from which the log goes on.
        known: erasures that somebody else tells, by user; compaction may have taken the records that did.
    """
    with closing(Erasures()) as erasures:
        _note_told(erasures, log, bounds, begin, config)
        for user_id, at in known:
            erasures.note(user_id, at, _AFTER_ALL)
        if not erasures.all_before:
            for erasure in _in_log(log, bounds, begin, config):
                erasures.met(erasure.user_id, erasure.erased_at)
        yield erasures


def _note_told(
    erasures: Erasures,
    log: Reading,
    bounds: Mapping[str, Bounds],
    begin: Mapping[str, int],
    config: LaneConfig,
) -> None:
    """The erasures that the outputs tell."""
    topics = config.topics

    def is_before(cause: Cause) -> bool:
        return all(cause.positions.get(topic, 0) <= at for topic, at in begin.items())

    for record in _all(log, bounds, topics.users, config):
        decision = decision_in(record)
        if decision is None:
            continue
        if decision.erased_at is not None:
            # A record of a user who is there has the last erasure of its batch, which may follow it.
            surely = decision.decided is None and is_before(decision.cause)
            erasures.note(decision.user_id, decision.erased_at, _SURELY_BEFORE if surely else record.offset)
        if decision.cause.type == "bootstrap":
            erasures.note_bootstrap(record.offset)
    for record in _all(log, bounds, topics.changes, config):
        change = None if record.value is None else decode_change(record.value)
        if isinstance(change, UserErasedChange):
            surely = is_before(change.cause)
            erasures.note(change.user_id, change.occurred_at, _SURELY_BEFORE if surely else _AFTER_ALL)


def _in_log(
    log: Reading, bounds: Mapping[str, Bounds], begin: Mapping[str, int], config: LaneConfig
) -> Iterator[UserErased]:
    """Every erasure among the events; orders hold none."""
    topics = config.topics
    for topic in (topic for topic in topics.inputs if topic != topics.orders):
        for _, events in read_events(log, {topic: begin[topic]}, {topic: bounds[topic].end}, config):
            for incoming in events:
                if isinstance(incoming.event, UserErased):
                    yield incoming.event


def _all(log: Reading, bounds: Mapping[str, Bounds], topic: str, config: LaneConfig) -> Iterator[Record]:
    for records in read_whole(log, topic, bounds[topic], config.max_batch):
        yield from records
