"""Reads the tables of `segue flow` from their changelogs, for as long as the console runs."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import structlog
from confluent_kafka import TopicPartition

from schemas.errors import BadTopics, SegueError
from segue.config.settings import Settings
from segue.connect.read_topics import CommittedReader, Ends
from segue.connect.wait_for_servers import short_patience
from segue.console.moves.flow_facts import Flow, Hours
from segue.console.moves.reach import Reach
from segue.console.moves.table_moves import TableMoves
from segue.flow.flow_topics import flow_group
from streamer.kafka.kafka_admin import Admin

_PATIENCE_S = 5.0
_POLL_S = 0.2
_LOOK_S = 3.0
_RETRY_S = 5.0

log = structlog.get_logger("segue.console")


class MovesReader:
    """The tables as far as they are read; any thread may ask.

    Args:
        settings: name the Kafka, the topics and the group.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._moves: TableMoves | None = None
        self._reach = Reach()
        self._until: datetime | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="moves", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def close(self) -> None:
        """Stop to read."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE_S)

    def flow(self) -> Flow | None:
        """Return the moves of the last hour; None if `segue flow` never ran, or is not read yet."""
        with self._lock:
            return None if self._moves is None else self._moves.flow(datetime.now(UTC), self._until)

    def hours(self) -> Hours:
        """Return the moves by hour; none if `segue flow` never ran, or is not read yet."""
        with self._lock:
            return Hours(None, None, ()) if self._moves is None else self._moves.hours(self._until)

    def _run(self) -> None:
        with short_patience(_PATIENCE_S):
            while not self._closing.is_set():
                try:
                    self._read()
                except BadTopics:
                    with self._lock:  # it never ran, or its topics were deleted
                        self._moves, self._until, self._reach = None, None, Reach()
                except SegueError as error:
                    log.debug("console.moves_wait", reason=str(error))
                except Exception as error:  # else the page would show old numbers for ever
                    log.error("console.moves_failed", error=repr(error))  # noqa: TRY400 - one line
                    log.debug("console.moves_failed", exc_info=True)
                self._closing.wait(_RETRY_S)

    def _read(self) -> None:
        topics, settings = self._settings.topics, self._settings
        admin = Admin(settings.kafka_client, _PATIENCE_S)
        lanes = admin.topic(topics.changes).partitions
        reader = CommittedReader(
            settings.kafka_client, [topics.flow_hours, topics.flow_minutes], from_beginning=True
        )
        moves = TableMoves(topics)  # those of before stay until these are read
        try:
            looked_s = time.monotonic()
            reach = self._look(admin, lanes)
            ends: Ends | None = reader.ends()
            while not self._closing.is_set():
                message = reader.poll(_POLL_S)
                if message is not None:
                    topic, key = message.topic(), message.key()
                    assert topic is not None
                    if key is not None:
                        with self._lock:
                            moves.take(topic, key, message.value())
                if ends is not None and reader.has_reached(ends):
                    with self._lock:
                        moves.forget(datetime.now(UTC))
                        self._moves, self._until = moves, reach
                    ends = None
                if ends is None and time.monotonic() - looked_s >= _LOOK_S:
                    looked_s = time.monotonic()
                    reach, ends = self._look(admin, lanes), reader.ends()
        finally:
            reader.close()

    def _look(self, admin: Admin, lanes: int) -> datetime | None:
        """Return until when everything is counted; the rows of it are in the changelogs before the answer."""
        topic, now = self._settings.topics.changes, datetime.now(UTC)
        ends = {number: admin.stable_end(topic, number) for number in range(lanes)}
        places = [TopicPartition(topic, number) for number in range(lanes)]
        committed = admin.committed(flow_group(self._settings), places)
        self._reach.look(now, ends, {at.partition: max(0, at.offset) for at in committed})
        return self._reach.until
