"""One partition of the changes: decides, posts, and commits what stands. It knows neither Kafka nor HTTP.

The order of the work, as in a worker's lane:

1. Fence: start the producer, which ends the former owner's transaction.
2. Heal the ledger's copy in Redis: read the partition of the ledger from the copy's mark to its end. The
   ledger's place says where to go on in the changes.
3. Decide each change in its order, from the ledger and the changes decided before it.
4. Commit when they were decided, if there are webhooks to post.
5. Post the webhooks. A user's webhooks of one trigger go one after the other.
6. Commit the longest run of finished changes: one transaction has the records of the ledger, the dead
   letters, the place and the group's offset.
7. Save the same records to the copy.

After a crash between 5 and 6, the same changes are decided again from the same ledger and with the same time,
and their webhooks have the same ids. After a crash between 6 and 7, the next takeover heals the copy.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from msgspec.structs import replace

from schemas.outputs.segment_change import Change
from schemas.outputs.wire import decode_change
from schemas.topics import Topics
from segue.triggers import ledger_records
from segue.triggers.file.trigger_file import Triggers
from segue.triggers.lane_transaction import Transaction, place_after
from segue.triggers.ledger import Ledger
from segue.triggers.ledger_copy import Copy
from segue.triggers.ledger_records import Deciding, Place, Window
from segue.triggers.pending_changes import Live, Pending, finished
from segue.triggers.policy import decide
from segue.triggers.take_over_ledger import LedgerTakeover
from segue.triggers.webhook_post import Post
from streamer.interfaces.lane_errors import LaneClosing
from streamer.interfaces.lane_interfaces import Log, Record

# A change whose receiver is away holds at most so many later changes back, which a crash would post again.
MAX_PENDING = 1_000
# An idle lane commits so often that it has read past the last change's marker.
_IDLE = timedelta(minutes=1)


class TriggerLane:
    """The triggers of one partition.

    Args:
        partition: the partition's number.
        group: the consumer group.
        kafka: reads and writes the partition; its inputs are the topic of changes.
        copy: the copy of the partition's ledger; the lane closes it.
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
        copy: Copy,
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
        self._copy = copy
        self._topics = topics
        self._triggers = triggers
        self._post = post
        self._clock = clock
        self._from_beginning = from_beginning
        self._closing = closing
        self._max_batch = max_batch
        self._ledger = Ledger(copy, clock)
        self._pending: deque[Pending] = deque()
        self._live: dict[str, Live] = {}
        self._first = 0
        self._committed_at = clock()

    @property
    def place(self) -> Place | None:
        """How far the committed ledger has come; None before the first takeover."""
        return self._ledger.place

    def take_over(self) -> None:
        """Forget what is not committed, become the only writer, and bring the ledger up to date.

        Raises:
            BadTopics: the ledger is another group's.
            NeedsRebuild: the group has an offset, but the ledger is gone.
            InDoubt, Unreachable: try again.
            LaneClosing: the lane must close.
        """
        self._post.forget()
        self._pending.clear()
        self._live.clear()
        self._ledger = Ledger(self._copy, self._clock)
        takeover = LedgerTakeover(
            self._partition,
            self._group,
            self._kafka,
            self._topics,
            self._transaction,
            self._closing,
            self._from_beginning,
            self._max_batch,
        )
        takeover.run(self._ledger)
        self._from_beginning = False  # only the first takeover can be of a first start

    def step(self, timeout_s: float) -> None:
        """Take changes, post their webhooks, and commit what is finished.

        Raises:
            BadChange: this version cannot read a change.
            InDoubt, Unreachable: take over again.
            LaneClosing: the lane must close.
        """
        if self._closing():
            raise LaneClosing
        room = min(MAX_PENDING - len(self._pending), self._max_batch)
        if room > 0:
            self._take(self._kafka.poll(room, timeout_s))
        self._collect(0.0 if room > 0 else timeout_s)
        self._commit()
        if self._clock() - self._committed_at >= _IDLE:
            self._commit_reached()

    def close(self) -> None:
        """End in order: let running requests end, and commit what is finished."""
        self._post.finish()
        self._collect()
        self._commit()
        self._commit_reached()

    def give_up(self) -> None:
        """Send none of the webhooks that wait; another lane decides their changes again."""
        self._post.forget()
        self._copy.close()

    def _take(self, records: Sequence[Record]) -> None:
        """Decide changes, and post their webhooks."""
        now, first = self._clock(), self._first + len(self._pending)
        changes = [(record, decode_change(record.value)) for record in records if record.value is not None]
        if changes:
            self._ledger.hold({change.user_id for _, change in changes})
        taken = [self._decide(record, change, now) for record, change in changes]
        if any(each.waits and self._decided_at(each.record) is None for each in taken):
            self._commit_times()
        for number, pending in enumerate(taken, first):
            for name in pending.decided.outcomes:
                if name in pending.waits:
                    self._post.send(name, pending.change, number)

    def _decide(self, record: Record, change: Change, now: datetime) -> Pending:
        live = self._live.get(change.user_id)
        if live is None:
            live = Live(self._ledger.user(change.user_id), self._ledger.entries(change.user_id))
            self._live[change.user_id] = live
        at = self._decided_at(record) or now
        decided = decide(self._triggers, change, live.user, live.entries, at)
        live.user = decided.user
        live.entries = {} if decided.user is None else {**live.entries, **decided.entries}
        live.pending += 1
        sends = {name for name, outcome in decided.outcomes.items() if outcome.action == "send"}
        pending = Pending(record, change, at, decided, sends, {})
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
        transaction = self._transaction(self._ledger)
        transaction.writes[ledger_records.DECIDING_KEY] = ledger_records.encode(deciding)
        transaction.commit(self._kafka, {})

    def _collect(self, timeout_s: float = 0.0) -> None:
        for number, trigger, end in self._post.ended(timeout_s):
            pending = self._pending[number - self._first]
            pending.waits.discard(trigger)
            if end.given_up is not None:
                pending.given_up[trigger] = end.given_up

    def _commit(self) -> None:
        """Commit the longest run of finished changes, if there is one."""
        assert self._ledger.place is not None
        done = list(finished(self._pending))
        if not done:
            return
        transaction = self._transaction(self._ledger)
        for pending in done:
            transaction.settle(pending)
        place = place_after(self._ledger.place, done)
        transaction.writes[ledger_records.PLACE_KEY] = ledger_records.encode(place)
        transaction.commit(self._kafka, {self._topics.changes: place.offset})
        for pending in done:
            self._pending.popleft()
            live = self._live[pending.change.user_id]
            live.pending -= 1
            if not live.pending:
                del self._live[pending.change.user_id]
                self._ledger.release(pending.change.user_id)
        self._first += len(done)
        self._committed_at = self._clock()

    def _commit_reached(self) -> None:
        """Commit how far the changes were read, if all of them are finished.

        Past the last change lies the marker of its transaction. A place before it would look as if changes
        were lost, once Kafka has deleted all that was read.
        """
        assert self._ledger.place is not None
        self._committed_at = self._clock()
        self._ledger.keep_fresh()
        reached = self._kafka.reached()[self._topics.changes]
        if self._pending or reached <= self._ledger.place.offset:
            return
        transaction = self._transaction(self._ledger)
        transaction.writes[ledger_records.PLACE_KEY] = ledger_records.encode(
            replace(self._ledger.place, offset=reached)
        )
        transaction.commit(self._kafka, {self._topics.changes: reached})

    def _transaction(self, known: Ledger) -> Transaction:
        return Transaction(known, self._topics, self._triggers, self._partition)
