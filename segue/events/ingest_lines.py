"""Reads events from JSON lines: `{"topic": "orders", "key": "7", "value": {…}}`.

A line's value is sent without a change, byte by byte. The worker decides whether it is a valid event.
A line that cannot be sent stops the command. The error names the file and the line's number.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from schemas.errors import SegueError
from schemas.inputs.field_checks import shown
from schemas.topics import Topics
from segue.events.send_events import Outgoing

STANDARD_INPUT = "-"


class BadLine(SegueError):
    """A line in a file of events cannot be sent."""

    exit_code = 3

    def __init__(self, file: str, line: int, problem: str) -> None:
        super().__init__(f"{file}, line {line}: {problem}")
        self.file, self.line = file, line


class BadFile(SegueError):
    """A file of events cannot be read."""

    exit_code = 3


_DECODER = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SHAPE = 'a line is {"topic": "signups" or "orders", "key": the user id as text, "value": {…}}'


def check_files(files: Iterable[str]) -> None:
    """Check that all these files can be read. A command checks this before it waits for Kafka.

    Raises:
        BadFile: a file cannot be read.
    """
    for name in files:
        if name != STANDARD_INPUT and not _is_pipe(name):
            with _opened(name):
                pass


def _is_pipe(name: str) -> bool:
    """Return whether the file is a named pipe, which can be opened only once: by its reader."""
    with suppress(OSError):
        return Path(name).is_fifo()
    return False


def read_files(files: Iterable[str], topics: Topics, standard_input: BinaryIO) -> Iterator[Outgoing]:
    """Yield the events of these files, in order. Empty lines are skipped.

    Args:
        files: names of files; `-` is the standard input.
        topics: the names of the input topics.
        standard_input: the standard input, as bytes.

    Raises:
        BadLine: a line cannot be sent.
        BadFile: a file cannot be read.
    """
    for name in files:
        if name == STANDARD_INPUT:
            yield from _read_lines("standard input", standard_input, topics)
            continue
        with _opened(name) as file:
            yield from _read_lines(name, file, topics)


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    try:
        with Path(name).open("rb") as file:
            yield file
    except OSError as error:
        raise BadFile(f"the file {name} cannot be read: {error.strerror}") from None


def _read_lines(name: str, file: BinaryIO | io.BufferedReader, topics: Topics) -> Iterator[Outgoing]:
    for number, text in enumerate(file, start=1):
        line = text.removeprefix(codecs.BOM_UTF8) if number == 1 else text
        if line.strip():
            yield _parse(line, name, number, topics)


def _parse(text: bytes, name: str, number: int, topics: Topics) -> Outgoing:
    def bad(problem: str) -> BadLine:
        return BadLine(name, number, f"{problem}; {_SHAPE}")

    try:
        fields = _DECODER.decode(text)
        for field in ("topic", "key", "value"):
            if field not in fields:
                raise bad(f'it has no "{field}"')
        named, key = msgspec.json.decode(fields["topic"]), msgspec.json.decode(fields["key"])
    except UnicodeDecodeError:
        raise bad("it is not valid UTF-8") from None
    except msgspec.ValidationError:
        raise bad("it is JSON, but not an object") from None
    except msgspec.DecodeError as error:
        raise bad(f"it is not JSON ({str(error).removeprefix('JSON is malformed: ')})") from None
    by_name = {"signups": topics.signups, "orders": topics.orders}
    topic = by_name.get(named, named) if isinstance(named, str) else None
    if topic not in topics.sources:
        raise bad(f"{shown(named)} is no input topic here ({', '.join(topics.sources)})")
    if not isinstance(key, str | None):
        raise bad(f'the "key" {shown(key)} is neither text nor null')
    value = bytes(fields["value"])
    return Outgoing(
        topic=topic,
        key=None if key is None else key.encode(),
        value=None if value == b"null" else value,
        origin=f"{name}, line {number}",
    )
