"""Check the promises from outside, over real topics and a real Redis.

The check does not use the product's fold, scorer or lanes: features come from
``tests.support.checks.feature_oracle``, segments from the release's own scikit-learn pipeline, records from a
plain ``read_committed`` consumer.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from schemas.input_events import Event
from schemas.topics import MODELS_CURRENT_KEY, Topics
from tests.support.checks import feature_oracle
from tests.support.checks.pipelines import pipeline_of
from tests.support.checks.read_records import KafkaRecord, headers_of, key_of, read_topic, value_of
from tests.support.checks.stored_json import state_json
from tests.support.checks.stored_users import (
    Stored,
    left_of,
    read_stored,
    standing_orders,
    wrong_fields,
    wrong_indexes,
    wrong_release,
)


@dataclass(frozen=True, slots=True)
class Expected:
    """A user's right features, and the fitted pipeline's result for them.

    ``orders``: the canonical bytes of the orders that Redis must hold, by id; None: any orders.
    """

    features: dict[str, Any]
    segment: int
    provisional: bool
    components: tuple[float, ...]
    orders: Mapping[str, bytes] | None = None


def expected_users(
    facts: Mapping[str, Sequence[Event]],
    release: Path,
    exclude: Collection[str] = (),
    *,
    min_margin: float = 0.0,
    present: Mapping[str, int] = MappingProxyType({}),
) -> dict[str, Expected]:
    """Recompute every user's final features and segment from all of the user's facts at once.

    Args:
        facts: all facts of each user.
        release: the folder of the release, with the fitted pipeline.
        min_margin: the margin by which another segment must be nearer.
        present: each user's last segment, needed with a margin.
    """
    pipeline = pipeline_of(release)
    recomputed = {user_id: feature_oracle.features(user_id, told, exclude) for user_id, told in facts.items()}
    rows = {user_id: features for user_id, features in recomputed.items() if features is not None}
    frame = pd.DataFrame(rows.values(), index=list(rows), columns=list(pipeline.known))
    return {
        user_id: Expected(
            features,
            scored.segment_from(present.get(user_id), min_margin),
            scored.provisional,
            scored.components,
            standing_orders(facts[user_id]),
        )
        for (user_id, features), scored in zip(rows.items(), pipeline.score(frame), strict=True)
    }


@dataclass(frozen=True, slots=True)
class Outcome:
    """The amounts that were checked, for tests that assert that the check was not empty."""

    users: int
    changes: int
    kinds: dict[str, int]


def verify(
    bootstrap: str,
    topics: Topics,
    redis_url: str,
    redis_prefix: str,
    expected: Mapping[str, Expected],
    gone: Collection[str] = (),
) -> Outcome:
    """Check that every user's state, every chain of changes, ``user-segments`` and Redis agree.

    Args:
        gone: erased users without a later fact.
    """
    told = read_topic(bootstrap, topics.changes)
    records = read_topic(bootstrap, topics.users)
    newest = {key_of(message): message for message in records}
    bootstrapped = _bootstrapped(records)
    chains = _chains(told, bootstrapped)
    kinds: dict[str, int] = defaultdict(int)
    for message in told:
        kinds[json.loads(value_of(message))["kind"]] += 1
    activations = _activations(bootstrap, topics.models)
    stored = read_stored(redis_url, redis_prefix)
    wrong: list[str] = []
    for user_id, right in expected.items():
        chain, record = chains.pop(user_id, []), newest.get(user_id)
        if not chain or record is None or record.value() is None:
            wrong.append(f"{user_id!r} was never told of")
            continue
        if chain[-1]["kind"] == "erased":
            wrong.append(f"{user_id!r}: the last change told is {chain[-1]}, right is {right}")
            continue
        wrong += _told_wrongly(user_id, right, chain, record)
        wrong += _stored_wrongly(user_id, right, chain, record, stored, activations)
    for user_id in gone:
        wrong += _told_of_erased(user_id, chains.pop(user_id, []), newest.get(user_id))
        wrong += left_of(user_id, stored)
    wrong += [f"{user_id!r} has changes and should not exist" for user_id in chains]
    wrong += [
        f"{user_id!r} has a record and should not exist"
        for user_id, message in newest.items()
        if user_id not in expected and message.value() is not None
    ]
    wrong += stored.strangers({*expected, *gone})
    assert not wrong, f"{len(wrong)} differences, the first: {wrong[:5]}"
    return Outcome(len(expected), len(told), dict(kinds))


def _activations(bootstrap: str, topic: str) -> dict[int, str]:
    """Return the versions of the activations that the topic of releases still has, by offset."""
    return {
        message.offset(): json.loads(value_of(message))["version"]
        for message in read_topic(bootstrap, topic)
        if message.key() == MODELS_CURRENT_KEY.encode() and message.value() is not None
    }


def _told_wrongly(
    user_id: str, right: Expected, chain: list[dict[str, Any]], record: KafkaRecord
) -> list[str]:
    wrong = []
    last, newest = chain[-1], json.loads(value_of(record))
    if (last["segment"], last["provisional"]) != (right.segment, right.provisional):
        wrong.append(f"{user_id!r}: told {last['segment']}, {last['provisional']}; right is {right}")
    if newest != last:
        wrong.append(f"{user_id!r}: user-segments says {newest}, the last change {last}")
    return wrong


def _stored_wrongly(
    user_id: str,
    right: Expected,
    chain: list[dict[str, Any]],
    record: KafkaRecord,
    stored: Stored,
    activations: Mapping[int, str],
) -> list[str]:
    fields = stored.users.get(user_id)
    if fields is None:
        return [f"{user_id!r} is not in Redis"]
    wrong = wrong_fields(user_id, fields, right.features, right.orders, chain)
    last = chain[-1]
    in_redis = (
        int(fields.get(b"segment", b"-1")),
        fields.get(b"segment_name", b"").decode(),
        fields.get(b"provisional") == b"1",
        int(fields.get(b"sequence", b"-1")),
    )
    if in_redis != (right.segment, last["segment_name"], right.provisional, last["sequence"]):
        wrong.append(f"{user_id!r}: Redis has {in_redis}, right is {right}, the last change {last}")
    position = state_json(fields.get(b"state", b"{}")).get("position")
    components = [] if position is None else position["components"]
    if len(components) != len(right.components) or any(
        abs(a - b) > 1e-9 for a, b in zip(components, right.components, strict=True)
    ):
        wrong.append(f"{user_id!r}: Redis has components {components}, right is {right.components}")
    models_topic = headers_of(record).get("segue_models_topic", b"").decode()
    wrong += wrong_release(user_id, fields, last, models_topic, activations)
    return wrong + wrong_indexes(user_id, stored, right.components, record.partition())


def _told_of_erased(user_id: str, chain: list[dict[str, Any]], record: KafkaRecord | None) -> list[str]:
    wrong = []
    if chain and chain[-1]["kind"] != "erased":
        wrong.append(f"{user_id!r} is erased, but the last change told is {chain[-1]}")
    if chain and (record is None or record.value() is not None):
        wrong.append(f"{user_id!r} is erased, but user-segments has {record and record.value()!r}")
    return wrong


def _bootstrapped(records: Sequence[KafkaRecord]) -> dict[str, dict[str, Any]]:
    """Return the bootstrap's record of each user who has one."""
    first: dict[str, dict[str, Any]] = {}
    for message in records:
        if message.value() is not None:
            change = json.loads(value_of(message))
            if change["cause"]["type"] == "bootstrap":
                first[change["user_id"]] = change
    return first


def _chains(
    told: Sequence[KafkaRecord], bootstrapped: Mapping[str, dict[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    chains: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for user_id, record in bootstrapped.items():
        chains[user_id].append(record)
    ids: set[str] = set()
    for message in told:
        change = json.loads(value_of(message))
        assert change["event_id"] not in ids, f"told twice: {change}"
        ids.add(change["event_id"])
        assert key_of(message) == change["user_id"]
        chain = chains[change["user_id"]]
        former = chain[-1] if chain and chain[-1]["kind"] != "erased" else None
        if former is None:
            assert (change["sequence"], change["previous_segment"]) == (1, None), change
        else:
            assert change["sequence"] == former["sequence"] + 1, (former, change)
            assert change["kind"] == "erased" or change["previous_segment"] == former["segment"], change
        chain.append(change)
    return dict(chains)
