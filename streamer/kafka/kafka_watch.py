"""Checks, while a lane reads, that its topics are still the same topics and that Kafka answers.

If a topic is deleted and created again under its name, librdkafka continues at the same offset and skips the
records before it. And a consumer with assigned partitions does not notice a new partition.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import TopicDescription

from schemas.errors import BadTopics
from streamer.interfaces.lane_errors import InDoubt
from streamer.kafka.kafka_admin import Admin, TopicFacts, facts_of
from streamer.kafka.kafka_client import Deadlines, address, error_of, is_unknown, log, unreachable, why


class TopicWatch:
    """Asks Kafka once every ``check_s`` seconds, and never waits for the answer."""

    def __init__(
        self,
        admin: Admin,
        client: Mapping[str, str],
        deadlines: Deadlines,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        on_silence: Callable[[str], object] = lambda _reason: None,
        on_answer: Callable[[], object] = lambda: None,
    ) -> None:
        """
        Args:
            admin: the client that asks.
            client: librdkafka's settings; messages name the addresses.
            deadlines: how often to ask, and how long Kafka may be silent.
            monotonic: gives seconds that never go backward.
            on_silence: called with the reason each time there was no answer.
            on_answer: called when Kafka answers again.
        """
        self._admin = admin
        self._client = client
        self._deadlines = deadlines
        self._monotonic = monotonic
        self._on_silence = on_silence
        self._on_answer = on_answer
        self._expected: dict[str, TopicFacts] = {}
        self._asked: dict[str, Future[TopicDescription]] = {}
        self._asked_s = monotonic()
        self._silent_s: float | None = None

    def expect(self, topic: str, facts: TopicFacts) -> None:
        """Expect this topic, with this id and this number of partitions, from now on.

        Raises:
            BadTopics: the topic has the same id as before, but another number of partitions.
        """
        known = self._expected.get(topic)
        if known is not None and known.topic_id == facts.topic_id:
            _same_count(topic, known, facts)
        self._expected[topic] = facts

    def topic_id(self, topic: str) -> str | None:
        """The id of the expected topic; None if :meth:`expect` was never called for it."""
        facts = self._expected.get(topic)
        return None if facts is None else facts.topic_id

    def look(self) -> None:
        """Ask Kafka if it is time, or check an answer that has arrived.

        Raises:
            InDoubt: a topic was deleted, and perhaps created again.
            BadTopics: a topic has another number of partitions.
            Unreachable: there has been no answer for ``outage_s``.
        """
        now = self._monotonic()
        if not self._asked:
            if now - self._asked_s >= self._deadlines.check_s and self._expected:
                self._asked = self._admin.ask(self._expected)
                self._asked_s = now
            return
        if not all(future.done() for future in self._asked.values()):
            return
        answers, self._asked = self._asked, {}
        for topic, answer in answers.items():
            self._weigh(topic, answer, now)

    def _weigh(self, topic: str, answer: Future[TopicDescription], now: float) -> None:
        known = self._expected[topic]
        try:
            facts = facts_of(answer.result())
        except KafkaException as error:
            if is_unknown(error_of(error)):
                self._answered()
                raise InDoubt(f"topic {topic} is gone") from None
            self._unanswered(error_of(error), now)
            return
        self._answered()
        if facts.topic_id != known.topic_id:
            raise InDoubt(f"topic {topic} was deleted and made anew")
        _same_count(topic, known, facts)

    def _answered(self) -> None:
        if self._silent_s is not None:
            log.info("kafka answers again", brokers=address(self._client))
            self._silent_s = None
            self._on_answer()

    def _unanswered(self, error: KafkaError, now: float) -> None:
        reason = why(error, self._admin.reports)
        if self._silent_s is None:
            self._silent_s = now
            log.warning("kafka does not answer", brokers=address(self._client), reason=reason)
        self._on_silence(f"Kafka at {address(self._client)} does not answer ({reason})")
        if now - self._silent_s >= self._deadlines.outage_s:
            self._silent_s = None
            task = f"answer for {self._deadlines.outage_s:g} s"
            raise unreachable(self._client, task, self._admin.reports, error)


def _same_count(topic: str, known: TopicFacts, facts: TopicFacts) -> None:
    if facts.partitions != known.partitions:
        raise BadTopics(
            f"topic {topic} had {known.partitions} partitions and now has {facts.partitions}, which would"
            " move users between lanes: begin again with new topics (docs/rebuilding.md, Another number of"
            " partitions)"
        )
