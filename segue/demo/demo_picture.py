"""The demo's picture: progress, the latest changes, the segments, the dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import ConsoleDimensions, Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from schemas.outputs.segment_change import Change
from segue.demo.tally import BY_TIME, KINDS
from segue.show.change_text import change_text, segment_colour, segment_text

MOST_CHANGES = 5
_LINES_A_CHANGE = 2
_BORDERS = 2
_BAR_WIDTH = 30
_NARROWEST_BAR = 8
_PROGRESS_WORDS, _SEGMENT_WORDS = 32, 56
"""The columns that the words of a usual line take; a bar gets the rest."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The content of one picture; it never changes.

    Attributes:
        seconds: the time since the first event.
        total, sent: how many events there are, and how many have been sent.
        kinds: the number of changes of each kind.
        names: the segments' names by id.
        users, users_before: how many users each segment has now, and had before the events.
        latest: the latest changes, the newest first.
        dead_letters: the reason of each dead letter.
    """

    seconds: float
    total: int
    sent: int
    kinds: Counter[str]
    names: Mapping[int, str]
    users: Counter[int]
    users_before: Counter[int]
    latest: tuple[Change, ...]
    dead_letters: tuple[str, ...]


def picture(moment: Moment, size: ConsoleDimensions) -> Group:
    """Draw the picture in the size of the terminal; longer lines are cut."""
    progress = _progress(moment, size.width)
    segments = segments_table(moment.names, moment.users, moment.users_before, size.width)
    letters = [_cut(Text(f"dead letter: {reason}", style="red")) for reason in moment.dead_letters]
    left = size.height - 1 - len(progress) - segments.row_count - len(letters) - _BORDERS
    shown = max(1, min(MOST_CHANGES, left // _LINES_A_CHANGE))
    return Group(*progress, _changes(moment.latest[:shown], shown), segments, *letters)


def segments_table(
    names: Mapping[int, str], users: Counter[int], users_before: Counter[int], width: int
) -> Table:
    """Make a table of the segments: the users now, and the difference to before the events.

    Args:
        names: the segments' names by id.
        users: the number of users of each segment now.
        users_before: the number of users of each segment before the events.
        width: the terminal's width in columns; the bars take the columns that the words leave.
    """
    table = Table.grid(padding=(0, 2))
    table.add_column()
    for _ in range(3):
        table.add_column(justify="right", no_wrap=True)
    most = max(users.values(), default=1)
    for segment in sorted(names):
        now = users[segment]
        cells: list[RenderableType] = [
            _cut(segment_text(segment, names[segment])),
            f"{now:,} users",
            f"{now - users_before[segment]:+,}",
        ]
        if width - _SEGMENT_WORDS >= _NARROWEST_BAR:
            cells.append(_bar(now, most, segment_colour(segment), width - _SEGMENT_WORDS))
        table.add_row(*cells)
    return table


def _progress(moment: Moment, width: int) -> list[Table | Text]:
    line = Table.grid(padding=(0, 2))
    for _ in range(3):
        line.add_column(no_wrap=True)
    line.add_row(
        _bar(moment.sent, moment.total, "default", width - _PROGRESS_WORDS),
        f"{moment.sent:,} of {moment.total:,} events",
        f"{moment.seconds:.0f} s",
    )
    counts = ", ".join(f"{moment.kinds[kind]:,} {kind}" for kind in KINDS if moment.kinds[kind])
    by_time = moment.kinds[BY_TIME]
    apart = [_cut(Text(f"{by_time:,} moved because time passed, without an event"))] if by_time else []
    return [line, _cut(Text(counts)), *apart]


def _changes(latest: tuple[Change, ...], shown: int) -> Panel:
    lines = [line for change in latest for line in change_text(change).split("\n")]
    return Panel(
        Group(*map(_cut, lines)),
        title="the latest changes",
        title_align="left",
        border_style="dim",
        height=_LINES_A_CHANGE * shown + _BORDERS,
    )


def _bar(part: int, whole: int, colour: str, room: int) -> ProgressBar:
    return ProgressBar(
        total=whole,
        completed=part,
        width=max(_NARROWEST_BAR, min(_BAR_WIDTH, room)),
        style="bright_black",
        complete_style=colour,
        finished_style=colour,
    )


def _cut(line: Text) -> Text:
    """Cut a line at the end of the terminal, so that the picture keeps its height."""
    line.no_wrap, line.overflow = True, "ellipsis"
    return line
