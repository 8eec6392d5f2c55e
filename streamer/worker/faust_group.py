"""Faust's side of the membership: a consumer that belongs to the group and fetches nothing.

Faust joins the group, keeps the heartbeats and shares out the partitions; the lanes read by themselves.
Replaced here is only what Faust does with partitions once it has them: nothing is sought, fetched or
committed.
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
# How long a fenced lane waits for the group's word.
ASK_S = 5.0
# Saying goodbye is a courtesy: without it the group waits for the session to end.
LEAVE_S = 3.0


class GroupThread(AIOKafkaConsumerThread):
    """Faust's consumer thread, which has a loop of its own: heartbeats go on whatever the worker does."""

    transport: "GroupTransport"
    _refused: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._begun = threading.Event()
        self.transport.thread = self

    async def on_start(self) -> None:
        """Connect, however long it takes."""
        self._begun.set()
        while not self.should_stop:
            try:
                await super().on_start()
            except KafkaConnectionError:
                self.transport.membership.waits_for(f"{self.transport.lost()}, or refuses the login")
            else:
                # A broker that has only just started may name none. aiokafka goes on, and its membership breaks as
                # soon as it looks for the coordinator (https://github.com/aio-libs/aiokafka/issues/460).
                if self._ensure_consumer()._client.cluster.brokers():  # noqa: SLF001 - nothing public tells
                    return
                self.transport.membership.waits_for(
                    f"Kafka at {self.transport.config.brokers} names no broker yet"
                )
            await self._ensure_consumer().stop()
            await self.sleep(RETRY_S)

    async def stop(self) -> None:
        """Stop, and do not miss a thread that has only just been started: nobody would ever end it."""
        if self._thread_started.is_set():
            await asyncio.to_thread(self._begun.wait, LEAVE_S)
        await super().stop()

    async def on_thread_stop(self) -> None:
        """Leave the group, if it answers."""
        try:
            await asyncio.wait_for(super().on_thread_stop(), LEAVE_S)
        except TimeoutError:
            log.warning(
                "group.not_left", reason="Kafka does not answer; the group waits for the session's end"
            )

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Close the lanes; the rebalance goes on when this returns."""
        await self._tell(self.transport.membership.revoked)
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Open the lanes that the group gave."""
        consumer = self._ensure_consumer()
        consumer.pause(*consumer.assignment())
        await super().on_partitions_assigned(assigned, generation_id)
        known = {
            topic: consumer.partitions_for_topic(topic) for topic in self.transport.config.topics.sources
        }
        counts = {topic: len(numbers) for topic, numbers in known.items() if numbers}
        await self._tell(lambda: self.transport.membership.assigned(assigned, counts))

    async def still_member(self) -> bool:
        """Ask the group whether it still counts this worker in."""
        coordinator = self._coordinator
        return coordinator.coordinator_id is not None and await coordinator._do_heartbeat()  # noqa: SLF001 - see below

    def has_ended(self) -> bool:
        """Whether this thread should live and does not; asked from any thread."""
        if self._thread is None or not self._begun.is_set() or self._stopped.is_set():
            return False
        return not self._thread.is_alive()

    @Service.task
    async def _keep_polling(self) -> None:
        """A consumer that does not poll is put out of the group; and its errors come out of the poll."""
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
        """Say for what the membership waits; not in the poll, which itself waits for a rebalance."""
        lost_before = False
        while not self.should_stop:
            await self.sleep(WATCH_S)
            # Before it subscribes, Faust takes a second for itself.
            lost = self._coordinator.coordinator_id is None and bool(self._ensure_consumer().subscription())
            # Only if it lasts: a join that takes long is sent again, to a coordinator looked up anew.
            waits = self.transport.lost() if lost and lost_before else self._refused
            self.transport.membership.waits_for(waits)
            lost_before = lost

    @property
    def _coordinator(self) -> GroupCoordinator:
        return self._ensure_consumer()._coordinator  # noqa: SLF001 - what it knows, nothing public tells

    def _fatal(self, error: KafkaError) -> SegueError | None:
        if self._coordinator._coordination_task.done():  # noqa: SLF001 - see above
            return Unreachable(f"the membership in the group broke ({error}): start the worker again")
        return explained(error, self.transport.config)

    async def _tell(self, what: Callable[[], None]) -> None:
        """Lanes take their time, and heartbeats must go on. aiokafka would swallow an error."""
        try:
            await asyncio.to_thread(what)
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends the worker
            self.transport.membership.fail(error)

    def on_crash(self, msg: str, *fmt: object, **kwargs: object) -> None:
        """Print no traceback: the worker tells what ended it in one sentence."""


class GroupConsumer(Consumer):
    """Faust's consumer, without what a reader of events does."""

    _thread: GroupThread

    def _new_consumer_thread(self) -> GroupThread:
        return GroupThread(self, loop=self.loop, beacon=self.beacon)

    def still_member(self) -> Future[bool]:
        """Ask the group, from any thread, whether it still counts this worker in."""
        return asyncio.run_coroutine_threadsafe(self._thread.still_member(), self._thread.thread_loop)

    async def perform_seek(self) -> None:
        """Nothing is read here, so there is no place to seek."""

    async def _drain_messages(self, fetcher: ServiceT) -> None:
        await fetcher.wait_until_stopped()

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust warns of partitions that are not fetched; here none ever is."""


class GroupTransport(Transport):
    """Gives a Faust app the consumer above, and the lanes the group's word."""

    Consumer = GroupConsumer

    def __init__(self, app: AppT, config: WorkerConfig, membership: Membership) -> None:
        super().__init__(app.conf.broker_consumer, app)
        self.config = config
        self.membership = membership
        self.thread: GroupThread | None = None

    def ended(self) -> list[str]:
        """The group's thread, where it should live and does not."""
        return ["group"] if self.thread is not None and self.thread.has_ended() else []

    def lost(self) -> str:
        """What to say while Kafka cannot be asked."""
        return f"Kafka at {self.config.brokers} does not answer"

    def still_ours(self, partition: int) -> bool:
        """Whether the group, asked now, still says that this lane is ours; for the lanes' threads.

        False also when it gives no answer in time: ask again, until it is ours or the lane is closed.
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
