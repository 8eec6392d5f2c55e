"""Finds how a CSV file is written: its encoding and its separator."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from trainer.warehouse.kinds.csv_records import encoding_of, is_utf8, opened
from trainer.warehouse.tables.reading_rules import Csv

_SEPARATORS = (",", ";", "\t", "|")
_BEGIN_BYTES = 200_000
_CHUNK_BYTES = 1_000_000
_LINES = 50
_BEYOND_ASCII = re.compile(r"[^\s,;|\"]*[^\s\x00-\x7f][^\s,;|\"]*")


def csv_form(path: Path, declared: Mapping[str, str]) -> tuple[Csv, bool]:
    """Find how a file is written.

    Args:
        path: the file.
        declared: the separator and the encoding, as far as the settings name them.

    Returns:
        The form, and whether the file shows its encoding: not if it has only ASCII, or a mark at its
        beginning.

    Raises:
        BadWarehouse: the file cannot be read.
    """
    marked = encoding_of(path, Csv())
    named = declared.get("encoding")
    with opened(path) as file:
        begin = file.read(_BEGIN_BYTES)

        def form(encoding: str, kept: str) -> Csv:
            text = begin.decode(encoding, errors="replace")
            return Csv(declared.get("separator") or separator_of(text), encoding=kept)

        if marked != Csv().encoding:
            return form(marked, Csv().encoding), False
        if named is not None:
            return form(named, named), True
        encodings = {encoding: codecs.getincrementaldecoder(encoding)() for encoding in ("utf-8", "cp1252")}
        ascii_only, chunk = True, begin
        while chunk:
            ascii_only = ascii_only and chunk.isascii()
            for encoding in list(encodings):
                try:
                    encodings[encoding].decode(chunk)
                except UnicodeDecodeError:
                    del encodings[encoding]
            chunk = file.read(_CHUNK_BYTES)
    # Every byte is a character of Latin-1.
    encoding = next(iter(encodings), "latin-1")
    return form(encoding, "utf-8" if is_utf8(encoding) else encoding), not ascii_only


def word_beyond_ascii(path: Path, encoding: str) -> str:
    """The first word of a file with a character that is not ASCII; empty if there is none."""
    with opened(path) as file, io.TextIOWrapper(file, encoding=encoding, errors="replace") as text:
        return next((found[0] for line in text if (found := _BEYOND_ASCII.search(line))), "")


def separator_of(text: str) -> str:
    r"""Find the separator that gives the most lines of the same number of fields.

    >>> separator_of("a;b\n1,5;2\n"), separator_of("a,b\n"), separator_of("name\nx\n")
    (';', ',', ',')
    """
    lines = text.splitlines()[: _LINES + 1]
    # The last line may be cut.
    lines = lines[:-1] if len(lines) > _LINES else lines
    return max(_SEPARATORS, key=lambda separator: _fit(lines, separator))


def _fit(lines: Sequence[str], separator: str) -> tuple[float, int]:
    try:
        counts = [len(fields) for fields in csv.reader(lines, delimiter=separator) if fields]
    except csv.Error:
        return 0.0, 0
    if not counts or counts[0] < 2:
        return 0.0, 0
    same = Counter(counts)[counts[0]]
    return round(same / len(counts), 2), counts[0]
