"""Faust's side of the membership: a consumer that belongs to the group and fetches nothing.

Faust joins the group, sends the heartbeats and distributes the partitions. The lanes read by themselves. This
module replaces only Faust's work with assigned partitions: it seeks, fetches and commits nothing.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future

import structlog
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import ConsumerStoppedError, KafkaConnectionError, KafkaError
from faust import Service, ServiceT
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP, AppT

from schemas.errors import SegueError, Unreachable
from streamer.worker.group_errors import explained
from streamer.worker.membership import Membership
from streamer.worker.worker_config import WorkerConfig

log = structlog.get_logger(__name__)

POLL_MS = 500
RETRY_S = 1.0
WATCH_S = 0.5
# How long a fenced lane waits for the group's answer.
ASK_S = 5.0
# How long leaving the group may take. If it fails, the group waits for the session to end.
LEAVE_S = 3.0


class GroupThread(AIOKafkaConsumerThread):
    """Faust's consumer thread. It has its own event loop, so heartbeats continue whatever the worker does."""

    transport: "GroupTransport"
    _refused: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._begun = threading.Event()
        self.transport.thread = self

    async def on_start(self) -> None:
        """Connect, and retry until it succeeds."""
        self._begun.set()
        while not self.should_stop:
            try:
                await super().on_start()
            except KafkaConnectionError:
                self.transport.membership.waits_for(f"{self.transport.lost()}, or refuses the login")
            else:
                # A broker that has just started may name no brokers. aiokafka continues, and its membership
                # breaks when it looks for the coordinator (https://github.com/aio-libs/aiokafka/issues/460).
                if self._ensure_consumer()._client.cluster.brokers():  # noqa: SLF001 - no public way
                    return
                self.transport.membership.waits_for(
                    f"Kafka at {self.transport.config.brokers} names no broker yet"
                )
            await self._ensure_consumer().stop()
            await self.sleep(RETRY_S)

    async def stop(self) -> None:
        """Stop. Wait first for a thread that has just been started, because nothing else would end it."""
        if self._thread_started.is_set():
            await asyncio.to_thread(self._begun.wait, LEAVE_S)
        await super().stop()

    async def on_thread_stop(self) -> None:
        """Leave the group, if Kafka answers in time."""
        try:
            await asyncio.wait_for(super().on_thread_stop(), LEAVE_S)
        except TimeoutError:
            log.warning(
                "group.not_left", reason="Kafka does not answer; the group waits until the session ends"
            )

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Close the lanes; the rebalance continues when this returns."""
        await self._tell(self.transport.membership.revoked)
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Open the lanes that the group assigned."""
        consumer = self._ensure_consumer()
        consumer.pause(*consumer.assignment())
        await super().on_partitions_assigned(assigned, generation_id)
        known = {
            topic: consumer.partitions_for_topic(topic) for topic in self.transport.config.topics.sources
        }
        counts = {topic: len(numbers) for topic, numbers in known.items() if numbers}
        await self._tell(lambda: self.transport.membership.assigned(assigned, counts))

    async def still_member(self) -> bool:
        """Ask the group whether this worker is still a member."""
        coordinator = self._coordinator
        return (
            coordinator.coordinator_id is not None
            # See below.
            and await coordinator._do_heartbeat()  # noqa: SLF001
        )

    def has_ended(self) -> bool:
        """Whether this thread has ended although it should run; any thread may call this."""
        if self._thread is None or not self._begun.is_set() or self._stopped.is_set():
            return False
        return not self._thread.is_alive()

    @Service.task
    async def _keep_polling(self) -> None:
        """Poll without end: the group removes a consumer that does not poll, and a poll raises errors."""
        consumer = self._ensure_consumer()
        while not self.should_stop:
            try:
                await consumer.getmany(timeout_ms=POLL_MS)
                self._refused = None
            except ConsumerStoppedError:
                return
            except KafkaError as error:
                if (fatal := self._fatal(error)) is not None:
                    self.transport.membership.fail(fatal)
                    return
                self._refused = f"cannot join the group: {error}"
                await self.sleep(RETRY_S)

    @Service.task
    async def _watch(self) -> None:
        """Report why the membership waits. The poll cannot report it, because the poll waits as well."""
        lost_before = False
        while not self.should_stop:
            await self.sleep(WATCH_S)
            # Faust needs about a second before it subscribes.
            lost = self._coordinator.coordinator_id is None and bool(self._ensure_consumer().subscription())
            # Report it only if it lasts: during a long join, aiokafka looks up the coordinator again.
            waits = self.transport.lost() if lost and lost_before else self._refused
            self.transport.membership.waits_for(waits)
            lost_before = lost

    @property
    def _coordinator(self) -> GroupCoordinator:
        return self._ensure_consumer()._coordinator  # noqa: SLF001 - no public way to its knowledge

    def _fatal(self, error: KafkaError) -> SegueError | None:
        if self._coordinator._coordination_task.done():  # noqa: SLF001 - see above
            return Unreachable(f"the membership in the group ended ({error}): start the worker again")
        return explained(error, self.transport.config)

    async def _tell(self, call: Callable[[], None]) -> None:
        """Call in another thread, because lanes may be slow and heartbeats must continue.

        An error ends the worker; aiokafka alone would swallow it.
        """
        try:
            await asyncio.to_thread(call)
        except Exception as error:  # noqa: BLE001 - any error ends the worker
            self.transport.membership.fail(error)

    def on_crash(self, msg: str, *fmt: object, **kwargs: object) -> None:
        """Print no traceback: the worker reports the error in one sentence."""


class GroupConsumer(Consumer):
    """Faust's consumer, without the work of reading events."""

    _thread: GroupThread

    def _new_consumer_thread(self) -> GroupThread:
        return GroupThread(self, loop=self.loop, beacon=self.beacon)

    def still_member(self) -> Future[bool]:
        """Ask the group whether this worker is still a member; any thread may call this."""
        return asyncio.run_coroutine_threadsafe(self._thread.still_member(), self._thread.thread_loop)

    async def perform_seek(self) -> None:
        """Do nothing: this consumer reads no records, so it needs no offset."""

    async def _drain_messages(self, fetcher: ServiceT) -> None:
        await fetcher.wait_until_stopped()

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: Faust would warn that no partition is fetched, and here this is intended."""


class GroupTransport(Transport):
    """Gives a Faust app the consumer above, and gives the lanes the group's answers."""

    Consumer = GroupConsumer

    def __init__(self, app: AppT, config: WorkerConfig, membership: Membership) -> None:
        super().__init__(app.conf.broker_consumer, app)
        self.config = config
        self.membership = membership
        self.thread: GroupThread | None = None

    def ended(self) -> list[str]:
        """The name of the group's thread, if it has ended although it should run."""
        return ["group"] if self.thread is not None and self.thread.has_ended() else []

    def lost(self) -> str:
        """The message while Kafka does not answer."""
        return f"Kafka at {self.config.brokers} does not answer"

    def still_ours(self, partition: int) -> bool:
        """Whether the group confirms now that this lane is ours; the lanes' threads call this.

        The result is also False if no answer comes in time. Call again until the lane is ours or closed.
        """
        if not self.membership.holds(partition):
            return False
        consumer = self.app.consumer
        assert isinstance(consumer, GroupConsumer)
        asked = consumer.still_member()
        try:
            return asked.result(ASK_S) and self.membership.holds(partition)
        except (TimeoutError, CancelledError, KafkaError):
            asked.cancel()
            return False
