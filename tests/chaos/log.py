"""What the log says of each user, once a campaign is over, and what was told of it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from confluent_kafka import Message

from schemas.events import Event
from schemas.partition import partition_of
from tests.chains import History, Lying, in_order
from tests.deployment import Deployment
from tests.records import read_topic


def histories(deployment: Deployment, written: Mapping[bytes, Event]) -> Iterator[History]:
    """Each user's events where its lane read them, and its changes.

    Args:
        written: by value, the event that each good record says.

    Raises:
        AssertionError: an event that was sent is not in the log, or a lane's changes are not in its order.
    """
    topics = deployment.topics
    tracks: dict[str, dict[str, list[Lying]]] = defaultdict(lambda: {topic: [] for topic in topics.inputs})
    found: set[bytes] = set()
    for topic in topics.inputs:
        for message in read_topic(deployment.bootstrap, topic):
            event = _event_at_home(message, written, deployment.partitions)
            if event is not None:
                tracks[event.user_id][topic].append(Lying(message.offset(), _came(message), event))
                found.add(message.value())
    lost = written.keys() - found
    assert not lost, f"{len(lost)} events are in no lane's log, the first: {next(iter(lost))!r}"
    chains: dict[str, list[dict[str, Any]]] = defaultdict(list)
    told = read_topic(deployment.bootstrap, topics.changes)
    in_order(told)
    for message in told:
        chains[message.key().decode()].append(json.loads(message.value()))
    unknown = chains.keys() - tracks.keys()
    assert not unknown, f"changes of users that no event is about: {sorted(unknown)[:5]}"
    for user_id, of_user in tracks.items():
        yield History(user_id, of_user, chains.get(user_id, []))


def _came(message: Message) -> tuple[str, int, int]:
    """Where the producer wrote a record."""
    origin = dict(message.headers() or []).get("segue_rekeyed_from")
    if origin is None:
        return message.topic(), message.partition(), message.offset()
    topic, partition, offset, _ = origin.decode().split("/")
    return topic, int(partition), int(offset)


def _event_at_home(message: Message, written: Mapping[bytes, Event], partitions: int) -> Event | None:
    """The good event of a record that lies in its user's lane."""
    event = written.get(message.value() or b"")
    return (
        event
        if event is not None and partition_of(event.user_id, partitions) == message.partition()
        else None
    )
