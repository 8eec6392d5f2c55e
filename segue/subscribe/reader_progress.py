"""Keeps how far a reader is: first in its memory, then in the offsets of its group."""

from __future__ import annotations

from collections.abc import Callable

from segue.subscribe.reader_memory import Reached, ReaderMemory

_SAVE_S = 1.0


class ReaderProgress:
    """Holds a group's offsets back until the memory is saved.

    An offset of the group beyond the memory means that another reader has gone on, and then the memory
    forgets its users. A crash must not leave such an offset.

    Args:
        memory: what the reader has taken.
        store: called with a partition and its next offset, which it keeps for the group.
    """

    def __init__(self, memory: ReaderMemory, store: Callable[[int, int], None]) -> None:
        self._memory = memory
        self._store = store
        self._waiting: dict[int, int] = {}
        self._saved_s = 0.0

    def reach(self, partition: int, offset: int) -> None:
        """Keep the next offset of a partition, with the next :meth:`save`."""
        self._memory.reach(partition, Reached(offset))
        self._waiting[partition] = offset

    def save(self) -> None:
        """Make the memory last, and then store the offsets.

        Raises:
            BadSetting: the memory's file cannot be written.
        """
        self._memory.save()
        while self._waiting:
            self._store(*self._waiting.popitem())

    def save_each_second(self, now_s: float) -> None:
        """Save at most once a second. Call this for each record that the program does not get.

        Args:
            now_s: the present time in seconds, of any clock that never goes back.
        """
        if now_s - self._saved_s >= _SAVE_S:
            self._saved_s = now_s
            self.save()
