"""Each user's events and changes in the log, at the end of a campaign."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from schemas.input_events import Event
from schemas.partitioner import partition_of
from tests.campaigns.chaos.past import Past
from tests.campaigns.chaos.remakes import Remakes
from tests.support.checks.chains import History, Lying, in_order
from tests.support.checks.read_records import KafkaRecord, headers_of, key_of, read_topic, value_of
from tests.support.servers.deployment import Deployment

_NO_PAST = Past()


def histories(
    deployment: Deployment,
    written: Mapping[bytes, Event],
    past: Past = _NO_PAST,
    remakes: Remakes | None = None,
) -> Iterator[History]:
    """Yield each user's events at the places where the lane read them, and the user's changes.

    Args:
        written: the event of each good record, by the value of the record.
        past: the facts that a bootstrap took from a warehouse.
        remakes: the topics that were deleted and created again.

    Raises:
        AssertionError: a sent event is not in the log, or a lane's changes are out of order.
    """
    topics = deployment.topics
    tracks: dict[str, dict[str, list[Lying]]] = defaultdict(lambda: {topic: [] for topic in topics.inputs})
    found: set[bytes] = set()
    for topic in topics.inputs:
        log = _as_it_is(deployment, topic) if remakes is None else remakes.log(topic)
        for offset, message in log:
            event = _event_at_home(message, written, deployment.partitions)
            if event is None:
                continue
            found.add(value_of(message))
            if offset >= past.since.get((topic, message.partition()), 0):
                tracks[event.user_id][topic].append(Lying(offset, _came(message), event))
    lost = written.keys() - found
    assert not lost, f"{len(lost)} events are in no lane's log, the first: {next(iter(lost))!r}"
    chains: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for user_id, record in bootstrap_records(deployment).items():
        chains[user_id].append(record)
    told = []
    for message in read_topic(deployment.bootstrap, topics.changes):
        change, lane, at = json.loads(value_of(message)), message.partition(), message.offset()
        if remakes is not None:
            change["cause"]["positions"] = remakes.positions(change["cause"]["positions"], lane, at)
        told.append((lane, at, change["cause"]["positions"]))
        chains[key_of(message)].append(change)
    in_order(told)
    known = {*tracks, *past.facts}
    unknown = chains.keys() - known
    assert not unknown, f"changes of users that no event is about: {sorted(unknown)[:5]}"
    for user_id in known:
        yield History(user_id, tracks[user_id], chains.get(user_id, []), past.of(user_id))


def bootstrap_records(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """Return the bootstrap's records in ``user-segments``, by user."""
    records = [
        json.loads(value_of(message))
        for message in read_topic(deployment.bootstrap, deployment.topics.users)
        if message.value() is not None
    ]
    return {
        record["user_id"]: record for record in records if record.get("cause", {}).get("type") == "bootstrap"
    }


def present_segments(deployment: Deployment) -> dict[str, int]:
    """Return each user's present segment in ``user-segments``."""
    newest = {
        key_of(message): message.value()
        for message in read_topic(deployment.bootstrap, deployment.topics.users)
    }
    return {user_id: json.loads(value)["segment"] for user_id, value in newest.items() if value is not None}


def _as_it_is(deployment: Deployment, topic: str) -> Iterator[tuple[int, KafkaRecord]]:
    for message in read_topic(deployment.bootstrap, topic):
        yield message.offset(), message


def _came(message: KafkaRecord) -> tuple[str, int, int]:
    """Return the place where the producer wrote a record, also if the record was re-keyed."""
    origin = headers_of(message).get("segue_rekeyed_from")
    if origin is None:
        return message.topic(), message.partition(), message.offset()
    topic, partition, offset, _ = origin.decode().split("/")
    return topic, int(partition), int(offset)


def _event_at_home(message: KafkaRecord, written: Mapping[bytes, Event], partitions: int) -> Event | None:
    """Return the good event of a record in its user's lane; None for other records."""
    event = written.get(message.value() or b"")
    return (
        event
        if event is not None and partition_of(event.user_id, partitions) == message.partition()
        else None
    )
