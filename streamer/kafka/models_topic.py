"""The topic of releases, as its one writer at a time sees it: made when missing, written in transactions."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from confluent_kafka import KafkaException
from confluent_kafka.admin import NewTopic, OffsetSpec
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from schemas.errors import BadRelease, BadTopics, Unreachable
from schemas.outputs.headers import Headers
from schemas.topics import Topics, topic_configs
from streamer.interfaces.lane_errors import Fenced, InDoubt
from streamer.interfaces.lane_interfaces import OutRecord, Record
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.kafka_client import Deadlines, address
from streamer.kafka.kafka_reader import Reader
from streamer.kafka.kafka_writer import Writer
from streamer.kafka.topics_admin import check_config, check_one_partition, create_topic

# A coordinator that has only just started reads its log first.
_TRANSACTION_S = 120.0
_POLL_S = 0.2
_SEEN_S = 0.05
_BATCH = 100
_OVERHEAD_BYTES = 4_096  # a record's key, headers and framing, and the batch's


class ModelsTopic:
    """``segment-models`` of one Kafka; it has one partition. Connects to nothing before it is asked.

    Args:
        topics: the names of the topics.
        client: librdkafka's settings of a client.
        deadline_s: how long to wait for each answer.

    Every method raises :class:`~schemas.errors.Unreachable` where Kafka does not answer in time or refuses the
    login, and :class:`~schemas.errors.BadSetting` where librdkafka cannot use the client's settings.
    """

    def __init__(self, topics: Topics, client: Mapping[str, str], deadline_s: float) -> None:
        self._topic = topics.models
        self._config = topic_configs(topics)[topics.models]
        self._client = client
        self._deadline_s = deadline_s

    def ensure(self) -> None:
        """Make the topic when it is missing.

        Raises:
            BadTopics: it exists and is not as it has to be, or cannot be made.
        """
        admin = self._admin()
        facts = admin.describe([self._topic]).get(self._topic)
        if facts is None:
            create_topic(admin, NewTopic(self._topic, 1, -1, config=self._config), self._deadline_s)
            return
        check_one_partition(self._topic, facts.partitions)
        check_config(admin, self._topic, self._config)

    def read(self) -> list[Record]:
        """All committed records, oldest first; none where there is no topic.

        Raises:
            BadTopics: this login may not read it.
        """
        admin = self._admin()
        if self._topic not in admin.describe([self._topic]):
            return []
        begin = admin.offset(self._topic, 0, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        end = admin.stable_end(self._topic, 0)
        reader = Reader(
            0,
            f"{self._topic}-reader",  # asked for by librdkafka; nothing is committed
            # A broker keeps an answer without records, which tells the topic's end, back for so long.
            {"fetch.wait.max.ms": "10", **self._client},
            Deadlines(request_s=self._deadline_s),
        )
        try:
            return self._read(reader, begin, end)
        except InDoubt as doubt:
            raise BadTopics(
                f"topic {self._topic} cannot be read ({doubt}): may this login READ it, and was it made anew?"
            ) from None
        finally:
            reader.close()

    def _read(self, reader: Reader, begin: int, end: int) -> list[Record]:
        found: list[Record] = []
        reader.read_from({self._topic: begin})
        end_s = time.monotonic() + self._deadline_s
        while not reader.at_end({self._topic: end}):
            if time.monotonic() >= end_s:
                raise reader.unreachable(f"give topic {self._topic} to its end")
            found += reader.poll(_BATCH, _POLL_S)
        return found

    def write(
        self, records: Sequence[tuple[str, bytes, Headers]], check: Callable[[], None] = lambda: None
    ) -> int:
        """Write the records in one transaction; the offset of the last.

        Args:
            records: key, value and headers of each.
            check: called when no earlier writer can commit any more; what it raises ends the writing.

        Raises:
            BadRelease: a value does not fit into a record of the topic.
            BadTopics: the topic takes smaller records than it should.
        """
        most = int(self._config["max.message.bytes"]) - _OVERHEAD_BYTES
        for key, value, _ in records:
            if len(value) > most:
                raise BadRelease(
                    f"release {key} has {len(value):,} bytes, and a record at most {most:,}: train with label or"
                    " frequency encoding, or with fewer components"
                )
        out = [OutRecord(self._topic, key.encode(), value, headers, 0) for key, value, headers in records]
        deadlines = Deadlines(request_s=self._deadline_s, fence_s=_TRANSACTION_S, commit_s=_TRANSACTION_S)
        writer = Writer(f"{self._topic}-publisher", self._client, "murmur2", deadlines, lambda: False)
        try:
            writer.fence()
            check()
            last = writer.commit(out, [], None)[self._topic] - 1
        except Fenced:
            raise Unreachable(
                f"another publisher to topic {self._topic} took over: nothing was published here; look at what it "
                "published, then publish again"
            ) from None
        except InDoubt as doubt:
            raise Unreachable(
                f"Kafka at {address(self._client)} did not take the release, or did not say so ({doubt}): publish it "
                "again, which does no harm"
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
