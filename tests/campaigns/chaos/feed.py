"""Produce events at a steady rate, through all faults of Kafka."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, Message, Producer

from schemas.input_events import Event, Order
from schemas.inputs.decode import encode_order, encode_signup
from schemas.partitioner import librdkafka_name, partition_of
from schemas.topics import Topics
from tests.campaigns.chaos.customers import Stray
from tests.support.checks.check_dead_letters import Sent
from tests.support.inputs.bad_events import BadRecord

_PATIENCE_MS = 600_000  # longer than any fault: the producer writes every record in the end
_FLUSH_S = 600.0


class Feed:
    """A thread that produces records, at most ``rate`` a second, and remembers the events of each user.

    Attributes:
        facts: with ``remember``, every good event by user; complete once the thread has ended.
        written: with ``remember``, the event of each good record, by the value of the record.
        letters: every bad record, and how often the feed sent it.
        sent: the number of records given to the producer so far.
    """

    def __init__(
        self,
        bootstrap: str,
        topics: Topics,
        records: Iterable[Event | BadRecord | Stray],
        rate: float,
        *,
        partitions: int = 4,
        remember: bool = True,
    ) -> None:
        self.facts: dict[str, list[Event]] = defaultdict(list)
        self.written: dict[bytes, Event] = {}
        self.letters: Counter[Sent] = Counter()
        self.sent = 0
        self._topics = topics
        self._records = records
        self._rate = rate
        self._partitions = partitions
        self._remember = remember
        self._errors: list[str] = []
        self._stopped = threading.Event()
        self._turn = threading.Lock()
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "partitioner": librdkafka_name("murmur2"),
                "enable.idempotence": True,
                "linger.ms": 5,
                "message.timeout.ms": _PATIENCE_MS,
                "message.max.bytes": 5_000_000,
                "log_level": 0,
            }
        )
        self._thread = threading.Thread(target=self._run, name="feed")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop at once, because the campaign has failed."""
        self._stopped.set()
        self._thread.join()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Flush, and send nothing during the context."""
        with self._turn:
            left = self._producer.flush(_FLUSH_S)
            assert left == 0, f"{left} records were still waiting"
            yield

    @property
    def bad(self) -> int:
        """The number of bad records sent so far."""
        return self.letters.total()

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def finish(self) -> None:
        """Wait until all records are sent; fail if Kafka did not accept one of them."""
        self._thread.join()
        assert self._errors == [], f"{len(self._errors)} records were not taken: {self._errors[:3]}"

    def _run(self) -> None:
        began_s = time.monotonic()
        for record in self._records:
            if self._stopped.is_set():
                return
            ahead_s = self.sent / self._rate - (time.monotonic() - began_s)
            if ahead_s > 0:
                self._stopped.wait(ahead_s)
            with self._turn:
                self._send(record)
            self.sent += 1
        left = self._producer.flush(_FLUSH_S)
        if left:
            self._errors.append(f"{left} were still waiting")

    def _send(self, record: Event | BadRecord | Stray) -> None:
        if isinstance(record, BadRecord):
            topic = self._topics.signups if record.topic == "signups" else self._topics.orders
            self.letters[topic, -1, record.key, record.value] += 1
            self._produce(topic, record.value, record.key)
        elif isinstance(record, Stray):
            self._send_astray(record)
        else:
            topic, key, value = self._encoded(record)
            self._keep(record, value)
            self._produce(topic, value, key)

    def _send_astray(self, stray: Stray) -> None:
        topic, key, value = self._encoded(stray.event)
        home = partition_of(stray.event.user_id, self._partitions)
        partition = (home + stray.beside) % self._partitions
        if self._topics.rekey:
            self._keep(stray.event, value)
            key = stray.key
        else:
            self.letters[topic, partition, key, value] += 1
        self._produce(topic, value, key, partition)

    def _encoded(self, event: Event) -> tuple[str, bytes | None, bytes]:
        if isinstance(event, Order):
            return self._topics.orders, *encode_order(event)
        return self._topics.signups, *encode_signup(event)

    def _keep(self, event: Event, value: bytes) -> None:
        if self._remember:
            self.facts[event.user_id].append(event)
            self.written[value] = event

    def _produce(self, topic: str, value: bytes | None, key: bytes | None, partition: int = -1) -> None:
        while not self._stopped.is_set():
            try:
                self._producer.produce(topic, value, key, partition, on_delivery=self._delivered)
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._errors.append(str(error))
