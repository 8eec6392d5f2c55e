"""Writes changes to Kafka as a lane does: both records of a change in one transaction."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from confluent_kafka import Producer

from schemas.outputs.segment_change import Cause, Change, SegmentChange, UserErasedChange, change_id
from schemas.partitioner import partition_of
from schemas.topics import Topics
from streamer.batch.change_records import change_records
from streamer.kafka.topics_admin import create_topics
from tests.support.inputs.made_change import a_change
from tests.support.servers.services import HANG_S

BEGIN = datetime(2024, 6, 1, tzinfo=UTC)


class ChangeWriter:
    """The lanes of one deployment: `write` commits changes, `lose` aborts them.

    Args:
        bootstrap: Kafka's address.
        prefix: the start of the topics' names; the topics are created.
        partitions: how many lanes.
        drawn: draws the users' ways, for `lives`.
    """

    def __init__(
        self, bootstrap: str, prefix: str, *, partitions: int = 2, drawn: random.Random | None = None
    ) -> None:
        self.bootstrap, self.topics, self.partitions = bootstrap, Topics(prefix), partitions
        create_topics({"bootstrap.servers": bootstrap}, self.topics, partitions)
        self._drawn = drawn or random.Random(7)
        self._producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": f"{prefix}lane"})
        self._producer.init_transactions(HANG_S)
        self._last: dict[str, SegmentChange] = {}
        self._erased_at: dict[str, datetime] = {}
        self.written: list[Change] = []

    def goes(self, user_id: str, segment: int, *, provisional: bool = False) -> Change:
        """The change by which a user goes to a segment, or is confirmed in it. It is not written yet."""
        last = self._last.get(user_id)
        sequence = 1 if last is None else last.sequence + 1
        kind = "moved"
        if last is not None and last.segment == segment:
            kind = "unconfirmed" if provisional else "confirmed"
        change = a_change(
            kind=kind,
            event_id=change_id(self.topics.prefix, user_id, self._erased_at.get(user_id), sequence),
            user_id=user_id,
            sequence=sequence,
            previous_segment=None if last is None else last.segment,
            segment=segment,
            segment_name=f"segment {segment}",
            provisional=provisional,
            missing=("age",) if provisional else (),
        )
        self._last[user_id] = change
        return change

    def erased(self, user_id: str) -> Change:
        """The change by which a user is erased. It is not written yet."""
        last = self._last.pop(user_id)
        before = self._erased_at.get(user_id)
        self._erased_at[user_id] = at = (before or BEGIN) + timedelta(days=1)
        return UserErasedChange(
            event_id=change_id(self.topics.prefix, user_id, before, last.sequence + 1),
            user_id=user_id,
            sequence=last.sequence + 1,
            occurred_at=at,
            emitted_at=at,
            cause=Cause(type="signup"),
        )

    def lives(self, users: int, changes: int) -> Iterator[Change]:
        """So many changes of users who move, are unsure and sure again, are erased and come back."""
        for _ in range(changes):
            user_id = f"user {self._drawn.randrange(users)}"
            last = self._last.get(user_id)
            if last is not None and self._drawn.random() < 0.1:
                yield self.erased(user_id)
                continue
            others = [segment for segment in range(4) if last is None or segment != last.segment]
            sure = last is not None and last.provisional and self._drawn.random() < 0.5
            segment = last.segment if sure and last is not None else self._drawn.choice(others)
            yield self.goes(user_id, segment, provisional=not sure and self._drawn.random() < 0.2)

    def write(self, *changes: Change) -> None:
        """Write the changes in one transaction."""
        self._send(changes)
        self._producer.commit_transaction(HANG_S)
        self.written += changes

    def write_each(self, changes: Iterable[Change], batch: int) -> None:
        """Write the changes in transactions of so many, each after a transaction that is aborted."""
        pending: list[Change] = []
        for change in changes:
            pending.append(change)
            if len(pending) == batch:
                self.lose(*pending[:1])
                self.write(*pending)
                pending = []
        if pending:
            self.write(*pending)

    def lose(self, *changes: Change) -> None:
        """Write the changes in a transaction that is aborted."""
        self._send(changes)
        self._producer.abort_transaction(HANG_S)

    def _send(self, changes: Iterable[Change]) -> None:
        self._producer.begin_transaction()
        for change in changes:
            lane = partition_of(change.user_id, self.partitions)
            for out in change_records(
                change, self.topics, lane, "of-models", self._erased_at.get(change.user_id)
            ):
                self._producer.produce(out.topic, out.value, out.key, lane, headers=list(out.headers))
        assert self._producer.flush(HANG_S) == 0
