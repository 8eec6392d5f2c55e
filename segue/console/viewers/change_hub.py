"""Reads the changes once, and gives them to all viewers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Protocol

import structlog

from schemas.errors import SegueError
from schemas.outputs.segment_change import Change
from segue.console.moves.flow_facts import Flow
from segue.console.moves.recent_flow import RecentFlow
from segue.console.viewers.recent_changes import RecentChanges
from segue.console.viewers.viewer import Encode, Viewer, Wants

MOST_VIEWERS = 200
_TAKE_S = 0.2
_BATCH = 100
_RETRY_S = 2.0
_CLOSE_S = 2.0

log = structlog.get_logger("segue.console")


class Feed(Protocol):
    """The source of the changes, such as :class:`~segue.subscribe.change_feed.ChangeFeed`."""

    def take(self, timeout_s: float) -> Change | None:
        """Return the next change; None if there is none within the time."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class TooManyViewers(SegueError):
    """There are as many viewers as the console serves."""

    def __init__(self) -> None:
        super().__init__(f"{MOST_VIEWERS} viewers read the changes already: close a page, then try again")


class NoChanges(SegueError):
    """The changes cannot be read now."""


class ChangeHub:
    """One reader of Kafka for all viewers.

    A thread reads. The event loop hands out. The thread waits until a batch is handed out, so it never reads
    ahead of the loop. If the feed fails, all viewers end, and the feed is opened again with the changes from
    then on.

    Args:
        open_feed: opens the feed at the changes from now on.
        clock: returns seconds that never go back.
    """

    def __init__(self, open_feed: Callable[[], Feed], clock: Callable[[], float] = time.monotonic) -> None:
        self._open_feed, self._clock = open_feed, clock
        self._viewers: set[Viewer] = set()
        self._recent, self._flow = RecentChanges(), RecentFlow(datetime.now(UTC))
        self._problem: str | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="changes", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to read, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """End all viewers, and stop to read."""
        self._closing.set()
        self._end_all("the console ends")
        await asyncio.to_thread(self._thread.join, _CLOSE_S)

    @property
    def viewers(self) -> int:
        """How many viewers there are."""
        return len(self._viewers)

    def newest(self) -> tuple[Change, ...]:
        """Return the newest changes, the newest first."""
        return self._recent.newest()

    def in_last_minute(self) -> int:
        """Return how many changes were read in the last minute."""
        return self._recent.in_last_minute(self._clock())

    def flow(self) -> Flow:
        """Return the moves between segments of the last hour, as far as they were read."""
        return self._flow.flow(datetime.now(UTC))

    def join(self, wants: Wants, encode: Encode) -> Viewer:
        """Add a viewer of the changes from now on.

        Raises:
            NoChanges: the changes cannot be read now.
            TooManyViewers: there are too many viewers.
        """
        if self._problem is not None:
            raise NoChanges(self._problem)
        if len(self._viewers) >= MOST_VIEWERS:
            raise TooManyViewers
        viewer = Viewer(wants, encode)
        self._viewers.add(viewer)
        return viewer

    async def events(self, viewer: Viewer) -> AsyncIterator[bytes]:
        """Yield the events of a viewer, and forget it when its connection ends."""
        try:
            async for event in viewer.events():
                yield event
        finally:
            self._viewers.discard(viewer)

    async def _hand_out(self, changes: Sequence[Change]) -> None:
        self._recent.add(changes, self._clock())
        self._flow.add(changes, datetime.now(UTC))
        for change in changes:
            encoded: dict[Encode, bytes] = {}
            for viewer in tuple(self._viewers):
                if viewer.wants(change):
                    if viewer.encode not in encoded:
                        encoded[viewer.encode] = viewer.encode(change)
                    viewer.give(encoded[viewer.encode])
                    if viewer.has_ended:
                        self._viewers.discard(viewer)

    def _end_all(self, sentence: str) -> None:
        for viewer in self._viewers:
            viewer.end(sentence)
        self._viewers.clear()

    async def _fail(self, sentence: str) -> None:
        self._problem = sentence
        self._end_all(sentence)

    async def _recover(self) -> None:
        self._problem = None

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                with closing(self._open_feed()) as feed:
                    self._ask(self._recover())
                    while not self._closing.is_set():
                        self._hand_on(feed)
            except SegueError as error:
                self._ask(self._fail(str(error)))
            except Exception as error:  # else the console would show no change for ever
                log.error("console.changes_failed", error=repr(error))  # noqa: TRY400 - one line
                log.debug("console.changes_failed", exc_info=True)
                self._ask(self._fail(f"reading the changes failed: {type(error).__name__}"))
            self._closing.wait(_RETRY_S)

    def _hand_on(self, feed: Feed) -> None:
        """Hand out the changes that are there, also if the feed then fails; wait a moment for the first."""
        batch: list[Change] = []
        try:
            while len(batch) < _BATCH and (change := feed.take(0 if batch else _TAKE_S)) is not None:
                batch.append(change)
        finally:
            if batch:
                self._ask(self._hand_out(batch))

    def _ask(self, work: Coroutine[None, None, None]) -> None:
        """Let the event loop do something, and wait for it."""
        assert self._loop is not None
        if self._closing.is_set():
            work.close()
            return
        asyncio.run_coroutine_threadsafe(work, self._loop).result()
