"""Record the sent events: all users, and all events of a sample of users."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from schemas.input_events import Event
from tests.support.inputs.bad_events import BadRecord


class Sent:
    """A record of the sent events.

    Args:
        random: draws the sample of users.
        shop: the number of users; their ids are 0, 1, ...
        most: the largest size of the sample.

    Attributes:
        records: the number of records, with the bad ones.
        users: every user with a good event.
        facts: every good event of the sampled users, by user.
    """

    def __init__(self, random: Random, shop: int, most: int) -> None:
        self.records = 0
        self.users: set[str] = set()
        self.facts: dict[str, list[Event]] = {}
        self._looked_at = {str(user_id) for user_id in random.sample(range(shop), min(shop, most))}

    def noting(self, records: Iterable[Event | BadRecord]) -> Iterator[Event | BadRecord]:
        """Yield the same records, and record them."""
        for record in records:
            self.records += 1
            if not isinstance(record, BadRecord):
                self.users.add(record.user_id)
                if record.user_id in self._looked_at:
                    self.facts.setdefault(record.user_id, []).append(record)
            yield record
