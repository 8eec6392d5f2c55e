"""Reads the records of a CSV file with their line numbers, for messages about a broken file.

DuckDB reads the rows, but its messages do not always have the line and the cause.
"""

import gzip
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from schemas.errors import BadWarehouse

# DuckDB does not read a longer record.
MAX_RECORD_BYTES = 2_000_000
_BEGIN_BYTES = 65_536
_NO_UTF8 = re.compile("[\udc80-\udcff]")
# The first bytes of files that are not text in UTF-8.
_OTHER_FILES = {
    b"PK\x03\x04": "a ZIP or Excel file: save it as CSV",
    b"\x1f\x8b": "a gzip file: name it .csv.gz",
    b"PAR1": "a Parquet file: name it .parquet",
    b"\xff\xfe": "a text in UTF-16: save it as UTF-8",
    b"\xfe\xff": "a text in UTF-16: save it as UTF-8",
}


class Broken(Exception):
    """The file is not CSV from some line on; the text is a sentence without the file's name."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its first line (the first line of a file is 1), its fields, and the end of its
    last line.
    """

    line: int
    fields: list[str]
    end: str


def records(path: Path, separator: str) -> Iterator[Record]:
    """Yield the records of a file, the header first; blank lines are skipped.

    Raises:
        Broken: the next record cannot be read.
        BadWarehouse: the file cannot be read, or is not text.
    """
    with _opened(path) as file:
        begin = file.read(_BEGIN_BYTES)
        for magic, kind in _OTHER_FILES.items():
            if begin.startswith(magic):
                raise BadWarehouse(f"{path} is not CSV, but {kind}")
        file.seek(0)
        newline = "\n" if b"\n" in begin or b"\r" not in begin else "\r"
        text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline=newline)
        yield from _records(text, separator)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield cast(IO[bytes], file)
    except (OSError, EOFError) as error:
        raise BadWarehouse(f"{path} cannot be read: {error}") from None


def _records(text: io.TextIOWrapper, separator: str) -> Iterator[Record]:
    lines = _Lines(text)
    while written := lines.next():
        first = lines.number
        if '"' in written:
            fields = _quoted(lines, written, separator)
        else:
            fields = written.rstrip("\r\n").split(separator)
        if fields != [""]:
            yield Record(first, fields, lines.end)


class _Lines:
    """The checked lines of a file; ``number`` and ``end`` (its line ending) belong to the last
    line returned.
    """

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.number = 0
        self.end = ""

    def next(self) -> str:
        """The next line with its line ending; empty at the end of the file."""
        line = self._text.readline(MAX_RECORD_BYTES + 1)
        if not line:
            return line
        self.number += 1
        wrong = _NO_UTF8.search(line)
        if wrong is not None:
            byte, before = ord(wrong[0]) - 0xDC00, line[max(0, wrong.start() - 20) : wrong.start()]
            raise Broken(
                f"line {self.number} is not UTF-8: the byte 0x{byte:02x} follows {before!r}; save the file "
                "as UTF-8, for example with iconv -f latin1 -t utf-8"
            )
        if len(line.encode() if len(line) * 4 > MAX_RECORD_BYTES else line) > MAX_RECORD_BYTES:
            raise Broken(
                f"line {self.number} has more than {MAX_RECORD_BYTES:,} bytes, which no row of a shop has"
            )
        self.end = line[len(line.rstrip("\r\n")) :]
        return line


def _quoted(lines: _Lines, line: str, separator: str) -> list[str]:
    """The fields of a record with quotes; the record may continue on the next lines."""
    fields: list[str] = []
    place = 0
    while True:
        if line.startswith('"', place):
            value, line, place = _in_quotes(lines, line, place + 1)
        else:
            end = line.find(separator, place)
            end = end if end >= 0 else len(line.rstrip("\r\n"))
            value, place = line[place:end], end
        fields.append(value)
        if place == len(line) or line[place] in "\r\n":
            return fields
        if line[place] != separator:
            raise Broken(
                f"in line {lines.number} text follows a closing quote, after {line[:place][-20:]!r}: inside "
                "quotes a quote is written twice"
            )
        place += 1


def _in_quotes(lines: _Lines, line: str, place: int) -> tuple[str, str, int]:
    """The text up to the closing quote, the line with that quote, and the position after it."""
    parts: list[str] = []
    first, size = lines.number, 0
    while True:
        quote = line.find('"', place)
        if quote < 0:
            parts.append(line[place:])
            size += len(line)
            line, place = lines.next(), 0
            if not line or size > MAX_RECORD_BYTES:
                raise Broken(f"a quote that opens in line {first} is not closed: close it, or write it twice")
        elif line.startswith('"', quote + 1):
            parts.append(line[place : quote + 1])
            place = quote + 2
        else:
            parts.append(line[place:quote])
            return "".join(parts), line, quote + 1
