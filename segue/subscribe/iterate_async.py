"""The changes as an asynchronous iterator."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeVar, Unpack

from schemas.outputs.segment_change import Change
from segue.subscribe.change_feed import ChangeFeed
from segue.subscribe.subscription import Options, Subscription

Answer = TypeVar("Answer")

_TAKE_S = 0.2
# After this time the program goes on; the thread still closes the connection.
_CLOSE_S = 10.0


async def changes_async(kafka: str, **options: Unpack[Options]) -> AsyncGenerator[Change]:
    """Yield the changes as :func:`segue.subscribe.changes` does, without blocking the event loop.

    If the loop may end early, wrap the iterator in ``contextlib.aclosing``: asyncio closes an abandoned
    iterator only later.

    Args:
        kafka: Kafka's brokers: host:port, several with commas.
        **options: see :class:`~segue.subscribe.subscription.Options`.

    Raises:
        BadSetting, BadTopics, BadChange, Unreachable: as :func:`segue.subscribe.changes`.
    """
    subscription = Subscription(kafka, **options)
    feeds: list[ChangeFeed] = []
    thread = _Thread()
    try:
        await thread.ask(lambda: feeds.append(ChangeFeed(subscription)))
        while True:
            change = await thread.ask(lambda: feeds[0].take(_TAKE_S))
            if change is not None:
                yield change
    finally:
        # The thread may still be busy with a question whose asker was cancelled: it closes after that.
        closed = thread.ask(lambda: _close(feeds))
        thread.end()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await closed


def _close(feeds: list[ChangeFeed]) -> None:
    for feed in feeds:
        feed.close()


class _Thread:
    """A thread that answers one question after the other. A program may end while it waits for Kafka."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._work, name="segue-subscribe", daemon=True).start()

    def ask(self, question: Callable[[], Answer]) -> asyncio.Future[Answer]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()

        def tell(answer: Callable[[], None]) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(lambda: None if future.done() else answer())

        def job() -> None:
            try:
                answer = question()
            except BaseException as error:  # noqa: BLE001 - the asker gets it
                raised = error
                tell(lambda: future.set_exception(raised))
            else:
                tell(lambda: future.set_result(answer))

        self._jobs.put(job)
        return future

    def end(self) -> None:
        """End after the questions that were asked."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
