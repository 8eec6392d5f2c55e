"""What people see. Data goes to standard output; sentences and progress go to standard error.

Where the reader of an output has gone, as in ``segue user --all | head``, the command ends without a word.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TextIO

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

CLOSED_PIPE = 128 + signal.SIGPIPE
"""The exit code at a closed pipe, which a shell reports of `cat`, too."""
_ANY_WIDTH = 10_000


class _Output(Console):
    """A console that ends the command where nobody reads it any more."""

    def on_broken_pipe(self) -> NoReturn:
        self.quiet = True
        _end_unread(sys.stderr if self.stderr else sys.stdout)


# soft_wrap: a sentence stays one line where it is read by a program, or copied.
people = _Output(stderr=True, highlight=False, soft_wrap=True)
data = _Output(highlight=False, soft_wrap=True)


def moves(console: Console) -> bool:
    """Whether a picture can move there: not in a file, a pipe, or a terminal that cannot move its cursor."""
    return console.is_interactive and console.file.isatty()


def say(sentence: str) -> None:
    """Tell people something; nothing in it is taken for markup."""
    people.print(Text(sentence))


def warn(sentence: str) -> None:
    """Tell people something that they should look at."""
    people.print(Text("Note: ", style="yellow").append(sentence, style="default"))


def complain(sentence: str) -> None:
    """Tell people what went wrong."""
    people.print(Text("Error: ", style="bold red").append(sentence, style="default"))


def show_whole(table: Table) -> None:
    """Show a table at its full width: cut to a narrow window, its names would be of no use."""
    unbounded = data.options.update(max_width=_ANY_WIDTH)
    _Output(width=Measurement.get(data, unbounded, table).maximum, highlight=False).print(table)


def write(line: str) -> None:
    """Write one line of data."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        _end_unread(sys.stdout)


def _end_unread(output: TextIO) -> NoReturn:
    """End the command. What is left in the output's buffer goes nowhere, so that Python can end, too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
    raise SystemExit(CLOSED_PIPE)


@contextmanager
def progress(console: Console = people) -> Iterator[Progress]:
    """How far long work has come, gone when it is done; where there is no terminal, nothing."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not moves(console),
    ) as shown:
        yield shown


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Takes the name of each step of long work: a spinner with the time so far at a terminal, else a line for each."""
    if not moves(people):
        yield lambda step: say(f"{step}…")
        return
    with progress() as shown:
        task = shown.add_task("", note="")
        yield lambda step: shown.update(task, description=escape(f"{step}…"))
