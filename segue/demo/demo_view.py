"""The display during the demo: a live picture on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from collections import deque
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from schemas.outputs.segment_change import Change
from segue.demo.demo_picture import MOST_CHANGES, Moment, picture
from segue.demo.tally import Tally
from segue.show.change_text import change_text
from segue.show.terminal import moves

_PICTURES_A_SECOND = 5
_PLAIN_EVERY_S = 1.0


class View:
    """An :class:`~segue.demo.stage.Audience` that counts and shows. Threads may share it.

    Args:
        console: where it shows the picture.
        tally: takes the counts.
        total: how many events will be sent.
    """

    def __init__(self, console: Console, tally: Tally, total: int) -> None:
        self._console = console
        self._tally = tally
        self._total = total
        self._latest: deque[Change] = deque(maxlen=MOST_CHANGES)
        self._began = time.monotonic()
        self._plain_due = self._began
        # Rich draws in another thread. It gets a copy, made under this lock.
        self._counting = threading.Lock()
        self._live = (
            Live(
                get_renderable=lambda: picture(self._moment(), console.size),
                console=console,
                refresh_per_second=_PICTURES_A_SECOND,
                transient=True,
            )
            if moves(console)
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
        with self._counting:
            self._tally.sent = events

    def change(self, change: Change) -> None:
        with self._counting:
            self._tally.change(change)
            self._latest.append(change)
        if self._live is None and time.monotonic() >= self._plain_due:
            # Print at most one change a second: more lines could not be read.
            self._plain_due = time.monotonic() + _PLAIN_EVERY_S
            self._console.print(change_text(change))

    def dead_letter(self, reason: str) -> None:
        with self._counting:
            self._tally.dead_letters.append(reason)
        if self._live is None:
            self._console.print(Text(f"dead letter: {reason}"))

    def _moment(self) -> Moment:
        tally = self._tally
        with self._counting:
            return Moment(
                seconds=time.monotonic() - self._began,
                total=self._total,
                sent=tally.sent,
                kinds=tally.kinds.copy(),
                names=tally.names,
                users=tally.users.copy(),
                users_before=tally.users_before.copy(),
                latest=tuple(reversed(self._latest)),
                dead_letters=tuple(tally.dead_letters),
            )
