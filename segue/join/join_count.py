"""What a lane of `segue join` has done since its process began."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from schemas.counted import counted


class JoinCount(Struct, frozen=True):
    """Counts of one lane.

    Attributes:
        rows: the records of the two tables that were read.
        versions: the versions of orders that were written.
        letters: the dead letters that were written.
    """

    rows: int = 0
    versions: int = 0
    letters: int = 0

    def plus(self, *, rows: int = 0, versions: int = 0, letters: int = 0) -> JoinCount:
        """Return the counts with these added."""
        return JoinCount(self.rows + rows, self.versions + versions, self.letters + letters)


def count_text(counts: Iterable[JoinCount]) -> str:
    """Say what several lanes have done.

    >>> count_text([JoinCount(rows=3), JoinCount(versions=1)])
    'Read 3 rows, and wrote 1 version of orders and 0 dead letters.'
    """
    all_lanes = JoinCount()
    for each in counts:
        all_lanes = all_lanes.plus(rows=each.rows, versions=each.versions, letters=each.letters)
    versions = counted(all_lanes.versions, "version")
    letters = counted(all_lanes.letters, "dead letter")
    return f"Read {counted(all_lanes.rows, 'row')}, and wrote {versions} of orders and {letters}."
