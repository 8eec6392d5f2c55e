"""What is seen while the demo plays: a live picture at a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import time
from collections import deque
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from schemas.changes import Change
from segue.change_text import change_text, segment_text
from segue.demo.tally import KINDS, Tally

SHOWN_CHANGES = 5
_PLAIN_EVERY_S = 1.0
_BAR_WIDTH = 30


class View:
    """An :class:`~segue.demo.stage.Audience` that counts, and shows.

    Args:
        total: how many events will be sent.
    """

    def __init__(self, console: Console, tally: Tally, total: int) -> None:
        self._console = console
        self._tally = tally
        self._total = total
        self._latest: deque[Change] = deque(maxlen=SHOWN_CHANGES)
        self._began = time.monotonic()
        self._plain_due = self._began
        self._live = (
            Live(get_renderable=self._picture, console=console, refresh_per_second=5, transient=True)
            if console.is_terminal
            else None
        )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def sent(self, events: int) -> None:
        self._tally.sent = events

    def change(self, change: Change) -> None:
        self._tally.change(change)
        self._latest.append(change)
        if self._live is None and time.monotonic() >= self._plain_due:
            # One a second: all of them would hide what they show.
            self._plain_due = time.monotonic() + _PLAIN_EVERY_S
            self._console.print(change_text(change))

    def dead_letter(self, reason: str) -> None:
        self._tally.dead_letters.append(reason)
        if self._live is None:
            self._console.print(Text(f"dead letter: {reason}"))

    def _picture(self) -> RenderableType:
        lines = [line for change in reversed(self._latest) for line in change_text(change).split("\n")]
        changes = Group(*(_cut(line) for line in lines))
        return Group(
            self._progress(),
            Panel(
                changes,
                title="the latest changes",
                title_align="left",
                border_style="dim",
                height=2 * SHOWN_CHANGES + 2,
            ),
            segments_table(self._tally),
            *(Text(f"dead letter: {reason}", style="red") for reason in self._tally.dead_letters),
        )

    def _progress(self) -> RenderableType:
        tally = self._tally
        row = Table.grid(padding=(0, 2))
        counts = ", ".join(f"{tally.kinds[kind]:,} {kind}" for kind in KINDS if tally.kinds[kind])
        row.add_row(
            ProgressBar(total=self._total, completed=tally.sent, width=_BAR_WIDTH),
            f"{tally.sent:,} of {self._total:,} events",
            f"{time.monotonic() - self._began:.0f} s",
            counts,
        )
        return row


def _cut(line: Text) -> Text:
    """A line that ends where the terminal does, so that the picture keeps its height."""
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def segments_table(tally: Tally) -> Table:
    """Users by segment: how many now, and how many more or fewer than before the events."""
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(justify="right")
    table.add_column()
    most = max(tally.users.values(), default=1)
    for segment in sorted(tally.names):
        users = tally.users[segment]
        moved = users - tally.users_before[segment]
        bar = ProgressBar(total=most, completed=users, width=_BAR_WIDTH)
        table.add_row(segment_text(segment, tally.names[segment]), f"{users:,} users", f"{moved:+,}", bar)
    return table
