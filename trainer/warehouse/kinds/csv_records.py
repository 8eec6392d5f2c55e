"""Reads the records of a CSV file with their line numbers, for messages about a broken file.

DuckDB reads the rows, but its messages do not always have the line and the cause.
"""

import codecs
import gzip
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from schemas.errors import BadWarehouse
from trainer.warehouse.tables.reading_rules import Csv

# DuckDB does not read a longer record.
MAX_RECORD_BYTES = 2_000_000
_BEGIN_BYTES = 65_536
_EXCELS_BYTES = 64  # enough for its line, also in UTF-32
# A first line by which Excel knows the separator.
_EXCELS_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_UNDECODED = re.compile("[\udc80-\udcff]")
# Marks at the beginning of a text that say its encoding. That of UTF-32 begins like that of UTF-16.
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# The first bytes of files that are not text.
_OTHER_FILES = {
    b"PK\x03\x04": "a ZIP or Excel file: save it as CSV",
    b"\x1f\x8b": "a gzip file: name it .csv.gz",
    b"PAR1": "a Parquet file: name it .parquet",
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


def records(path: Path, form: Csv) -> Iterator[Record]:
    """Yield the records of a file, the header first; blank lines and a line for Excel are skipped.

    Raises:
        Broken: the next record cannot be read.
        BadWarehouse: the file cannot be read, or is not text.
    """
    with opened(path) as file:
        begin = file.read(_BEGIN_BYTES)
        for magic, kind in _OTHER_FILES.items():
            if begin.startswith(magic):
                raise BadWarehouse(f"{path} is not CSV, but {kind}")
        encoding = _encoding(begin, form)
        if is_utf8(encoding) and b"\0" in begin[:4]:
            raise BadWarehouse(
                f"{path} is not CSV in UTF-8, but most likely in UTF-16 without its mark: set encoding = "
                '"utf-16-le" under [csv] in segue.toml'
            )
        file.seek(0)
        first = begin.decode(encoding, errors="replace")
        newline = "\n" if "\n" in first or "\r" not in first else "\r"
        text = io.TextIOWrapper(file, encoding=encoding, errors="surrogateescape", newline=newline)
        yield from _records(_Lines(text), form.separator)


def excels_separator(text: str) -> str | None:
    r"""The separator that the first line of a text tells Excel; None if it is no such line.

    >>> excels_separator("sep=;\r\na;b"), excels_separator("a;b")
    (';', None)
    """
    found = _EXCELS_LINE.fullmatch(next(iter(text.splitlines()), ""))
    return found if found is None else found[1]


def has_excels_line(path: Path, form: Csv) -> bool:
    """Whether the first line of a file is no header, but tells Excel the separator.

    Raises:
        BadWarehouse: the file cannot be read.
    """
    with opened(path) as file:
        begin = file.read(_EXCELS_BYTES)
    return excels_separator(begin.decode(_encoding(begin, form), errors="ignore")) is not None


def encoding_of(path: Path, form: Csv) -> str:
    """The encoding of a file: that of its mark, else the declared one.

    Raises:
        BadWarehouse: the file cannot be read.
    """
    with opened(path) as file:
        return _encoding(file.read(4), form)


def _encoding(begin: bytes, form: Csv) -> str:
    return next((encoding for mark, encoding in _MARKS.items() if begin.startswith(mark)), form.encoding)


def is_utf8(encoding: str) -> bool:
    """Whether an encoding is UTF-8, with or without a mark."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, unzipped if its name ends with ``.gz``.

    Raises:
        BadWarehouse: the file cannot be read.
    """
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            yield cast(IO[bytes], file)
    except (OSError, EOFError) as error:
        reason = isinstance(error, OSError) and error.strerror  # none where gzip finds the mistake
        raise BadWarehouse(f"{path} cannot be read: {reason or error}") from None


def _records(lines: "_Lines", separator: str) -> Iterator[Record]:
    while written := lines.next():
        first = lines.number
        if first == 1 and excels_separator(written) is not None:
            continue
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
        utf8 = is_utf8(text.encoding)
        self._encoding = "UTF-8" if utf8 else text.encoding
        self._fix = (
            'save the file as UTF-8, or set encoding = "cp1252" (or what it is) under [csv] in segue.toml'
            if utf8
            else "correct the encoding under [csv] in segue.toml, or save the file as UTF-8"
        )
        self.number = 0
        self.end = ""

    def next(self) -> str:
        """The next line with its line ending; empty at the end of the file."""
        try:
            line = self._text.readline(MAX_RECORD_BYTES + 1)
        except UnicodeDecodeError as error:
            # Bytes of ASCII that cannot stand there; the text is decoded some lines ahead.
            byte = error.object[error.start]
            raise Broken(
                f"line {self.number + 1} or a line soon after it is not {self._encoding}: the byte "
                f"0x{byte:02x} cannot stand there; {self._fix}"
            ) from None
        if not line:
            return line
        self.number += 1
        wrong = _UNDECODED.search(line)
        if wrong is not None:
            byte, before = ord(wrong[0]) - 0xDC00, line[max(0, wrong.start() - 20) : wrong.start()]
            raise Broken(
                f"line {self.number} is not {self._encoding}: the byte 0x{byte:02x} follows {before!r}; "
                f"{self._fix}"
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
