"""The whole ledger of the triggers, from the records of its topic."""

from __future__ import annotations

from segue.triggers.ledger_records import (
    PLACE_KEY,
    Place,
    entry_key,
    owner_of,
    read_entry,
    read_place,
    read_user,
    user_key,
)
from segue.triggers.policy import Entry, User
from streamer.in_memory import MemoryKafka


class WholeLedger:
    """The newest record of each key; ``place`` is the last place that came."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self._triggers: set[str] = set()
        self.place: Place | None = None

    def take(self, key: bytes, value: bytes | None) -> None:
        """Take a record, in the order of the topic."""
        if value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = value
            owner = owner_of(key)
            self._triggers |= {owner[0]} if owner is not None and owner[0] else set()
        if key == PLACE_KEY:
            self.place = None if value is None else read_place(value)

    def user(self, user_id: str) -> User | None:
        """Return what is known of a user."""
        value = self.values.get(user_key(user_id))
        return None if value is None else read_user(value)

    def entries(self, user_id: str) -> dict[str, Entry]:
        """Return a user's entries by trigger."""
        found = {name: self.values.get(entry_key(name, user_id)) for name in self._triggers}
        return {name: read_entry(value) for name, value in found.items() if value is not None}


def ledger_in(kafka: MemoryKafka, topic: str) -> WholeLedger:
    """Return the ledger in a topic in memory."""
    found = WholeLedger()
    for records in kafka.topics[topic].partitions:
        for record in records:
            if record.key is not None:
                found.take(record.key, record.value)
    return found
