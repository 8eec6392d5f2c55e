"""Runs the Faust app until a signal comes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import structlog
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError

from schemas.errors import BadSetting, BadTopics, SegueError, Unreachable
from segue.config.settings import Settings
from segue.connect.kafka_access import DEADLINE_S, patiently
from segue.flow.counting import Skipped
from segue.flow.flow_app import FlowApp, flow_app
from segue.flow.flow_topics import flow_group, prepare_flow_topics
from segue.interruption import normal_end
from streamer.interfaces.lane_errors import InDoubt
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.kafka_client import Deadlines
from streamer.kafka.kafka_watch import TopicWatch

_LOOK_S = 0.2
_RETRY_S = 2.0
_STOP_S = 8.0

log = structlog.get_logger("segue.flow")


def run_flow(settings: Settings, say: Callable[[str], None]) -> None:
    """Count the moves until a signal comes.

    Args:
        settings: name the Kafka, the topics and the group.
        say: shows a sentence to people.

    Raises:
        SegueError: waiting does not help.
    """
    facts = patiently(settings, lambda: prepare_flow_topics(settings, say))
    watch = TopicWatch(
        Admin(settings.kafka_client, DEADLINE_S), settings.kafka_client, Deadlines(outage_s=float("inf"))
    )
    watch.expect(settings.topics.changes, facts)
    flow_app(settings, facts.topic_id)  # reports a bad login before anything runs
    running = _Running(settings, facts.topic_id)
    say(f"Counting the moves on {settings.topics.changes} at {settings.kafka}, until ctrl-C.")
    # The main thread takes the signals, as in every command.
    thread = threading.Thread(target=running.run, name="flow", daemon=True)
    with normal_end():
        thread.start()
        try:
            while not running.has_ended.wait(_LOOK_S):
                try:
                    watch.look()
                except InDoubt as doubt:
                    raise BadTopics(f"{doubt}: start the command again") from None
        finally:
            running.stop()
            # Not `join`: interrupted once, it returns at once ever after (https://bugs.python.org/issue45274).
            running.has_ended.wait(2 * _STOP_S)
    if running.failure is not None:
        raise running.failure


class _Running:
    """The app in an event loop of its own thread; it is made anew after each error that may pass."""

    def __init__(self, settings: Settings, topic_id: str) -> None:
        self._settings, self._topic_id = settings, topic_id
        self._stopping = threading.Event()
        self._app: FlowApp | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.failure: BaseException | None = None
        self.has_ended = threading.Event()

    def run(self) -> None:
        """Run until :meth:`stop`, or until an error comes that waiting does not mend."""
        try:
            self._run()
        finally:
            self.has_ended.set()

    def _run(self) -> None:
        reason = ""
        while not self._stopping.is_set():
            try:
                error = asyncio.run(self._once())
            except Exception as unexpected:  # noqa: BLE001 - the main thread raises it
                error = unexpected
            if error is None:
                return
            if not isinstance(error, (Unreachable, Skipped)):
                self.failure = error
                return
            if reason != str(error):
                reason = str(error)
                log.warning("flow.begins_again", reason=reason)
            self._stopping.wait(_RETRY_S)

    def stop(self) -> None:
        """End the app in order; any thread may call this."""
        self._stopping.set()
        if self._app is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._app.ended.set)

    async def _once(self) -> BaseException | None:
        """Run one app; return why it ended, or None if it was asked to."""
        app = self._app = flow_app(self._settings, self._topic_id)
        self._loop = asyncio.get_running_loop()
        starting = asyncio.create_task(app.start())
        try:
            while not (app.ended.is_set() or self._stopping.is_set()):
                if starting.done() and (failed := starting.exception()) is not None:
                    return self._explained(failed)
                if app.crashed:
                    return self._explained(app.crash_reason)
                await asyncio.sleep(_LOOK_S)
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            try:
                await asyncio.wait_for(app.stop(), _STOP_S)
            except Exception as error:
                log.debug("flow.not_stopped", exc_info=error)
        return app.failure

    def _explained(self, error: BaseException | None) -> BaseException:
        settings = self._settings
        match error:
            case GroupAuthorizationFailedError():
                return BadSetting(
                    "group",
                    settings.group,
                    f"this login may not use the group {flow_group(settings)}; grant it READ on the group",
                )
            case TopicAuthorizationFailedError():
                return BadTopics(
                    f"this login may not use the topics: grant it READ on {settings.topics.changes}, READ and"
                    f" WRITE on {settings.topics.flow_hours} and {settings.topics.flow_minutes}"
                )
            case SegueError():
                return error
            case _:
                return Unreachable(f"Kafka at {settings.kafka} does not answer ({error!r})")
