"""One partition of the changes: decides, posts, and commits what stands. It knows neither Kafka nor HTTP.

The order of the work, as in a worker's lane:

1. Fence: start the producer, which ends the former owner's transaction.
2. Read the partition of the ledger to its end. Its place says where to go on in the changes.
3. Decide each change in its order, from the ledger and the changes decided before it.
4. Commit when they were decided, if there are webhooks to post.
5. Post the webhooks. A user's webhooks of one trigger go one after the other.
6. Commit the longest run of finished changes: one transaction has the records of the ledger, the dead
   letters, the place and the group's offset.

After a crash between 5 and 6, the same changes are decided again from the same ledger and with the same time,
and their webhooks have the same ids.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace

from schemas.errors import BadTopics, NeedsRebuild
from schemas.outputs.headers import OFFSET, PARTITION, REASON, TOPIC
from schemas.outputs.segment_change import Change
from schemas.outputs.wire import decode_change
from schemas.topics import Topics
from segue.triggers import ledger
from segue.triggers.first_start import write_users
from segue.triggers.ledger import Deciding, Ledger, Place, Window
from segue.triggers.policy import Decided, Entry, User, decide
from segue.triggers.trigger_file import Triggers
from streamer.interfaces.lane_errors import LaneClosing
from streamer.interfaces.lane_interfaces import Log, OutRecord, Record

# A change whose receiver is away holds at most so many later changes back, which a crash would post again.
MAX_PENDING = 1_000
TRIGGER = "segue_trigger"
"""The header of a dead letter with the trigger's name; its key is the webhook's id."""

log = structlog.get_logger("segue.triggers")


class Posted(Struct, frozen=True):
    """The end of a webhook: taken by its receiver, or given up for a reason."""

    given_up: str | None = None


class Post(Protocol):
    """Posts the webhooks of one lane. Webhooks of a trigger and a user go out in the order of ``send``."""

    def send(self, trigger: str, change: Change, number: int) -> None:
        """Post a webhook; :meth:`ended` later returns its end under this number and trigger."""

    def ended(self, timeout_s: float = 0.0) -> list[tuple[int, str, Posted]]:
        """Number, trigger and end of each webhook that has ended since the last call.

        Waits up to ``timeout_s`` for the first.
        """

    def forget(self) -> None:
        """Send none that waits, and report no end of those sent before this call."""

    def finish(self) -> None:
        """Begin no request; return when those that run have ended, or after a limited time."""


def webhook_id(trigger: str, change: Change) -> str:
    """Return the id of a webhook, the same at every repeat: the receiver's idempotency key."""
    # No dot: Standard Webhooks signs id, time and body with dots between them.
    return f"{change.event_id}-{trigger}"


class _Pending(Struct):
    """A change that is decided and not committed; ``at`` is the time that the rules were asked with."""

    record: Record
    change: Change
    at: datetime
    decided: Decided
    waits: set[str]
    given_up: dict[str, str]


class _Live(Struct):
    """A user whose newest changes are not committed yet, as they will be."""

    user: User | None
    entries: dict[str, Entry]
    pending: int = 0


class TriggerLane:
    """The triggers of one partition.

    Args:
        partition: the partition's number.
        group: the consumer group.
        kafka: reads and writes the partition; its inputs are the topic of changes.
        topics: the names of the topics.
        triggers: the file of triggers.
        post: posts the webhooks.
        clock: gives the present time.
        from_beginning: whether a first start begins with the oldest change, else with the next.
        closing: returns whether the lane must close.
        max_batch: the most changes to read at once.
    """

    def __init__(
        self,
        partition: int,
        group: str,
        kafka: Log,
        topics: Topics,
        triggers: Triggers,
        post: Post,
        clock: Callable[[], datetime],
        *,
        from_beginning: bool = False,
        closing: Callable[[], bool] = lambda: False,
        max_batch: int = 1_000,
    ) -> None:
        self._partition = partition
        self._group = group
        self._kafka = kafka
        self._topics = topics
        self._triggers = triggers
        self._post = post
        self._clock = clock
        self._from_beginning = from_beginning
        self._closing = closing
        self._max_batch = max_batch
        self._ledger = Ledger()
        self._pending: deque[_Pending] = deque()
        self._live: dict[str, _Live] = {}
        self._first = 0

    @property
    def ledger(self) -> Ledger:
        """The committed ledger."""
        return self._ledger

    def take_over(self) -> None:
        """Forget what is not committed, become the only writer, and read the ledger.

        Raises:
            BadTopics: the ledger is another group's.
            NeedsRebuild: the group has an offset, but the ledger is gone.
            InDoubt, Unreachable: try again.
            LaneClosing: the lane must close.
        """
        self._post.forget()
        self._pending.clear()
        self._live.clear()
        self._ledger = Ledger()
        self._kafka.fence()
        changes = self._kafka.watch(self._topics.changes)
        for records in self._whole(self._topics.trigger_ledger):
            self._ledger.apply((record.key, record.value) for record in records if record.key is not None)
        if self._ledger.place is None:
            if self._topics.changes in self._kafka.committed():
                raise NeedsRebuild(
                    f"the group has read {self._topics.changes}, but partition {self._partition} of"
                    f" {self._topics.trigger_ledger} has no ledger, so it is not known who got which webhook:"
                    " name another group by --group, which begins with new changes"
                )
            self._begin()
        place = self._ledger.place
        assert place is not None
        if place.group != self._group:
            raise BadTopics(
                f"{self._topics.trigger_ledger} is the ledger of the group {place.group}, and this one is"
                f" {self._group}: give the same --group, or another topic_prefix"
            )
        if place.topic_id != changes.topic_id:
            log.warning("topic of changes was made anew", lane=self._partition)
            place = replace(place, topic_id=changes.topic_id, offset=changes.begin)
        if place.offset < changes.begin:
            # Kafka has deleted them by the topic's retention.
            log.warning("changes are lost", lane=self._partition, offsets=changes.begin - place.offset)
            place = replace(place, offset=changes.begin)
        self._ledger.place = place
        self._kafka.read_from({self._topics.changes: place.offset})
        log.info("lane is live", lane=self._partition, offset=place.offset, ledger=len(self._ledger))

    def step(self, timeout_s: float) -> None:
        """Take changes, post their webhooks, and commit what is finished.

        Raises:
            BadChange: this version cannot read a change.
            InDoubt: take over again.
            LaneClosing: the lane must close.
        """
        if self._closing():
            raise LaneClosing
        room = min(MAX_PENDING - len(self._pending), self._max_batch)
        if room > 0:
            self._take(self._kafka.poll(room, timeout_s))
        self._collect(0.0 if room > 0 else timeout_s)
        self._commit()

    def close(self) -> None:
        """End in order: let running requests end, and commit what is finished."""
        self._post.finish()
        self._collect()
        self._commit()

    def give_up(self) -> None:
        """Send none of the webhooks that wait; another lane decides their changes again."""
        self._post.forget()

    def _take(self, records: Sequence[Record]) -> None:
        """Decide changes, and post their webhooks."""
        now, first = self._clock(), self._first + len(self._pending)
        taken = [self._decide(record, now) for record in records if record.value is not None]
        if any(each.waits and self._decided_at(each.record) is None for each in taken):
            self._commit_times()
        for number, pending in enumerate(taken, first):
            for name in pending.decided.outcomes:
                if name in pending.waits:
                    self._post.send(name, pending.change, number)

    def _decide(self, record: Record, now: datetime) -> _Pending:
        assert record.value is not None
        change = decode_change(record.value)
        live = self._live.get(change.user_id)
        if live is None:
            live = _Live(self._ledger.user(change.user_id), self._ledger.entries(change.user_id))
            self._live[change.user_id] = live
        at = self._decided_at(record) or now
        decided = decide(self._triggers, change, live.user, live.entries, at)
        live.user = decided.user
        live.entries = {} if decided.user is None else {**live.entries, **decided.entries}
        live.pending += 1
        sends = {name for name, outcome in decided.outcomes.items() if outcome.action == "send"}
        pending = _Pending(record, change, at, decided, sends, {})
        self._pending.append(pending)
        return pending

    def _decided_at(self, record: Record) -> datetime | None:
        """Return when a change was decided, if its webhooks may have been posted before."""
        assert self._ledger.place is not None
        return self._ledger.deciding.at(self._ledger.place.topic_id, record.offset)

    def _commit_times(self) -> None:
        """Commit when the pending changes were decided, before a webhook of theirs goes out."""
        assert self._ledger.place is not None
        windows = [
            Window(max(each.record.offset for each in group) + 1, at)
            for at, group in groupby(self._pending, key=lambda pending: pending.at)
        ]
        deciding = Deciding(self._ledger.place.topic_id, tuple(windows))
        self._write({ledger.DECIDING_KEY: ledger.encode(deciding)}, [], {})

    def _collect(self, timeout_s: float = 0.0) -> None:
        for number, trigger, end in self._post.ended(timeout_s):
            pending = self._pending[number - self._first]
            pending.waits.discard(trigger)
            if end.given_up is not None:
                pending.given_up[trigger] = end.given_up

    def _commit(self) -> None:
        """Commit the longest run of finished changes, if there is one."""
        place = self._ledger.place
        assert place is not None
        done = list(_finished(self._pending))
        if not done:
            return
        counts = {name: Counter(found) for name, found in place.counts.items()}
        writes: dict[bytes, bytes | None] = {}
        letters: dict[bytes, OutRecord] = {}
        for pending in done:
            for name, outcome in pending.decided.outcomes.items():
                what = "dead_letter" if name in pending.given_up else _COUNTED.get(str(outcome), str(outcome))
                counts.setdefault(name, Counter())[what] += 1
            self._settle(pending, writes, letters)
        place = replace(
            place,
            offset=done[-1].record.offset + 1,
            changes=place.changes + len(done),
            counts={name: dict(sorted(found.items())) for name, found in sorted(counts.items())},
        )
        writes[ledger.PLACE_KEY] = ledger.encode(place)
        self._write(writes, list(letters.values()), {self._topics.changes: place.offset})
        for pending in done:
            self._pending.popleft()
            live = self._live[pending.change.user_id]
            live.pending -= 1
            if not live.pending:
                del self._live[pending.change.user_id]
        self._first += len(done)

    def _settle(
        self, pending: _Pending, writes: dict[bytes, bytes | None], letters: dict[bytes, OutRecord]
    ) -> None:
        """Add the records of one finished change to a transaction.

        Args:
            pending: the change.
            writes: the records of the ledger so far, by key.
            letters: the records of the dead letters so far, by key.
        """
        user_id = pending.change.user_id
        if pending.decided.user is None:
            for name, entry in self._entries(user_id, writes).items():
                writes[ledger.entry_key(name, user_id)] = None
                for letter in entry.dead_letters:
                    letters[letter.encode()] = self._letter(letter.encode(), None, ())
            writes[ledger.user_key(user_id)] = None
        else:
            entries = self._entries(user_id, writes) if pending.decided.entries else {}
            for name, entry in pending.decided.entries.items():
                former = entries.get(name)
                dead = () if former is None else former.dead_letters
                if name in pending.given_up:
                    dead = (*dead, webhook_id(name, pending.change))
                    entry = replace(entry, outcome="dead_letter")  # noqa: PLW2901
                writes[ledger.entry_key(name, user_id)] = ledger.encode(replace(entry, dead_letters=dead))
            writes[ledger.user_key(user_id)] = ledger.encode(pending.decided.user)
        for name, reason in pending.given_up.items():
            key = webhook_id(name, pending.change).encode()
            record = pending.record
            headers = (
                (TRIGGER, name.encode()),
                (REASON, reason.encode()),
                (TOPIC, record.topic.encode()),
                (PARTITION, b"%d" % record.partition),
                (OFFSET, b"%d" % record.offset),
            )
            letters[key] = self._letter(key, record.value, headers)

    def _entries(self, user_id: str, writes: Mapping[bytes, bytes | None]) -> dict[str, Entry]:
        """Return the user's entries after these writes."""
        found = self._ledger.entries(user_id)
        for name in [*found, *(each.name for each in self._triggers.triggers)]:
            key = ledger.entry_key(name, user_id)
            if key in writes:
                value = writes[key]
                found.pop(name, None)
                if value is not None:
                    found[name] = ledger.read_entry(value)
        return found

    def _letter(self, key: bytes, value: bytes | None, headers: tuple[tuple[str, bytes], ...]) -> OutRecord:
        return OutRecord(self._topics.trigger_dead_letters, key, value, headers, self._partition)

    def _write(
        self, writes: Mapping[bytes, bytes | None], letters: list[OutRecord], positions: dict[str, int]
    ) -> None:
        records = [
            OutRecord(self._topics.trigger_ledger, key, value, (), self._partition)
            for key, value in writes.items()
        ]
        self._kafka.commit([*records, *letters], positions)
        self._ledger.apply(writes.items())

    def _begin(self) -> None:
        """Make the ledger of a partition: where users are now, and where to begin in the changes."""
        changes = self._kafka.watch(self._topics.changes)
        begin = changes.begin
        if not self._from_beginning:
            begin = write_users(
                self._kafka,
                self._topics,
                self._reading,
                self._ledger,
                lambda writes: self._write(writes, [], {}),
            )
        place = Place(self._group, changes.topic_id, begin)
        self._write({ledger.PLACE_KEY: ledger.encode(place)}, [], {self._topics.changes: begin})
        log.info("first start", lane=self._partition, offset=begin, users=len(self._ledger))

    def _whole(self, topic: str) -> Iterator[list[Record]]:
        """Yield the committed records of this partition of a topic."""
        bounds = self._kafka.watch(topic)
        yield from self._reading(topic, bounds.begin, bounds.end)

    def _reading(self, topic: str, begin: int, end: int) -> Iterator[list[Record]]:
        ends = {topic: end}
        self._kafka.read_from({topic: begin})
        while not self._kafka.at_end(ends):
            if self._closing():
                raise LaneClosing
            # Without a bound, records beyond the end could come in; they do no harm.
            if records := self._kafka.poll(self._max_batch, 0.2):
                yield records


_COUNTED = {"send": "sent"}


def _finished(pending: deque[_Pending]) -> Iterator[_Pending]:
    for each in pending:
        if each.waits:
            return
        yield each
