"""The final contents of Kafka and Redis, in a form that compares two deployments.

No promise covers times of writing, similar users, offsets in the outputs, and a place's step and writer:
these are left out. The ids of topics and changes differ between deployments, so a name replaces each id.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import Any

import redis

from schemas.outputs.headers import ERASED_AT, TIMESTAMP_MS
from schemas.outputs.segment_change import change_id
from schemas.topics import topic_configs
from streamer.kafka.kafka_admin import Admin
from tests.support.checks.read_records import KafkaRecord, headers_of, read_topic, value_of
from tests.support.checks.stored_json import order_json, state_json
from tests.support.servers.deployment import Deployment

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The results of a run: records are rows of partition, key, value, headers; ``keys`` omits places."""

    changes: list[Row]
    users: list[Row]
    dead_letters: list[Row]
    keys: dict[str, Any]
    places: dict[str, Any]


def outcome(deployment: Deployment) -> Outcome:
    """Return the present contents of a deployment.

    Raises:
        AssertionError: a change has a wrong id or came twice, or a lane has not adopted every decision.
    """
    topics = deployment.topics
    with ThreadPoolExecutor() as readers:
        changes, users, letters = readers.map(
            read_topic, repeat(deployment.bootstrap), (topics.changes, topics.users, topics.dead_letters)
        )
    plain = _Plain({**_named(deployment), **_changes_named(deployment.prefix, changes, users)})
    held = _held(deployment)
    places = {
        key: json.loads(held.pop(key).partition(b" ")[2]) for key in sorted(held) if key.startswith("place:")
    }
    for key in [key for key in held if key.startswith("saves:")]:  # depends on the number of takeovers
        del held[key]
    _check_adopted(places, users, topics.users)
    return Outcome(
        [plain.row(message, _lasting_change) for message in changes],
        [plain.row(message, _lasting_change) for message in users],
        # Sorted, without the partition: the producer chooses it, so each lane writes to all.
        sorted((plain.row(message)[1:] for message in letters), key=repr),
        plain(held),
        {key: plain(_lasting_place(place, topics.users)) for key, place in places.items()},
    )


class _Plain:
    """Turn values into text, with names in place of ids that differ between deployments."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._pattern = re.compile("|".join(map(re.escape, names)))

    def __call__(self, value: Any) -> Any:
        match value:
            case bytes():
                return self(value.decode())
            case str():
                return self._pattern.sub(lambda found: self._names[found[0]], value)
            case dict():
                return {self(name): self(one) for name, one in value.items()}
            case list() | tuple():
                return [self(one) for one in value]
            case _:
                return value

    def row(self, message: KafkaRecord, lasting: Callable[[bytes | None], Any] = lambda value: value) -> Row:
        headers = _without(headers_of(message), TIMESTAMP_MS)
        return message.partition(), self(message.key()), self(lasting(message.value())), self(headers)


def _named(deployment: Deployment) -> dict[str, str]:
    """Return names for the ids of the topics, and the empty name for the prefix."""
    topics = topic_configs(deployment.topics)
    found = Admin({"bootstrap.servers": deployment.bootstrap}, 20).describe(topics)
    assert found.keys() == topics.keys()
    named = {
        facts.topic_id: f"the id of {topic.removeprefix(deployment.prefix)}" for topic, facts in found.items()
    }
    return {**named, deployment.prefix: ""}


def _changes_named(
    prefix: str, changes: Sequence[KafkaRecord], users: Sequence[KafkaRecord]
) -> dict[str, str]:
    """Return names for the ids of the changes; recompute each id to check it."""
    erasures: dict[str, datetime | None] = {}
    names: dict[str, str] = {}
    assert len(changes) == len(users)
    for message, beside in zip(changes, users, strict=True):
        change, erased = json.loads(value_of(message)), headers_of(beside).get(ERASED_AT)
        user_id, sequence, event_id = change["user_id"], change["sequence"], change["event_id"]
        # The id of an erasure names the life that it ends, as the ids of the changes of that life do.
        if change["kind"] != "erased":
            erasures[user_id] = None if erased is None else datetime.fromisoformat(erased.decode())
        erased_at = erasures[user_id]
        assert event_id == change_id(prefix, user_id, erased_at, sequence), change
        assert event_id not in names, f"told twice: {change}"
        names[event_id] = f"change {sequence} of {user_id} since {erased_at}"
    return names


def _held(deployment: Deployment) -> dict[str, Any]:
    """Return the value of every key of the deployment, by the key without its prefix."""
    prefix = deployment.redis_prefix
    read = {b"hash": "hgetall", b"string": "get", b"zset": "zrange"}
    with redis.Redis.from_url(deployment.redis_url, socket_timeout=60) as client:
        held = {}
        for key in client.scan_iter(f"{prefix}*", 1_000):
            kind = client.type(key)
            options = {"start": 0, "end": -1, "withscores": True} if kind == b"zset" else {}
            name = key.decode().removeprefix(prefix)
            value = getattr(client, read[kind])(key, **options)
            held[name] = _unpacked(name[5:], value) if name.startswith("user:") else value
        return held


def _unpacked(user_id: str, fields: Mapping[bytes, bytes]) -> dict[str, Any]:
    """Return a user's fields, with names in place of the packed state and orders."""
    read: dict[str, Any] = {}
    for name, value in fields.items():
        if name == b"state":
            read["state"] = state_json(value)
        elif name.startswith(b"o:"):
            read[name.decode()] = order_json(user_id, name[2:].decode(), value)
        else:
            read[name.decode()] = value
    return read


def _check_adopted(places: Mapping[str, Any], users: Sequence[KafkaRecord], topic: str) -> None:
    """Check that each place is past the last decision; transaction markers decide how far."""
    for message in users:
        assert places[f"place:{message.partition()}"]["positions"][topic] > message.offset()


def _lasting_change(value: bytes | None) -> dict[str, Any] | None:
    return None if value is None else _without(json.loads(value), "emitted_at", "similar_users")


def _lasting_place(place: dict[str, Any], users_topic: str) -> dict[str, Any]:
    """Return a place without the parts that differ between runs, and without the time of the release."""
    return {
        **_without(place, "step", "writer"),
        "positions": _without(place["positions"], users_topic),
        "sweep": _without(place["sweep"], "at"),
    }


def _without(value: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: one for name, one in value.items() if name not in names}
