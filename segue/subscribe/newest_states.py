"""Reads the users' newest states in one partition, and where the changes after them begin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

from schemas.errors import BadChange, BadTopics
from schemas.topics import Topics
from segue.connect.read_topics import READERS_GROUP
from segue.connect.wait_for_servers import Wait
from segue.subscribe.state_seam import Seam, State
from streamer.interfaces.lane_errors import InDoubt
from streamer.interfaces.lane_interfaces import Record
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.kafka_client import Deadlines
from streamer.kafka.kafka_reader import Reader

_BATCH = 1_000
_POLL_S = 0.2
_ID_HEADER = "ce_id"


class _Id(Struct):
    event_id: str


# Made at import: see the decoder in streamer/place/place.py.
_ID = msgspec.json.Decoder(_Id)


class NewestStates:
    """Reads partitions of ``user-segments``, in the order that :mod:`segue.subscribe.state_seam` describes.

    Args:
        client: librdkafka's settings of a client.
        topics: the names of the topics.
        admin: asks for the topics' ends.
        wait: reports the wait for Kafka.
        deadlines: how long to wait for Kafka.
    """

    def __init__(
        self, client: Mapping[str, str], topics: Topics, admin: Admin, wait: Wait, deadlines: Deadlines
    ) -> None:
        self._client = client
        self._topics = topics
        self._admin = admin
        self._wait = wait
        self._deadlines = deadlines

    def read(self, partition: int, begin: int) -> tuple[dict[str, State], Seam]:
        """Read one partition.

        Args:
            partition: the partition number.
            begin: a stable end of ``segment-changes`` from before this call: where the changes begin.

        Returns:
            The newest state of each user, and the seam to the changes.

        Raises:
            BadTopics: a topic is missing, or it cannot be read from there.
            BadChange: a record is no change.
            Unreachable: Kafka has not answered for some minutes.
        """
        users, changes = self._topics.users, self._topics.changes
        reader = Reader(partition, READERS_GROUP, self._client, self._deadlines)
        try:
            first, end = self._bounds(users, partition)
            states: dict[str, State] = {}
            for record in self._records(reader, users, first, end):
                user_id = (record.key or b"").decode(errors="replace")
                states[user_id] = State(_id_of(record), record.value)
            _, end = self._bounds(changes, partition)
            window = {_id_of(record) for record in self._records(reader, changes, begin, end)}
        except InDoubt as doubt:
            raise BadTopics(
                f"the states cannot be read ({doubt}): check that this login may READ {users} and {changes};"
                " if changes were deleted after their retention, subscribe with another group"
            ) from None
        finally:
            reader.close()
        return states, Seam(states, window)

    def _bounds(self, topic: str, partition: int) -> tuple[int, int]:
        bounds = self._wait.until_answered(lambda: self._admin.bounds(topic, partition, ""))
        return bounds.begin, bounds.end

    def _records(self, reader: Reader, topic: str, begin: int, end: int) -> Iterator[Record]:
        """Yield the committed records before ``end``."""
        self._wait.until_answered(lambda: reader.read_from({topic: begin}))
        while not reader.at_end({topic: end}):
            records = reader.poll(_BATCH, _POLL_S)
            yield from (record for record in records if record.offset < end)
            if records:
                self._wait.over()
            elif self._wait.lasts():
                raise reader.unreachable(f"return all records of {topic}")
        self._wait.over()


def _id_of(record: Record) -> str:
    """Return the id of a record's change; a null of an erased user has it in a header."""
    if record.value is None:
        return dict(record.headers).get(_ID_HEADER, b"").decode(errors="replace")
    try:
        return _ID.decode(record.value).event_id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadChange(
            f"{record.topic}/{record.partition}@{record.offset} is no change: {error}; was it written by"
            " Segue?"
        ) from None
