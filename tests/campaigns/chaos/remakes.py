"""Delete an input and create it again under running workers; read the log as if the topic had stayed.

The fault comes only when docs/guarantees.md allows it: all lanes have read the topic to its end, and Redis
keeps their saves. The facts of the deleted topic still count, but no log has them.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from confluent_kafka.admin import AdminClient

from schemas.errors import BadTopics
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.topics_admin import create_topics
from tests.campaigns.chaos.faults import Workers
from tests.campaigns.chaos.feed import Feed
from tests.campaigns.chaos.gremlin import Say
from tests.campaigns.chaos.rebuilds import Rebuilds
from tests.support.checks.check_dead_letters import At
from tests.support.checks.read_records import KafkaRecord, read_topic
from tests.support.servers.deployment import Deployment
from tests.support.servers.services import HANG_S, eventually

_CATCH_UP_S = 900.0
_KEPT_S = 3.0
"""After this time Redis has the saves on disk: no fault loses more than the last two seconds."""

Ends = Mapping[int, int]
"""The offset after the last record, by partition."""


@dataclass(frozen=True, slots=True)
class _Remake:
    """A deleted topic, and the ends of the outputs around its deletion.

    Attributes:
        records: the records of the deleted topic.
        ends: the offset after the last of them, by partition.
        changes: the ends of `segment-changes` when the topic was deleted, and when all lanes knew the new
            topic.
        letters: the ends of `segment-dead-letters` when the topic was deleted.
    """

    topic: str
    records: list[KafkaRecord]
    changes: tuple[Ends, Ends]
    letters: Ends
    ends: Ends = field(init=False)

    def __post_init__(self) -> None:
        # Once: the check asks for each change, and a campaign has hundreds of thousands.
        ends: Counter[int] = Counter()
        for record in self.records:
            ends[record.partition()] = max(ends[record.partition()], record.offset() + 1)
        object.__setattr__(self, "ends", ends)


class Remakes:
    """The fault, and a reader of the log that hides it."""

    def __init__(
        self,
        deployment: Deployment,
        workers: Workers,
        feed: Feed,
        random: Random,
        say: Say,
        rebuilds: Rebuilds,
    ) -> None:
        self._deployment = deployment
        self._workers = workers
        self._feed = feed
        self._random = random
        self._say = say
        self._rebuilds = rebuilds
        self._made: list[_Remake] = []
        self.kinds: dict[str, tuple[Callable[[], None], int]] = {
            "an input deleted and made anew": (self._make_anew, 1)
        }

    def log(self, topic: str) -> Iterator[tuple[int, KafkaRecord]]:
        """Yield all records that a topic ever had, each with its offset as if the topic had stayed."""
        begin: dict[int, int] = defaultdict(int)
        held = [remake for remake in self._made if remake.topic == topic]
        for remake in held:
            for message in remake.records:
                yield begin[message.partition()] + message.offset(), message
            for partition in self._deployment.lanes:
                begin[partition] += remake.ends[partition]
        for message in read_topic(self._deployment.bootstrap, topic):
            yield begin[message.partition()] + message.offset(), message

    def positions(self, told: Mapping[str, int], lane: int, at: int) -> dict[str, int]:
        """Return the positions of a cause as if the topics had stayed.

        Args:
            lane: the lane of the change.
            at: the offset of the change in `segment-changes`.
        """
        return {topic: self._position(topic, offset, lane, at) for topic, offset in told.items()}

    def _position(self, topic: str, offset: int, lane: int, at: int) -> int:
        begin = 0
        for remake in self._made:
            if remake.topic != topic or at < remake.changes[0].get(lane, 0):
                continue
            # Between the two ends no event comes, but a sweep may emit changes: some lanes know the new
            # topic, and others do not.
            if at >= remake.changes[1].get(lane, 0) or offset == 0:
                begin += remake.ends[lane]
        return begin + offset

    def origin(self, letter: KafkaRecord, at: At) -> At:
        """Return the place of a dead letter's record as if the topic had stayed."""
        topic, partition, offset = at
        for remake in self._made:
            if remake.topic == topic and letter.offset() >= remake.letters.get(letter.partition(), 0):
                offset += remake.ends[partition]
        return topic, partition, offset

    def _make_anew(self) -> None:
        deployment, topics = self._deployment, self._deployment.topics
        topic = self._random.choice(topics.sources)
        with self._rebuilds.none(), self._feed.held(), self._workers.topic_away():
            deployment.caught_up(_CATCH_UP_S)
            former = self._topic_ids(topic)
            records = read_topic(deployment.bootstrap, topic)
            letters, before = self._told(topics.dead_letters), self._told(topics.changes)
            self._recreate(topic)
            eventually(
                lambda: self._is_known(topic, former),
                f"every lane knows the new {topic}",
                deadline_s=_CATCH_UP_S,
                every_s=1,
            )
            self._made.append(_Remake(topic, records, (before, self._told(topics.changes)), letters))
            self._rebuilds.none_from_now_on()
            self._say(f"{topic} is another topic for every lane")
            time.sleep(_KEPT_S)

    def _recreate(self, topic: str) -> None:
        client = {"bootstrap.servers": self._deployment.bootstrap}
        admin, deletes = Admin(client, HANG_S), AdminClient({**client})
        before = admin.topic(topic).topic_id
        deletes.delete_topics([topic])[topic].result(HANG_S)

        def made() -> bool:  # this call or a starting worker creates the topic
            create_topics(client, self._deployment.topics, self._deployment.partitions)
            try:
                return admin.topic(topic).topic_id != before
            except BadTopics:
                return False

        eventually(made, f"{topic} is there again")

    def _is_known(self, topic: str, former: set[str]) -> bool:
        """Return whether every lane's place is in the new topic."""
        # A worker that looked for the topic while it was missing has ended and reported that.
        self._workers.replace_ended()
        ids = self._topic_ids(topic)
        return bool(ids) and not ids & {*former, ""}

    def _topic_ids(self, topic: str) -> set[str]:
        """Return the topic's ids in the lanes' places; an empty id for a lane without a place."""
        places = self._deployment.places()
        return {place["topic_ids"][topic] if isinstance(place, dict) else "" for place in places}

    def _told(self, topic: str) -> Ends:
        ends: dict[int, int] = defaultdict(int)
        for message in read_topic(self._deployment.bootstrap, topic):
            ends[message.partition()] = message.offset() + 1
        return ends
