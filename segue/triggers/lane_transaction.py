"""One transaction of a lane: records of the ledger, dead letters, and the group's offset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from schemas.outputs.headers import OFFSET, PARTITION, REASON, TOPIC
from schemas.topics import Topics
from segue.triggers import ledger_records
from segue.triggers.file.trigger_file import Triggers
from segue.triggers.ledger import Ledger
from segue.triggers.ledger_records import Place
from segue.triggers.pending_changes import Pending
from segue.triggers.policy import Entry
from segue.triggers.webhook_post import webhook_id
from streamer.interfaces.lane_interfaces import Log, OutRecord

TRIGGER = "segue_trigger"
"""The header of a dead letter with the trigger's name; its key is the webhook's id."""
_COUNTED = {"send": "sent"}


class Transaction:
    """Collects the records of one transaction, and commits them.

    Args:
        known: the committed ledger; it holds the users of the changes, and takes the records over.
        topics: the names of the topics.
        triggers: the file of triggers.
        partition: the partition of all records.
    """

    def __init__(self, known: Ledger, topics: Topics, triggers: Triggers, partition: int) -> None:
        self._ledger = known
        self._topics = topics
        self._triggers = triggers
        self._partition = partition
        self._letters: dict[bytes, OutRecord] = {}
        self.writes: dict[bytes, bytes | None] = {}
        """The records of the ledger, by key."""

    def settle(self, pending: Pending) -> None:
        """Add the records of one finished change."""
        user_id, decided = pending.change.user_id, pending.decided
        if decided.user is None:
            for name, entry in self._entries(user_id).items():
                self.writes[ledger_records.entry_key(name, user_id)] = None
                for letter in entry.dead_letters:
                    self._add_letter(letter.encode(), None, ())
            self.writes[ledger_records.user_key(user_id)] = None
        else:
            entries = self._entries(user_id) if decided.entries else {}
            for name, entry in decided.entries.items():
                former = entries.get(name)
                dead = () if former is None else former.dead_letters
                if name in pending.given_up:
                    dead = (*dead, webhook_id(name, pending.change))
                    entry = replace(entry, outcome="dead_letter")  # noqa: PLW2901
                self.writes[ledger_records.entry_key(name, user_id)] = ledger_records.encode(
                    replace(entry, dead_letters=dead)
                )
            self.writes[ledger_records.user_key(user_id)] = ledger_records.encode(decided.user)
        for name, reason in pending.given_up.items():
            record = pending.record
            headers = (
                (TRIGGER, name.encode()),
                (REASON, reason.encode()),
                (TOPIC, record.topic.encode()),
                (PARTITION, b"%d" % record.partition),
                (OFFSET, b"%d" % record.offset),
            )
            self._add_letter(webhook_id(name, pending.change).encode(), record.value, headers)

    def commit(self, kafka: Log, positions: Mapping[str, int]) -> None:
        """Write all records, and the group's offsets by topic; then the ledger takes them over.

        Raises:
            InDoubt, Unreachable: the transaction or the ledger's copy is in doubt; take over again.
        """
        records = [
            OutRecord(self._topics.trigger_ledger, key, value, (), self._partition)
            for key, value in self.writes.items()
        ]
        written = kafka.commit([*records, *self._letters.values()], positions)
        self._ledger.apply(self.writes, written[self._topics.trigger_ledger])

    def _entries(self, user_id: str) -> dict[str, Entry]:
        """Return the user's entries after the records so far."""
        found = self._ledger.entries(user_id)
        for name in [*found, *(each.name for each in self._triggers.triggers)]:
            key = ledger_records.entry_key(name, user_id)
            if key in self.writes:
                value = self.writes[key]
                found.pop(name, None)
                if value is not None:
                    found[name] = ledger_records.read_entry(value)
        return found

    def _add_letter(self, key: bytes, value: bytes | None, headers: tuple[tuple[str, bytes], ...]) -> None:
        topic = self._topics.trigger_dead_letters
        self._letters[key] = OutRecord(topic, key, value, headers, self._partition)


def place_after(place: Place, done: Sequence[Pending]) -> Place:
    """Return the place past these finished changes, with their outcomes in the counts.

    Args:
        place: the place before them.
        done: at least one change, in the order of the partition.
    """
    counts = {name: Counter(found) for name, found in place.counts.items()}
    for pending in done:
        for name, outcome in pending.decided.outcomes.items():
            what = "dead_letter" if name in pending.given_up else _COUNTED.get(str(outcome), str(outcome))
            counts.setdefault(name, Counter())[what] += 1
    return replace(
        place,
        offset=done[-1].record.offset + 1,
        changes=place.changes + len(done),
        counts={name: dict(sorted(found.items())) for name, found in sorted(counts.items())},
    )
