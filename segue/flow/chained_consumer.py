"""Faust's consumer, with committed records only, each with a note that nothing before it was skipped.

When partitions move, Faust can drop records that it has fetched, and go on behind them. A row must not count
past such a hole: it would take the skipped changes for counted ones. So each record says from which offset on
the reader has fetched without a hole, and who takes the record compares this with what was taken before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord
from faust.tables.manager import TableManager
from faust.transport.consumer import RecordMap
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP

if TYPE_CHECKING:
    from segue.flow.flow_app import FlowApp

FROM = "segue-read-from"
"""The header that a fetched record gets: every record from this offset on has been fetched."""
BEFORE_SEEK = -1
"""The header's value if Faust has fetched the record before it sought the committed offset."""

log = structlog.get_logger("segue.flow")


class ChainedThread(AIOKafkaConsumerThread):
    """The thread that fetches. Seeks and fetches run in it, so they never overlap."""

    consumer: ChainedConsumer

    def __post_init__(self) -> None:
        super().__post_init__()
        self._from: dict[TP, int] = {}

    def _create_worker_consumer(self, transport: Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust has no setting for it, but with transactions of its own.
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        return consumer

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Forget where the fetches of the former assignment were."""
        self._from.clear()
        await super().on_partitions_assigned(assigned, generation_id)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek to the committed offsets of the changes, or to their beginning."""
        return cast("Mapping[TP, int]", await self.call_thread(self._seek_to_committed))

    async def _seek_to_committed(self) -> Mapping[TP, int]:
        consumer = self._ensure_consumer()
        changes = [tp for tp in consumer.assignment() if tp.topic == self.consumer.app.changes]
        first = await consumer.beginning_offsets(changes)
        committed = {tp: await consumer.committed(tp) for tp in changes}
        for tp, offset in committed.items():
            if offset is not None and offset < first[tp]:
                log.warning("flow.changes_deleted", partition=tp.partition, uncounted=first[tp] - offset)
        offsets = {tp: max(first[tp], committed[tp] or 0) for tp in changes}
        for tp, offset in offsets.items():  # without an await: no fetch may come between
            consumer.seek(tp, offset)
            self._from[tp] = offset
        return offsets

    async def _seek_wait(self, consumer: AIOKafkaConsumer, partitions: Mapping[TP, int]) -> None:
        self._from.update(partitions)
        await super()._seek_wait(consumer, partitions)

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - Faust's signature
        max_records: int | None = None,
    ) -> RecordMap:
        found = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        return {tp: self._chained(tp, records) for tp, records in found.items()}

    def _chained(self, tp: TP, records: list[ConsumerRecord[bytes, bytes]]) -> list[Any]:
        chained = []
        for record in records:
            note = (FROM, str(self._from.get(tp, BEFORE_SEEK)).encode())
            chained.append(replace(record, headers=(*record.headers, note)))
            if tp in self._from:
                self._from[tp] = record.offset + 1
        return chained


class ChainedConsumer(Consumer):
    """Faust's consumer that commits only what is counted and written; see :class:`FlowApp`."""

    app: FlowApp
    _last: Mapping[TP, int] | None = None

    def _new_consumer_thread(self) -> ChainedThread:
        return ChainedThread(self, loop=self.loop, beacon=self.beacon)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek, and begin to count there."""
        offsets = await super().seek_to_committed()
        if not self.app.counting.reached():
            log.info("flow.counts", partitions=sorted(tp.partition for tp in offsets))
        self.app.counting.begin({tp.partition: offset for tp, offset in offsets.items()})
        return offsets

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Seek in the changelogs, to recover the tables."""
        # The last record that each table has.
        seen = cast("TableManager", self.app.tables).recovery.active_offsets
        self.app.recovered.update({tp: seen[tp] + 1 for tp in partitions})
        await super().seek_wait(partitions)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Give partitions up when their rows are written: the next owner reads them."""
        await super().on_partitions_revoked(revoked)
        await self.app.rows_are_written()
        self.app.counting.begin({})

    async def force_commit(self, topics: object = None, start_new_transaction: bool = True) -> bool:  # noqa: ARG002 - Faust's signature
        """Commit how far the changes are counted."""
        offsets = {TP(self.app.changes, number): at for number, at in self.app.counting.reached().items()}
        if offsets == self._last or not offsets or not await self.app.rows_are_written():
            return False
        done = await self._commit(offsets)
        self._last = offsets if done else None
        return done


def chained_transport(app: FlowApp) -> Transport:
    """Return a transport that makes such consumers."""
    transport = Transport(app.conf.broker_consumer, app)
    transport.Consumer = ChainedConsumer  # type: ignore[misc]
    return transport
