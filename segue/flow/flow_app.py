"""The Faust app that counts: one agent over the changes, and two windowed tables."""

from __future__ import annotations

import asyncio
from typing import Any

import faust
from faust.app import BootStrategy
from faust.types import TP, EventT, FutureMessage
from faust.types.streams import StreamT

from schemas.errors import Unreachable
from segue.config.settings import Settings
from segue.flow.chained_consumer import FROM, chained_transport
from segue.flow.counting import Counting, Skipped
from segue.flow.flow_topics import flow_group, flow_windows
from segue.flow.moves_table import MovesTable
from streamer.worker.faust_broker import broker_urls, credentials

_COMMIT_S = 1.0
# A row that Kafka does not take within this time ends the app; it then begins again where it had committed.
_WRITE_S = 30.0


class _NoWeb(BootStrategy):
    """Starts no web server: it would bind a port."""

    enable_web = False


class FlowApp(faust.App):
    """Counts moves into tables.

    Attributes:
        changes: the topic of changes.
        counting: how far the changes are counted.
        recovered: how far each changelog was read, by partition.
        failure: why the app must end; None if all is well.
    """

    BootStrategy = _NoWeb
    changes: str
    counting: Counting

    def set_up(self, settings: Settings, topic_id: str) -> None:
        """Create the tables and the agent."""
        self.changes = settings.topics.changes
        self.recovered: dict[TP, int] = {}
        self.failure: BaseException | None = None
        self.ended = asyncio.Event()
        self._unwritten: list[FutureMessage] = []
        tables = [
            MovesTable(self, topic, window.size_s, window.kept_s)
            for topic, window in flow_windows(settings.topics).items()
        ]
        for table in tables:
            self.tables.add(table)
        self.counting = Counting(self.changes, topic_id, tables)
        # Faust commits nothing (acks=False): the consumer commits what is counted.
        changes = self.topic(self.changes, key_serializer="raw", value_serializer="raw", acks=False)
        self.agent(changes, name="count_moves")(self._count)

    async def on_first_start(self) -> None:
        """Create no folders: the tables are in memory."""

    async def _count(self, stream: StreamT[bytes]) -> None:
        async for event in stream.events():
            try:
                self._take(event)
            except Exception as error:  # noqa: BLE001 - any error ends the app
                self.fail(error)
                await asyncio.Event().wait()  # take no further record

    def _take(self, event: EventT[Any]) -> None:
        message = event.message
        self.counting.take(message.partition, int(event.headers[FROM]), message.offset, message.value)

    def recover(self, tp: TP, read_from: int, offset: int) -> None:
        """Note a record of a changelog; the app fails if one before it did not come."""
        expected = self.recovered.get(tp)
        if expected is None or read_from > expected:
            self.fail(Skipped(tp.topic, tp.partition, expected, read_from))
        self.recovered[tp] = max(expected or 0, offset + 1)

    def sent(self, row: FutureMessage) -> None:
        """Remember a row that is on its way to Kafka."""
        self._unwritten.append(row)

    async def rows_are_written(self) -> bool:
        """Wait until Kafka has every row that was sent; return False if the app must end instead.

        Faust's own flush does not wait for all of them. Two may wait at once: for the same rows.
        """
        if self._unwritten and self.failure is None:
            done, late = await asyncio.wait(tuple(self._unwritten), timeout=_WRITE_S)
            self._unwritten = [row for row in self._unwritten if row not in done]
            errors = [error for row in done if (error := row.exception()) is not None]
            if late or errors:
                reason = repr(errors[0]) if errors else f"no answer within {_WRITE_S:.0f} s"
                self.fail(Unreachable(f"Kafka did not take a row of the tables: {reason}"))
        return self.failure is None

    def fail(self, error: BaseException) -> None:
        """End the app with an error; the first one counts."""
        if self.failure is None:
            self.failure = error
        self.ended.set()


def flow_app(settings: Settings, topic_id: str) -> FlowApp:
    """Return a new app, not started.

    Args:
        settings: name the Kafka, the topics and the group.
        topic_id: Kafka's id of the topic of changes.

    Raises:
        BadSetting: Faust does not know this way to log in to Kafka.
    """
    client, session_s = settings.kafka_client, settings.session_timeout_ms / 1_000
    app = FlowApp(
        flow_group(settings),
        env={},  # Else environment variables such as BROKER_URL would override these settings.
        autodiscover=False,
        broker=broker_urls(client),
        broker_client_id=client.get("client.id", "segue"),
        broker_credentials=credentials(client),
        broker_session_timeout=session_s,
        broker_heartbeat_interval=settings.heartbeat_interval_ms / 1_000,
        broker_rebalance_timeout=settings.rebalance_timeout_ms / 1_000,
        broker_request_timeout=max(session_s, _WRITE_S),
        broker_commit_interval=_COMMIT_S,
        producer_request_timeout=_WRITE_S,
        stream_wait_empty=False,
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        store="memory://",
    )
    app.set_up(settings, topic_id)
    app.transport = chained_transport(app)
    return app
