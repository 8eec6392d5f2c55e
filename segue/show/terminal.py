"""Writes outputs. Data goes to standard output; sentences and progress go to standard error.

Ids, names and values come from other people. So no text is read as markup, and control characters, which
could command the terminal, are escaped. If the reader of an output is gone, as in ``segue user --all |
head``, the command ends without a message.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import accumulate
from typing import IO, Any, NoReturn, TextIO

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.rule import Rule
from rich.segment import Segment
from rich.table import Table
from rich.text import Span, Text

from schemas.printable import printable, printable_cell
from segue.show.json_line import json_line

CLOSED_PIPE = 128 + signal.SIGPIPE
"""The exit code at a closed pipe: the same as a shell reports for `cat`."""
_ANY_WIDTH = 10_000


class Output(Console):
    """A console for text from other people. It ends the command when its reader is gone."""

    def __init__(
        self, *, stderr: bool = False, width: int | None = None, file: IO[str] | None = None
    ) -> None:
        # soft_wrap keeps a sentence in one line, for programs that read it and for people who copy it.
        super().__init__(
            stderr=stderr, width=width, file=file, soft_wrap=True, highlight=False, markup=False, emoji=False
        )
        self._has_width = width is not None

    def print(self, *objects: Any, **options: Any) -> None:
        if not self._has_width and not self.file.isatty():
            objects = tuple(each if isinstance(each, str | Text) else _Whole(each) for each in objects)
        super().print(*objects, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        if isinstance(renderable, str):
            renderable = self.render_str(renderable)
        if isinstance(renderable, Text):
            renderable = _printable_text(renderable)
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)

    def on_broken_pipe(self) -> NoReturn:
        self.quiet = True
        _end_unread(sys.stderr if self.stderr else sys.stdout)


class _Whole:
    """An object for a file or a pipe: its lines are neither cut nor padded to a window's width."""

    def __init__(self, renderable: RenderableType) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if isinstance(self._renderable, Group):
            yield from map(_Whole, self._renderable.renderables)
            return
        if not isinstance(self._renderable, Rule):
            options = options.update(max_width=_ANY_WIDTH)
        for line in Segment.split_lines(console.render(self._renderable, options)):
            yield from _without_end_spaces(line)
            yield Segment.line()


def _without_end_spaces(line: list[Segment]) -> list[Segment]:
    line = list(line)
    while line:
        last = line.pop()
        if text := last.text.rstrip(" "):
            return [*line, last._replace(text=text)]
    return line


people = Output(stderr=True)
data = Output()


def moves(console: Console) -> bool:
    """Return whether animations work: not in a file, a pipe or a terminal that cannot move its cursor."""
    return console.is_interactive and console.file.isatty()


def say(sentence: str) -> None:
    """Show a sentence to people."""
    people.print(Text(sentence))


def warn(sentence: str) -> None:
    """Show a warning to people."""
    people.print(Text("Note: ", style="yellow").append(sentence, style="default"))


def complain(sentence: str) -> None:
    """Show an error to people. If standard error cannot be written, they still have the exit code."""
    with suppress(OSError):
        people.print(Text("Error: ", style="bold red").append(sentence, style="default"))


def show_whole(table: Table) -> None:
    """Show a table at its full width. A narrow window would cut its names."""
    unbounded = data.options.update(max_width=_ANY_WIDTH)
    Output(width=Measurement.get(data, unbounded, table).maximum).print(table, soft_wrap=False)


def write(*cells: str) -> None:
    """Write one line of data: cells with tabs between them."""
    _write_line("\t".join(map(printable_cell, cells)))


def write_json(value: object) -> None:
    """Write one line of JSON."""
    _write_line(json_line(value))


def write_json_of(fields: dict[str, object], name: str, items: Iterable[object]) -> None:
    """Write one line of JSON: an object with these fields and a list at its end.

    The items are written one by one, so they need not fit into memory.

    Args:
        fields: the first fields.
        name: the name of the list's field.
        items: the list's items.
    """
    begin = json_line({**fields, name: []}).removesuffix("]}")
    _write(begin)
    for number, item in enumerate(items):
        _write(f"{',' if number else ''}{json_line(item)}")
    _write_line("]}")


def _write_line(line: str) -> None:
    _write(f"{line}\n")


def _write(text: str) -> None:
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        _end_unread(sys.stdout)


def _printable_text(text: Text) -> Text:
    """Return the text with escapes, and with its styles on the same words.

    Rich measures a text and breaks it into lines later, so the escapes must be there before.
    """
    plain = printable(text.plain)
    if plain == text.plain:
        return text
    begins = list(accumulate((len(printable(character)) for character in text.plain), initial=0))
    made = text.blank_copy(plain)
    made.spans = [Span(begins[start], begins[min(end, len(text))], style) for start, end, style in text.spans]
    return made


def _end_unread(output: TextIO) -> NoReturn:
    """End the command without a message.

    The output's buffer goes to /dev/null: else Python's shutdown would fail when it flushes the buffer.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
    raise SystemExit(CLOSED_PIPE)


@contextmanager
def progress(console: Console = people) -> Iterator[Progress]:
    """Show the progress of long work at a terminal, until the block ends. Elsewhere show nothing."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.fields[note]}", markup=False),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not moves(console),
    ) as shown:
        yield shown


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows the name of each step of long work.

    At a terminal there is a spinner with the elapsed time, elsewhere one line for each step.
    """
    if not moves(people):
        yield lambda step: say(f"{step}…")
        return
    with progress() as shown:
        task = shown.add_task("", note="")
        yield lambda step: shown.update(task, description=f"{step}…")
