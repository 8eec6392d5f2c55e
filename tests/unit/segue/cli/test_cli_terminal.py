"""What is printed: text from elsewhere gives a terminal no orders; where nobody reads, a command ends."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Literal

import pytest
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from segue.show import terminal

_PRINTS = {
    "write": "terminal.write('x')",
    "data.print": "terminal.data.print('x')",
    "show_whole": "terminal.show_whole(Table('x'))",
    "say": "terminal.say('x')",
}
_COMMANDS = {"--version": ["--version"], "--help": ["--help"], "train --help": ["train", "--help"]}


def program(prints: str) -> list[str]:
    """A command that prints so, until it is ended."""
    return [
        "-c",
        (
            "import sys; from rich.table import Table; from segue.cli import commands, main\n"
            "from segue.show import terminal\n"
            f"def forever(_):\n  while True: {prints}\n"
            "commands.write = forever; sys.argv = ['segue', '--version']; main()"
        ),
    ]


def ended(arguments: list[str], output: Literal["stdout", "stderr"], file: int) -> tuple[int, str]:
    """The exit code with this output in this file, and the text on the other output."""
    done = subprocess.run(
        [sys.executable, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=file if output == "stdout" else subprocess.PIPE,
        stderr=file if output == "stderr" else subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, (done.stdout if output == "stderr" else done.stderr)


@pytest.fixture
def unread() -> int:
    """The end of a pipe whose reader has gone, as that of `| head` goes."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize("arguments", _COMMANDS.values(), ids=list(_COMMANDS))
def test_a_command_that_nobody_reads_ends_without_a_word(arguments: list[str], unread: int) -> None:
    assert ended(["-m", "segue", *arguments], "stdout", unread) == (141, "")


@pytest.mark.parametrize("prints", list(_PRINTS))
def test_every_way_of_printing_ends_so(prints: str, unread: int) -> None:
    output: Literal["stdout", "stderr"] = "stderr" if prints == "say" else "stdout"

    assert ended(program(_PRINTS[prints]), output, unread) == (141, "")


@pytest.mark.parametrize("prints", ["write", "data.print"])
def test_a_full_disk_is_no_bug(prints: str) -> None:
    with Path("/dev/full").open("wb") as full:
        assert ended(program(_PRINTS[prints]), "stdout", full.fileno()) == (
            74,
            "Error: nothing can be written any more: No space left on device\n",
        )


HOSTILE = "7\x1b[2J\x9b31m\u202e\ud83d[/sale] [red]X[/red] :heart:"
ESCAPED = r"7\x1b[2J\x9b31m\u202e\ud83d[/sale] [red]X[/red] :heart:"


def shown(renderable: RenderableType, width: int = 100) -> str:
    output = terminal.Output(file=io.StringIO(), width=width)
    output.print(renderable)
    assert isinstance(output.file, io.StringIO)
    return output.file.getvalue()


def a_table(*cells: RenderableType) -> Table:
    table = Table(box=None)
    for _ in cells:
        table.add_column(HOSTILE)
    table.add_row(*cells)
    return table


@pytest.mark.parametrize(
    "renderable",
    [HOSTILE, Text(HOSTILE), a_table(HOSTILE), a_table(Text(HOSTILE)), Group(Panel(Text(HOSTILE)))],
    ids=["a text", "Rich's text", "in a table", "Rich's text in a table", "in a panel"],
)
def test_text_from_elsewhere_is_escaped_and_no_markup(renderable: RenderableType) -> None:
    told = shown(renderable)

    assert "".join(ESCAPED.split()) in "".join(told.split())
    assert not {mark for mark in told if unicodedata.category(mark) in ("Cc", "Cf", "Cs")} - {"\n"}


LONG = " ".join(f"word{number}" for number in range(60))


def piped(renderable: RenderableType) -> list[str]:
    output = terminal.Output(file=io.StringIO())
    output.print(renderable)
    assert isinstance(output.file, io.StringIO)
    return output.file.getvalue().removesuffix("\n").split("\n")


@pytest.mark.parametrize(
    "renderable",
    [Text(LONG), Padding(Text(LONG), (0, 0, 0, 3)), Table.grid(), Padding(Group(LONG), 0)],
    ids=["text", "padded", "a table", "padded group"],
)
def test_a_pipe_takes_whole_lines(renderable: RenderableType) -> None:
    if isinstance(renderable, Table):
        renderable.add_row("first", Text(LONG, no_wrap=True, overflow="ellipsis"))
    (line,) = piped(renderable)
    assert line.endswith(LONG)


def test_a_pipe_takes_no_spaces_at_the_end_of_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    table = Table.grid(padding=(0, 2))
    table.add_row("a", Text("short", style="bold"))
    table.add_row("b", LONG)
    table.add_row("c", "")

    assert piped(Group(Rule("What", align="left"), table))[1:] == ["a  short", f"b  {LONG}", "c"]
    assert len(piped(Rule("What", align="left"))[0]) == 80


def test_what_is_escaped_is_broken_into_lines_and_not_cut() -> None:
    assert "".join(shown(a_table(Text(HOSTILE, overflow="fold")), width=12).split()).endswith(
        "".join(ESCAPED.split())
    )


def test_styles_stay_where_they_were() -> None:
    text = Text("a\x1bb", style="bold").append("c", style="red")

    (line,) = terminal.Output(file=io.StringIO()).render_lines(text, pad=False)

    assert [(segment.text, str(segment.style)) for segment in line] == [
        (r"a\x1bb", "bold"),
        ("c", "bold red"),
    ]


def test_cells_of_a_line_hold_neither_tabs_nor_ends_of_lines(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.write("a\tb", f"c\n{HOSTILE}")

    assert capsys.readouterr().out == f"a\\tb\tc\\n{ESCAPED}\n"


def test_json_means_what_it_meant(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"id": HOSTILE.replace("\ud83d", "é\n")}

    terminal.write_json(value)

    told = capsys.readouterr().out
    assert json.loads(told) == value
    assert "é" in told
    assert not {mark for mark in told if unicodedata.category(mark) in ("Cc", "Cf")} - {"\n"}


@pytest.mark.parametrize("items", [[], [{"id": "7"}], [{"id": "a\x1b"}, {"id": "]}"}, [1, None]]])
def test_a_list_that_is_written_item_by_item_is_the_list(
    items: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.write_json({"users": 2, "differing": items})
    terminal.write_json_of({"users": 2}, "differing", iter(items))
    whole, parts = capsys.readouterr().out.splitlines()
    assert parts == whole
