"""A lane's consumer and producer for a command.

If Kafka does not answer, a worker's lane starts again. A command waits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from schemas.errors import Unreachable
from segue.config.settings import Settings
from segue.connect.kafka_access import wait_for_kafka
from segue.connect.wait_for_servers import Wait
from streamer.interfaces.lane_interfaces import Bounds, Committed, OutRecord, Record
from streamer.kafka.kafka_client import Deadlines
from streamer.kafka.kafka_log import KafkaLog
from streamer.kafka.kafka_reader import Reader


class PatientReader(Reader):
    """A reader of records that are known to exist: it waits for Kafka while they do not come.

    Every method raises :class:`~schemas.errors.Unreachable` if Kafka does not answer for too long.
    """

    def __init__(self, settings: Settings, lane: int) -> None:
        super().__init__(lane, settings.group, settings.kafka_client, Deadlines())
        self._wait = wait_for_kafka(settings)

    def committed(self, topics: Collection[str]) -> dict[str, Committed]:
        """As :meth:`Reader.committed`."""
        ask = super().committed
        return self._wait.until_answered(lambda: ask(topics))

    def read_from(self, positions: Mapping[str, int]) -> None:
        """As :meth:`Reader.read_from`."""
        begin = super().read_from
        self._wait.until_answered(lambda: begin(positions))

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        """As :meth:`Reader.poll`."""
        return _noted(super().poll(max_records, timeout_s), self._wait)


class PatientLog(KafkaLog):
    """A lane's log for a bootstrap: it waits like :class:`PatientReader`, and its producer waits, too."""

    def __init__(self, settings: Settings, lane: int) -> None:
        transaction_ms = settings.transaction_timeout_ms
        super().__init__(
            lane,
            settings.topics.inputs,
            settings.group,
            settings.kafka_client,
            settings.partitioner,
            # Kafka aborts a transaction that takes longer than this.
            Deadlines(transaction_ms=transaction_ms, commit_s=transaction_ms / 1000),
        )
        self._wait = wait_for_kafka(settings)

    def fence(self) -> None:
        """As :meth:`KafkaLog.fence`."""
        self._wait.until_answered(super().fence)

    def committed(self) -> dict[str, Committed]:
        """As :meth:`KafkaLog.committed`."""
        return self._wait.until_answered(super().committed)

    def watch(self, topic: str) -> Bounds:
        """As :meth:`KafkaLog.watch`."""
        ask = super().watch
        return self._wait.until_answered(lambda: ask(topic))

    def read_from(self, positions: Mapping[str, int]) -> None:
        """As :meth:`KafkaLog.read_from`."""
        begin = super().read_from
        self._wait.until_answered(lambda: begin(positions))

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        """As :meth:`KafkaLog.poll`."""
        return _noted(super().poll(max_records, timeout_s), self._wait)

    def commit(self, records: Sequence[OutRecord], positions: Mapping[str, int]) -> dict[str, int]:
        """As :meth:`KafkaLog.commit`. Do not repeat it: a commit without an answer may have succeeded."""
        with self._wait.visible():
            return super().commit(records, positions)


def _noted(records: list[Record], wait: Wait) -> list[Record]:
    if records:
        wait.over()
    elif wait.lasts():
        raise Unreachable(f"{wait.server} has sent no record for too long: check that the broker runs")
    return records
