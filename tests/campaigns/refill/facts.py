"""What was sent, on its way to Kafka: every user, and of some of them everything that was said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from schemas.input_events import Event
from tests.support.inputs.bad_events import BadRecord


class Sent:
    """Notes what passes.

    Args:
        random: draws the users who are looked at.
        shop: how many users there are, with the ids 0, 1, ...
        most: how many of them to look at; all, if there are no more.

    Attributes:
        records: how many passed, bad ones too.
        users: every user with a good event.
        facts: by user, every good event of those who are looked at.
    """

    def __init__(self, random: Random, shop: int, most: int) -> None:
        self.records = 0
        self.users: set[str] = set()
        self.facts: dict[str, list[Event]] = {}
        self._looked_at = {str(user_id) for user_id in random.sample(range(shop), min(shop, most))}

    def noting(self, records: Iterable[Event | BadRecord]) -> Iterator[Event | BadRecord]:
        """The same records."""
        for record in records:
            self.records += 1
            if not isinstance(record, BadRecord):
                self.users.add(record.user_id)
                if record.user_id in self._looked_at:
                    self.facts.setdefault(record.user_id, []).append(record)
            yield record
