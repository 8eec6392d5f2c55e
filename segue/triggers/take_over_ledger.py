"""Takes a partition's ledger over from its former owner, or begins it.

The order of the work is stops 1 and 2 of :mod:`segue.triggers.trigger_lane`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import structlog
from msgspec import Struct
from msgspec.structs import replace

from schemas.errors import BadChange, BadTopics, NeedsRebuild
from schemas.topics import Topics
from segue.triggers import ledger_records
from segue.triggers.first_start import write_users
from segue.triggers.lane_transaction import Transaction
from segue.triggers.ledger import Ledger
from segue.triggers.ledger_records import Place, Writes
from streamer.interfaces.lane_errors import LaneClosing
from streamer.interfaces.lane_interfaces import Bounds, Log, Record

log = structlog.get_logger("segue.triggers")


class LedgerTakeover(Struct, frozen=True):
    """What a takeover needs.

    Attributes:
        partition: the partition's number.
        group: the consumer group.
        kafka: reads and writes the partition.
        topics: the names of the topics.
        transaction: begins a transaction on a ledger.
        closing: returns whether the lane must close.
        from_beginning: whether a first start begins with the oldest change, else with the next.
        max_batch: the most records to read at once.
    """

    partition: int
    group: str
    kafka: Log
    topics: Topics
    transaction: Callable[[Ledger], Transaction]
    closing: Callable[[], bool]
    from_beginning: bool
    max_batch: int

    def run(self, ledger: Ledger) -> None:
        """Become the only writer, bring the ledger up to date, and read the changes from its place on.

        Args:
            ledger: a new ledger.

        Raises:
            BadChange: this version cannot read a record of the ledger.
            BadTopics: the ledger is another group's.
            NeedsRebuild: the group has an offset, but the ledger is gone.
            InDoubt, Unreachable: try again with a new ledger.
            LaneClosing: the lane must close.
        """
        self.kafka.fence()
        changes = self.kafka.watch(self.topics.changes)
        topic = self.topics.trigger_ledger
        bounds = self.kafka.watch(topic)
        begin = ledger.open(bounds)
        for records in self._read(topic, begin, bounds.end):
            ledger.apply(self._writes_in(records), records[-1].offset + 1)
        ledger.has_read_all()
        if ledger.place is None:
            if self.topics.changes in self.kafka.committed():
                raise NeedsRebuild(
                    f"the group has read {self.topics.changes}, but partition {self.partition} of"
                    f" {self.topics.trigger_ledger} has no ledger, so it is not known who got which webhook:"
                    " name another group by --group, which begins with new changes"
                )
            self._begin(ledger)
        elif self.from_beginning:
            log.warning(
                "--from-beginning is left aside",
                lane=self.partition,
                reason=f"{self.topics.trigger_ledger} has a place already, and triggers go on from there; to"
                f" begin again, stop all processes, delete this topic and {self.topics.trigger_dead_letters},"
                " and name another --group, which sends webhooks again that were sent before",
            )
        assert ledger.place is not None
        place = self._readable(ledger.place, changes)
        ledger.place = place
        self.kafka.read_from({self.topics.changes: place.offset})
        log.info("lane is live", lane=self.partition, offset=place.offset, ledger_from=begin)

    def _writes_in(self, records: Sequence[Record]) -> Writes:
        """Return the records of triggers among these; name others in the log.

        Raises:
            BadChange: this version cannot read a record.
        """
        writes: dict[bytes, bytes | None] = {}
        for record in records:
            if record.key is None or not ledger_records.is_of_triggers(record.key):
                log.warning("foreign record in the ledger", lane=self.partition, offset=record.offset)
                continue
            if record.value is not None:
                try:
                    ledger_records.check_value(record.key, record.value)
                except BadChange as error:
                    raise BadChange(
                        f"offset {record.offset} of partition {self.partition} of {record.topic}: {error}"
                    ) from None
            writes[record.key] = record.value
        return writes

    def _readable(self, place: Place, changes: Bounds) -> Place:
        """Return the place, moved to the first change that Kafka still has."""
        if place.group != self.group:
            raise BadTopics(
                f"{self.topics.trigger_ledger} is the ledger of the group {place.group}, and this one is"
                f" {self.group}: give the same --group, or another topic_prefix"
            )
        if place.topic_id != changes.topic_id:
            log.warning("topic of changes was made anew", lane=self.partition)
            place = replace(place, topic_id=changes.topic_id, offset=changes.begin)
        if place.offset < changes.begin:
            log.warning(
                "changes are lost",
                lane=self.partition,
                offsets=changes.begin - place.offset,
                reason=f"Kafka has deleted them before triggers read them (retention.ms of"
                f" {self.topics.changes}); they send nothing, and erasures among them are not noted",
            )
            place = replace(place, offset=changes.begin)
        return place

    def _begin(self, ledger: Ledger) -> None:
        """Make the ledger of a partition: where users are now, and where to begin in the changes."""
        changes = self.kafka.watch(self.topics.changes)
        begin = changes.begin
        found = self.kafka.watch(self.topics.trigger_ledger)
        letters = self.kafka.watch(self.topics.trigger_dead_letters)
        if letters.end > letters.begin:
            log.warning(
                "dead letters may be left",
                lane=self.partition,
                reason=f"{self.topics.trigger_dead_letters} has records from before this ledger, so an"
                " erasure does not find them: `segue triggers retry` sends them again; to remove them, stop"
                " all processes and delete the topic",
            )

        def write(writes: Writes, positions: Mapping[str, int]) -> None:
            if writes:
                transaction = self.transaction(ledger)
                transaction.writes |= writes
                transaction.commit(self.kafka, positions)

        for records in self._read(self.topics.trigger_ledger, found.begin, found.end):
            # Of a first start that was interrupted; meanwhile its users may be erased, without a trace.
            write(dict.fromkeys(self._writes_in(records), None), {})
        if not self.from_beginning:
            begin = write_users(self.kafka, self.topics, self._read, ledger, lambda writes: write(writes, {}))
        place = Place(self.group, changes.topic_id, begin)
        write({ledger_records.PLACE_KEY: ledger_records.encode(place)}, {self.topics.changes: begin})
        log.info("first start", lane=self.partition, offset=begin)

    def _read(self, topic: str, begin: int, end: int) -> Iterator[list[Record]]:
        """Yield the committed records of this partition of a topic."""
        ends = {topic: end}
        self.kafka.read_from({topic: begin})
        while not self.kafka.at_end(ends):
            if self.closing():
                raise LaneClosing
            # Without a bound, records beyond the end could come in; they do no harm.
            if records := self.kafka.poll(self.max_batch, 0.2):
                yield records
