"""Reads from the ledger who got a trigger's webhook, who was held out, and since when."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from schemas.errors import BadTopics
from segue.config.settings import Settings
from segue.connect.kafka_access import DEADLINE_S, patiently
from segue.connect.read_topics import CommittedReader
from segue.connect.wait_for_servers import answer_s
from segue.triggers.file.trigger_file import Trigger
from segue.triggers.ledger_records import read_entry
from segue.triggers.policy import held_out
from streamer.kafka.kafka_admin import Admin

_POLL_S = 0.2


class Assigned(Struct, frozen=True):
    """A user whose change met all other rules of a trigger.

    Attributes:
        user_id: the user.
        at: when the trigger first acted on the user.
        held_out: whether the user was held out then.
        dead: whether the user's last webhook became a dead letter.
    """

    user_id: str
    at: datetime
    held_out: bool
    dead: bool = False


class Assignments(Struct, frozen=True):
    """The users of a trigger; ``regrouped`` counts those left out, whose group changed or is not the file's.

    A user's group changes if the holdout is changed in the file: then the user may have had the webhook, and
    the days after the first act say nothing of it.
    """

    users: tuple[Assigned, ...]
    regrouped: int


def read_entries(settings: Settings, triggers: Collection[str]) -> dict[bytes, bytes]:
    """Return the newest entries of some triggers by key, of all partitions.

    The rest of a large ledger would fill the memory for nothing.

    Args:
        settings: name the Kafka and the topics.
        triggers: the names of the triggers.

    Raises:
        BadTopics: there is no ledger.
        Unreachable: Kafka does not answer.
    """
    topic = settings.topics.trigger_ledger
    deadline_s = answer_s(DEADLINE_S)
    if not patiently(settings, lambda: Admin(settings.kafka_client, deadline_s).describe_settled([topic])):
        raise BadTopics(
            f"there is no topic {topic} at {settings.kafka}: start `segue triggers run`, which makes it, or"
            " correct topic_prefix"
        )
    reader = CommittedReader(settings.kafka_client, [topic], from_beginning=True)
    found: dict[bytes, bytes] = {}
    try:
        ends = reader.ends()
        while not reader.has_reached(ends):
            message = reader.poll(_POLL_S)
            key = None if message is None else message.key()
            if message is None or key is None or not _is_entry_of(_bytes(key), triggers):
                continue
            value = message.value()
            if value is None:
                found.pop(_bytes(key), None)
            else:
                found[_bytes(key)] = _bytes(value)
    finally:
        reader.close()
    return found


def assignments_of(trigger: Trigger, ledger: Iterable[tuple[bytes, bytes]]) -> Assignments:
    """Return the users of a trigger.

    Args:
        trigger: the trigger.
        ledger: the ledger's records, key and value.
    """
    users: list[Assigned] = []
    regrouped = 0
    for user_id, value in _entries(trigger.name, ledger):
        entry = read_entry(value)
        out = entry.outcome == "held_out"
        if not entry.regrouped and out == held_out(trigger.name, user_id, trigger.holdout):
            users.append(Assigned(user_id, entry.first_at, out, entry.outcome == "dead_letter"))
        else:
            regrouped += 1
    return Assignments(tuple(sorted(users, key=lambda user: user.user_id)), regrouped)


def _is_entry_of(key: bytes, triggers: Collection[str]) -> bool:
    """Whether a record of the ledger is an entry of one of these triggers."""
    name, slash, _ = key.partition(b"/")
    return bool(slash) and name.decode() in triggers


def _entries(name: str, ledger: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[str, bytes]]:
    prefix = f"{name}/".encode()
    for key, value in ledger:
        if key.startswith(prefix):
            yield key.removeprefix(prefix).decode(), value


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
