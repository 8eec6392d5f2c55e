"""The erasures before the offset where a lane's log continues a bootstrap. Pure.

No event of the log contains these erasures; a bootstrap applies the erasures in ``user-segments``. Later
erasures are events of the log. A fold that begins where the log continues must meet them there, and must not
know them before.
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

# Where an erasure is recorded: before all records of ``user-segments``, at a record's offset, or after all.
_SURELY_BEFORE, _AFTER_ALL = -1, 2**62


class Erasures:
    """By user, the last erasure before the offset where a lane's log continues.

    ``all_before`` is true if the log cannot contain any of the noted erasures.

    Every method raises :class:`~schemas.errors.NoRoom` if the erasures fit neither into memory nor on the
    disk.
    """

    def __init__(self) -> None:
        self._spill = Spill()
        self._shelf = self._spill.shelf()
        # The records of ``user-segments`` up to this offset existed when a bootstrap began.
        self._until = _SURELY_BEFORE
        self.all_before = True

    def pop(self, user_id: str) -> datetime | None:
        """A user's last erasure, which is then forgotten; None if the user was not erased."""
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
        """Delete everything."""
        self._spill.close()

    def note(self, user_id: str, erased_at: datetime, recorded_at: int) -> None:
        """Note an erasure.

        Args:
            user_id: the user.
            erased_at: the time of the erasure.
            recorded_at: the offset of its record in ``user-segments``; see the constants for other places.
        """
        self.all_before = self.all_before and recorded_at == _SURELY_BEFORE
        noted = self._noted(user_id)
        noted[erased_at] = min(recorded_at, noted.get(erased_at, recorded_at))
        self._shelf.put([(user_id, msgspec.json.encode(noted))])

    def note_bootstrap(self, offset: int) -> None:
        """Note a bootstrap's record: the erasures recorded up to it came before the log continues."""
        self._until = offset
        self.all_before = True

    def met(self, user_id: str, erased_at: datetime) -> None:
        """Forget an erasure that the log contains, unless a record shows that it came before."""
        noted = self._noted(user_id)
        if noted.get(erased_at, self._until) > self._until:
            del noted[erased_at]
            self._shelf.put([(user_id, msgspec.json.encode(noted))])

    def _noted(self, user_id: str) -> dict[datetime, int]:
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
    """The erasures before the offsets where the log continues.

    Args:
        log: reads the lane's partition.
        bounds: the bounds of the inputs, of ``user-segments`` and of ``segment-changes``, by topic.
        begin: by input, the offset where the log continues.
        known: users and erasures from another source; compaction may have deleted their records.
        config: the settings of the lanes.
    """
    with closing(Erasures()) as erasures:
        _note_recorded(erasures, log, bounds, begin, config)
        for user_id, at in known:
            erasures.note(user_id, at, _AFTER_ALL)
        if not erasures.all_before:
            for erasure in _in_log(log, bounds, begin, config):
                erasures.met(erasure.user_id, erasure.erased_at)
        yield erasures


def _note_recorded(
    erasures: Erasures,
    log: Reading,
    bounds: Mapping[str, Bounds],
    begin: Mapping[str, int],
    config: LaneConfig,
) -> None:
    """Note the erasures that the output topics record."""
    topics = config.topics

    def is_before(cause: Cause) -> bool:
        return all(cause.positions.get(topic, 0) <= at for topic, at in begin.items())

    for record in _all(log, bounds, topics.users, config):
        decision = decision_in(record)
        if decision is None:
            continue
        if decision.erased_at is not None:
            # The record of a living user has the user's last erasure in its batch, which may come later.
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
    """Every erasure among the events; the topic of orders has no erasures."""
    topics = config.topics
    for topic in (topic for topic in topics.inputs if topic != topics.orders):
        for _, events in read_events(log, {topic: begin[topic]}, {topic: bounds[topic].end}, config):
            for incoming in events:
                if isinstance(incoming.event, UserErased):
                    yield incoming.event


def _all(log: Reading, bounds: Mapping[str, Bounds], topic: str, config: LaneConfig) -> Iterator[Record]:
    for records in read_whole(log, topic, bounds[topic], config.max_batch):
        yield from records
