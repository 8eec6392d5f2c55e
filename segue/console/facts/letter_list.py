"""The newest dead letters, with short keys and values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from heapq import nlargest

from msgspec import Struct

from segue.events.dead_letter_topic import DeadLetter, Selection

KEPT = 2_000
"""So many of the newest letters are kept in memory."""
MOST_BYTES = 2_000
"""Keys and values are cut to so many bytes."""


class LetterList(Struct, frozen=True):
    """Dead letters.

    Attributes:
        read_at: when the topic was read.
        count: how many letters the topic has.
        letters: the newest of them, the newest first.
    """

    read_at: datetime
    count: int
    letters: tuple[DeadLetter, ...]

    def chosen(self, selection: Selection) -> tuple[DeadLetter, ...]:
        """Return the kept letters that meet the criteria, the newest first."""
        return tuple(letter for letter in self.letters if selection.takes(letter))


def newest_letters(letters: Iterable[DeadLetter], read_at: datetime) -> LetterList:
    """Return the newest of some letters.

    Args:
        letters: the letters, in any order.
        read_at: when they were read.
    """
    count = 0

    def counted() -> Iterable[DeadLetter]:
        nonlocal count
        for letter in letters:
            count += 1
            yield replace(letter, key=_cut(letter.key), value=_cut(letter.value))

    newest = nlargest(KEPT, counted(), key=_by_time)
    return LetterList(read_at, count, tuple(newest))


def _by_time(letter: DeadLetter) -> tuple[datetime, int, int]:
    partition, _, offset = letter.place.partition(":")
    return letter.refused_at, int(partition), int(offset)


def _cut(data: bytes | None) -> bytes | None:
    """Cut bytes, but not within a character of UTF-8."""
    if data is None or len(data) <= MOST_BYTES:
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        return data[:MOST_BYTES]
    return data[:MOST_BYTES].decode(errors="ignore").encode()
