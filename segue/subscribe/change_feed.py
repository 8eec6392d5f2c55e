"""Hands out the changes of a subscription, one at a time, and keeps what was handed out."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path

import structlog
from confluent_kafka import Message
from msgspec import Struct

from schemas.errors import BadChange, SegueError
from schemas.outputs.segment_change import Change, UserErasedChange
from schemas.outputs.wire import decode_change
from schemas.printable import printable
from segue.connect.read_topics import check_counts
from segue.connect.wait_for_servers import Say, Wait
from segue.subscribe.change_filter import ChangeFilter, Known
from segue.subscribe.group_owner import check_group_use
from segue.subscribe.newest_states import NewestStates
from segue.subscribe.partition_source import DEADLINE_S, PartitionSource, find_topics
from segue.subscribe.reader_memory import Reached, ReaderMemory
from segue.subscribe.reader_progress import ReaderProgress
from segue.subscribe.segment_by_name import read_current_release, segment_number, why_no_segment
from segue.subscribe.state_seam import Seam, State
from segue.subscribe.subscription import Subscription
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.kafka_client import Deadlines

log = logging.getLogger("segue.subscribe")


class _Taken(Struct, frozen=True):
    """A change, or a state (``next`` is None), that the reader has taken."""

    partition: int
    next: int | None
    user_id: str
    known: Known | None


class ChangeFeed:
    """The changes of a subscription.

    A change counts as handled when the next is taken. Then its offset is kept for the group, and it is
    committed within a second. So a change is delivered at least once; with a memory, once, unless the process
    ends while the program handles the change.

    Args:
        subscription: what to read.
        say: called with each sentence about a wait for Kafka; by default they are logged as warnings.

    Raises:
        BadTopics: a topic does not exist, or the two have unequal numbers of partitions.
        BadSetting: the segment has no such name, the memory cannot be used, or the group belongs to Segue.
        BadRelease: the segment is named, and there is no release.
        LoginRefused: this login lacks a right.
        Unreachable: Kafka does not answer.
    """

    def __init__(self, subscription: Subscription, say: Say = log.warning) -> None:
        if not structlog.is_configured():  # its default writes to standard output, which is the program's
            structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
        client, topics = subscription.client, subscription.topics
        wait = Wait(f"Kafka at {subscription.kafka}", say)
        admin = Admin(client, DEADLINE_S)
        wanted = [topics.changes, *([topics.users] if subscription.start == "states" else [])]
        facts = wait.until_answered(lambda: find_topics(admin, wanted, client))
        check_counts({name: found.partitions for name, found in facts.items()})
        if (group := subscription.group) is not None:
            lanes = facts[topics.changes].partitions
            wait.until_answered(lambda: check_group_use(group, topics, lanes, admin, client, DEADLINE_S))
        segment = subscription.segment
        if isinstance(segment, str):
            release = wait.until_answered(lambda: read_current_release(client, topics, DEADLINE_S))
            segment = segment_number(segment, release)
        elif segment is not None:
            with suppress(SegueError):  # a reader by number needs no release, nor the right to read one
                if note := why_no_segment(segment, read_current_release(client, topics, DEADLINE_S)):
                    say(note)
        self._filter = ChangeFilter(segment, subscription.only, subscription.provisional)
        self._states_of = NewestStates(client, topics, admin, wait, Deadlines(request_s=DEADLINE_S))
        self._due: dict[int, int] = {}
        self._states: dict[int, Iterator[tuple[str, State]]] = {}
        self._seams: dict[int, Seam] = {}
        self._handed: _Taken | None = None
        self._memory = ReaderMemory(
            None if subscription.memory is None else Path(subscription.memory),
            {
                "topic": f"{topics.changes} ({facts[topics.changes].topic_id})",
                "provisional": str(subscription.provisional),
            },
        )
        self._progress = ReaderProgress(self._memory, self._store)
        try:
            self._source = PartitionSource(
                client,
                topics.changes,
                facts,
                group=group,
                start=subscription.start,
                memory=self._memory,
                admin=admin,
                wait=wait,
                on_begin=self._begin,
            )
        except BaseException:
            self._memory.close()
            raise

    def take(self, timeout_s: float) -> Change | None:
        """Return the next change; None if there is none within the time.

        Raises:
            BadChange: this version of Segue cannot read a record.
            BadTopics: a topic was deleted, or the next changes were.
            Unreachable: Kafka has not answered for some minutes.
        """
        self.handled()
        try:
            return self._taken(timeout_s)
        except SystemError as error:
            # If ctrl-C comes while Kafka's client reports an error, the client loses the interrupt, and
            # Python raises this error. No other cause is known.
            if "without setting an exception" in str(error):
                raise KeyboardInterrupt from None
            raise

    def _taken(self, timeout_s: float) -> Change | None:
        while True:
            # Also while states are handed out: a member of a group that does not poll is put out of it.
            message = self._source.poll(0 if self._due else timeout_s)
            if message is not None:
                if (change := self._changed(message)) is not None:
                    return change
                self._progress.save_each_second(time.monotonic())
            elif not self._due:
                self._keep_reached()
                return None
            elif (state := self._next_state()) is not None:
                return state

    def handled(self) -> None:
        """Count the change in hand as handled, before the next is taken."""
        if self._handed is not None:
            self._keep(self._handed)
            self._handed = None
            self._progress.save()

    def close(self) -> None:
        """Commit what was handled, and close the connections. The change in hand counts as not handled."""
        with closing(self._memory), closing(self._source):
            self._progress.save()

    def _begin(self, partitions: Mapping[int, Reached]) -> None:
        """Begin with these partitions. The memory knows the states that were handed out, by their ids."""
        self._progress.save()  # before a rebalance takes partitions away
        self._states.clear()
        self._seams.clear()
        self._due = {partition: at.next for partition, at in partitions.items() if at.states_due}

    def _next_state(self) -> Change | None:
        """Return the next wanted state; None after the last one of a partition."""
        partition, begin = next(iter(self._due.items()))
        if partition not in self._states:
            states, self._seams[partition] = self._states_of.read(partition, begin)
            self._states[partition] = iter(states.items())
        for user_id, state in self._states[partition]:
            known = self._memory.known(partition, user_id)
            if state.value is None or (known is not None and known.event_id == state.event_id):
                continue
            change = _read(state.value, f"the state of user {printable(user_id)}")
            before = known or Known("", None)  # an unknown user counts as one without a segment
            held = self._filter.crossing(before, change).held
            taken = _Taken(partition, None, user_id, Known(change.event_id, held))
            if self._filter.wants(before, change):
                self._handed = taken
                return change
            self._keep(taken)
        del self._due[partition], self._states[partition]
        self._reach(partition, begin)
        if not self._due:
            self._source.resume()
        return None

    def _changed(self, message: Message) -> Change | None:
        """Return the change in a record, if it is new and wanted."""
        partition, offset, value = message.partition(), message.offset(), message.value()
        assert partition is not None
        assert offset is not None
        if value is None:
            self._reach(partition, offset + 1)
            return None
        change = _read(value, f"{message.topic()}/{partition}@{offset}")
        known = self._memory.known(partition, change.user_id)
        seam, is_erasure = self._seams.get(partition), isinstance(change, UserErasedChange)
        is_new = seam is None or seam.is_new(change.user_id, change.event_id, is_erasure=is_erasure)
        if not is_new or (known is not None and known.event_id == change.event_id):
            self._reach(partition, offset + 1)
            return None
        held = self._filter.crossing(known, change).held
        after = None if is_erasure else Known(change.event_id, held)
        taken = _Taken(partition, offset + 1, change.user_id, after)
        if self._filter.wants(known, change):
            self._handed = taken
            return change
        self._keep(taken)
        return None

    def _keep(self, taken: _Taken) -> None:
        self._memory.learn(taken.partition, taken.user_id, taken.known)
        if taken.next is not None:
            self._reach(taken.partition, taken.next)

    def _keep_reached(self) -> None:
        """Keep how far Kafka was read; call this with no change in hand.

        Past the last change lies the marker of its transaction. With an offset before the marker, a reader
        would seem to have missed something, once Kafka has deleted all that it read.
        """
        for partition, offset in self._source.reached().items():
            if self._memory.reached(partition) != Reached(offset):
                self._reach(partition, offset)
        self._progress.save()

    def _reach(self, partition: int, offset: int) -> None:
        """Keep the next offset, but not before the seam is passed: a crash then begins with the states."""
        if (seam := self._seams.get(partition)) is not None:
            if not seam.is_passed:
                return
            del self._seams[partition]
        self._progress.reach(partition, offset)

    def _store(self, partition: int, offset: int) -> None:
        self._source.store(partition, offset)


def _read(value: bytes, place: str) -> Change:
    try:
        return decode_change(value)
    except BadChange as error:
        raise BadChange(f"{place}: {error}") from None
