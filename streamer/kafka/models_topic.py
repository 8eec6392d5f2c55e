"""The topic of releases, for its publisher: creates it if it is missing, and writes it in transactions."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from confluent_kafka import KafkaException
from confluent_kafka.admin import NewTopic, OffsetSpec
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from schemas.errors import BadRelease, BadTopics, Unreachable
from schemas.outputs.headers import Headers
from schemas.outputs.wire import decode_release
from schemas.release.model_release import ModelRelease
from schemas.topics import MODELS_CURRENT_KEY, Topics, topic_configs
from streamer.interfaces.lane_errors import Fenced, InDoubt
from streamer.interfaces.lane_interfaces import OutRecord, Record
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.kafka_client import Deadlines, address
from streamer.kafka.kafka_reader import Reader
from streamer.kafka.kafka_writer import Writer
from streamer.kafka.topics_admin import check_config, check_one_partition, create_topic

TRANSACTION_S = 120.0
"""For a transaction: a coordinator that has just started must first read its log."""
_POLL_S = 0.2
_SEEN_S = 0.05
_BATCH = 100
_OVERHEAD_BYTES = 4_096  # a record's key, headers and framing, and the batch's


class ModelsTopic:
    """The topic ``segment-models`` with its one partition. The first call of a method connects.

    Every method raises :class:`~schemas.errors.Unreachable` if Kafka does not answer in time or refuses the
    login, and :class:`~schemas.errors.BadSetting` if librdkafka refuses the client's settings.

    Args:
        topics: the names of the topics.
        client: librdkafka's settings of a client.
        deadline_s: how many seconds to wait for each answer.
        transaction_s: how many seconds to wait for the start of a transaction, and for its end.
    """

    def __init__(
        self,
        topics: Topics,
        client: Mapping[str, str],
        deadline_s: float,
        transaction_s: float = TRANSACTION_S,
    ) -> None:
        self._topic = topics.models
        self._config = topic_configs(topics)[topics.models]
        self._client = client
        self._deadline_s, self._transaction_s = deadline_s, transaction_s

    def ensure(self) -> None:
        """Create the topic if it is missing.

        Raises:
            BadTopics: the topic cannot be created, or it exists with a wrong configuration.
        """
        admin = self._admin()
        facts = admin.describe([self._topic]).get(self._topic)
        if facts is None:
            create_topic(admin, NewTopic(self._topic, 1, -1, config=self._config), self._deadline_s)
            return
        check_one_partition(self._topic, facts.partitions)
        check_config(admin, self._topic, self._config)

    def read(self) -> list[Record]:
        """All committed records, the oldest first; empty if the topic does not exist.

        Raises:
            BadTopics: this login may not read the topic.
        """
        admin = self._admin()
        if self._topic not in admin.describe([self._topic]):
            return []
        begin = admin.offset(self._topic, 0, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        end = admin.stable_end(self._topic, 0)
        reader = Reader(
            0,
            f"{self._topic}-reader",  # librdkafka needs a group; nothing is committed
            # The broker delays an answer without records for this long; this answer shows the topic's end.
            {"fetch.wait.max.ms": "10", **self._client},
            Deadlines(request_s=self._deadline_s),
        )
        try:
            return self._read(reader, begin, end)
        except InDoubt as doubt:
            raise BadTopics(
                f"topic {self._topic} cannot be read ({doubt}): check that this login may READ it; if the"
                " topic was just created again, retry"
            ) from None
        finally:
            reader.close()

    def current(self) -> ModelRelease | None:
        """The current release; None if nothing is published.

        Raises:
            BadRelease: this version of Segue cannot read it.
            BadTopics: this login may not read the topic.
        """
        current = [record.value for record in self.read() if record.key == MODELS_CURRENT_KEY.encode()]
        return None if not current or current[-1] is None else decode_release(current[-1])

    def _read(self, reader: Reader, begin: int, end: int) -> list[Record]:
        found: list[Record] = []
        reader.read_from({self._topic: begin})
        end_s = time.monotonic() + self._deadline_s
        while not reader.at_end({self._topic: end}):
            if time.monotonic() >= end_s:
                raise reader.unreachable(f"return all records of topic {self._topic}")
            found += reader.poll(_BATCH, _POLL_S)
        return found

    def write(
        self, records: Sequence[tuple[str, bytes, Headers]], check: Callable[[], None] = lambda: None
    ) -> int:
        """Write the records in one transaction; return the offset of the last record.

        Args:
            records: the key, value and headers of each record.
            check: called once no earlier writer can commit any more. If it raises, nothing is written.

        Raises:
            BadRelease: a value is too large for a record of the topic.
            BadTopics: the topic's limit for records is too small.
        """
        most = int(self._config["max.message.bytes"]) - _OVERHEAD_BYTES
        for key, value, _ in records:
            if len(value) > most:
                raise BadRelease(
                    f"release {key} has {len(value):,} bytes, and a record at most {most:,}: train with label"
                    " or frequency encoding, or with fewer components"
                )
        out = [OutRecord(self._topic, key.encode(), value, headers, 0) for key, value, headers in records]
        end_s = self._transaction_s
        deadlines = Deadlines(request_s=self._deadline_s, fence_s=end_s, commit_s=end_s)
        writer = Writer(f"{self._topic}-publisher", self._client, "murmur2", deadlines, lambda: False)
        try:
            writer.fence()
            check()
            last = writer.commit(out, [], None)[self._topic] - 1
        except Fenced:
            raise Unreachable(
                f"another publisher to topic {self._topic} took over: nothing was published here; look at"
                " what it published, then publish again"
            ) from None
        except InDoubt as doubt:
            raise Unreachable(
                f"Kafka at {address(self._client)} did not confirm that it took the release ({doubt}):"
                " publish it again, which does no harm"
            ) from None
        finally:
            writer.give_up()
        self._await_readable(last)
        return last

    def _await_readable(self, offset: int) -> None:
        """Wait until readers of committed records see this offset: Kafka answers a commit before they do."""
        admin = self._admin()
        waiting = Retrying(
            stop=stop_after_delay(self._deadline_s),
            wait=wait_fixed(_SEEN_S),
            retry=retry_if_result(lambda end: end <= offset),
            retry_error_callback=lambda _: None,
        )
        # The release is published, whatever Kafka answers now.
        with suppress(Unreachable, KafkaException):
            waiting(lambda: admin.stable_end(self._topic, 0))

    def _admin(self) -> Admin:
        return Admin(self._client, self._deadline_s)
