"""One connection that gets the changes as they happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from schemas.outputs.segment_change import Change
from segue.console.viewers.change_stream import KEEP_ALIVE, RECONNECT, end_event

MOST_WAITING = 1_000
"""So many changes may wait for a slow viewer."""
_KEEP_ALIVE_S = 15.0

Wants = Callable[[Change], bool]
Encode = Callable[[Change], bytes]

TOO_SLOW = f"this viewer was too slow: {MOST_WAITING:,} changes waited for it, and it is dropped"


class Viewer:
    """A viewer with a bounded queue. Only the event loop calls it.

    Args:
        wants: returns whether the viewer wants a change.
        encode: returns a change in the viewer's form.
    """

    def __init__(self, wants: Wants, encode: Encode) -> None:
        self.wants, self.encode = wants, encode
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)
        self._last: bytes | None = None

    def give(self, event: bytes) -> None:
        """Queue an event; end a viewer whose queue is full."""
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self.end(TOO_SLOW)

    def end(self, sentence: str) -> None:
        """End with this sentence as the last event, after what waits; in its place if the queue is full."""
        self._last = end_event(sentence)
        if self._queue.full():
            while not self._queue.empty():
                self._queue.get_nowait()
        self._queue.put_nowait(self._last)

    @property
    def has_ended(self) -> bool:
        """Whether :meth:`end` was called."""
        return self._last is not None

    async def events(self) -> AsyncIterator[bytes]:
        """Yield the events; in a silence, from time to time, a comment that shows a closed connection."""
        yield RECONNECT
        event = None
        while event is None or event is not self._last:
            try:
                async with asyncio.timeout(_KEEP_ALIVE_S):
                    event = await self._queue.get()
            except TimeoutError:
                event = None
            yield KEEP_ALIVE if event is None else event
