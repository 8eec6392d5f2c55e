"""A windowed table of Faust that counts moves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from heapq import heappush
from typing import TYPE_CHECKING, Any

import msgspec
from faust import TumblingWindow
from faust.tables.table import Table
from faust.types import EventT, FutureMessage
from faust.types.windows import WindowRange

from segue.flow.chained_consumer import FROM
from segue.flow.moved_row import Row, Way, further, with_change

if TYPE_CHECKING:
    from segue.flow.flow_app import FlowApp

_Key = tuple[tuple[str, int, int | None, int], tuple[float, float]]


class MovesTable(Table[_Key, dict[str, Any]]):
    """Moves by way and window, in memory and in the table's changelog.

    Args:
        app: whose table it is.
        topic: the changelog.
        size_s: how long a window is.
        kept_s: how long a window is kept.
        now_s: returns the present time.
    """

    def __init__(
        self, app: FlowApp, topic: str, size_s: int, kept_s: int, now_s: Callable[[], float] = time.time
    ) -> None:
        super().__init__(app, name=topic, beacon=app.tables.beacon)
        self._window = TumblingWindow(size_s, kept_s)
        self.using_window(self._window)
        self._flow, self._now_s = app, now_s

    def count(self, way: Way, at_s: float, offset: int, event_id: str) -> None:
        """Count a change, unless it is counted already, or its window is no longer kept.

        Args:
            way: which way the user moved.
            at_s: when the change was decided.
            offset: the change's offset.
            event_id: the change's id.
        """
        key = (msgspec.structs.astuple(way), self._window.current(at_s))
        if self._is_over(key[1]):
            return
        before = self.get(key)
        row = with_change(None if before is None else msgspec.convert(before, Row), offset, event_id)
        if row is not None:
            self[key] = msgspec.to_builtins(row)

    def _is_over(self, window: WindowRange) -> bool:
        return self._window.stale(window[1], self._now_s())

    def send_changelog(self, *args: Any, **kwargs: Any) -> FutureMessage:
        """Send a row, and remember that it is not written yet."""
        sent = super().send_changelog(*args, **kwargs)
        self._flow.sent(sent)
        return sent

    async def on_changelog_event(self, event: EventT[Any]) -> None:
        """Check that the recovery skipped no record."""
        self._flow.recover(event.message.tp, int(event.headers[FROM]), event.message.offset)

    def apply_changelog_batch(self, batch: Iterable[EventT[Any]]) -> None:
        """Take rows that the recovery has read, those that counted furthest, and only windows that are kept.

        Faust would take the last row of a key, and would keep it for ever.
        """
        for event in batch:
            key = self._to_key(event.key)
            if event.value is None or self._is_over(key[1]):
                continue
            row, known = msgspec.convert(event.value, Row), self.data.get(key)
            row = further(None if known is None else msgspec.convert(known, Row), row)
            self.data[key] = msgspec.to_builtins(row)
            self._maybe_set_key_ttl(key, event.message.partition)

    def _maybe_set_key_ttl(self, key: Any, partition: int) -> None:
        """Note when a row's window ends. Faust would note it again for each change, and keep all notes."""
        end_s = key[1][1]
        keys = self._partition_timestamp_keys[partition, end_s]
        if not keys:
            heappush(self._partition_timestamps[partition], end_s)
        keys.add(key)

    def _changelog_topic_name(self) -> str:
        return self.name
