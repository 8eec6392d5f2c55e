"""Finds how a CSV file is written: its encoding and its separator."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from trainer.warehouse.kinds.csv_records import encoding_of, excels_separator, opened
from trainer.warehouse.tables.reading_rules import Csv

_SEPARATORS = (",", ";", "\t", "|")
_BEGIN_BYTES = 200_000
_CHUNK_BYTES = 1_000_000
_LINES = 50
CENTRAL_EUROPE = "cp1250"
# What Polish letters look like in Western Europe's encoding.
_SIGN_IN_WORD = re.compile(r"(?<=[^\W\d_])[¹³¿¾¼£¥¯](?=[^\W\d_])|[¹³£¥](?=[^\W\d_]{2})")
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
    if can_be(path, "ascii"):
        return form("utf-8", "utf-8"), False
    encoding = "utf-8" if can_be(path, "utf-8") else _of_8_bits(path, begin)
    return form(encoding, encoding), True


def _of_8_bits(path: Path, begin: bytes) -> str:
    """The encoding of a file that is not in UTF-8."""
    possible = [encoding for encoding in ("cp1252", CENTRAL_EUROPE) if can_be(path, encoding)]
    if possible:
        # Such as "Data z³o¿enia".
        return min(
            possible, key=lambda encoding: len(_SIGN_IN_WORD.findall(begin.decode(encoding, "ignore")))
        )
    # Every byte is a character of Latin-1, also those of Japanese.
    return "cp932" if can_be(path, "cp932") else "latin-1"


def can_be(path: Path, encoding: str) -> bool:
    """Whether all bytes of a file can be read in an encoding.

    Raises:
        BadWarehouse: the file cannot be read.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    with opened(path) as file:
        while chunk := file.read(_CHUNK_BYTES):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                return False
    return True


def word_beyond_ascii(path: Path, encoding: str) -> str:
    """The first word of a file with a character that is not ASCII; empty if there is none."""
    with opened(path) as file, io.TextIOWrapper(file, encoding=encoding, errors="replace") as text:
        return next((found[0] for line in text if (found := _BEYOND_ASCII.search(line))), "")


def separator_of(text: str) -> str:
    r"""Find the separator that gives the most lines of the same number of fields.

    >>> separator_of("a;b\n1,5;2\n"), separator_of("a,b\n"), separator_of("name\nx\n")
    (';', ',', ',')
    """
    named = excels_separator(text)
    if named is not None:
        return named
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
