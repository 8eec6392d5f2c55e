"""Merges the two topics of one lane into the order in which the lane decided. Pure."""

from __future__ import annotations

from collections import deque

from segue.sink.sink_rows import Entry


class LaneMerge:
    """The records of one lane that were read and not written yet.

    ``user-segments`` alone has a bootstrap, and lacks what compaction removed; ``segment-changes`` lacks what
    its retention removed. So both are needed, in one order: else an old change could come after an erasure.
    """

    def __init__(self) -> None:
        self.changes: deque[tuple[int, Entry]] = deque()
        self.users: deque[tuple[int, Entry]] = deque()

    def __len__(self) -> int:
        return len(self.changes) + len(self.users)

    @property
    def is_one_sided(self) -> bool:
        """Whether only one topic has records here. Then the other must first be read to its end."""
        return bool(self.changes) != bool(self.users)

    def take(self, asked: int, *, changes_at_end: bool, users_at_end: bool) -> list[Entry]:
        """Remove the records whose place in the order is certain, and return them in this order.

        A record is certain if the other topic has a later record. It is also certain if the other topic was
        read to its end, and Kafka was asked for this end after the record had come.

        Args:
            asked: how often Kafka was asked for the ends of the topics. Each record has the number of its
                arrival.
            changes_at_end: whether ``segment-changes`` was read to its last known end.
            users_at_end: the same for ``user-segments``.
        """
        taken = []
        while self.changes or self.users:
            if self.changes and self.users:
                source = self.changes if self.changes[0][1].at <= self.users[0][1].at else self.users
            else:
                source, at_end = (
                    (self.changes, users_at_end) if self.changes else (self.users, changes_at_end)
                )
                if not at_end or source[0][0] >= asked:
                    break
            taken.append(source.popleft()[1])
        return taken
