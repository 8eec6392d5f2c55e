"""What people see. Data goes to standard output; sentences and progress go to standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

# soft_wrap: a sentence stays one line where it is read by a program, or copied.
people = Console(stderr=True, highlight=False, soft_wrap=True)
data = Console(highlight=False, soft_wrap=True)

_ANY_WIDTH = 10_000


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
    Console(width=Measurement.get(data, unbounded, table).maximum, highlight=False).print(table)


def write(line: str) -> None:
    """Write one line of data."""
    print(line, flush=True)


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
        disable=not console.is_terminal,
    ) as shown:
        yield shown


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Takes the name of each step of long work: a spinner with the time so far at a terminal, else a line for each."""
    if not people.is_terminal:
        yield lambda step: say(f"{step}…")
        return
    with progress() as shown:
        task = shown.add_task("", note="")
        yield lambda step: shown.update(task, description=escape(f"{step}…"))
