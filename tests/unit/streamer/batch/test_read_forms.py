"""Batches of records in other systems' forms: events, dead letters, and what is passed over."""

import json

import pytest
from msgspec.structs import replace

from schemas.features import beyond_default
from schemas.inputs.forms.event_form import EventForms
from schemas.outputs.headers import REASON
from schemas.topics import Topics
from streamer.batch.read_batch import MAX_AHEAD, Batch, read_batch
from streamer.interfaces.lane_interfaces import Record
from streamer.place.place import FoldSettings
from tests.support.inputs.event_samples import EVENTS, FEATURES, PASSED_OVER, Sample

TOPICS = Topics(rekey=True)
# 2024-06-01, after all samples.
NOW_MS = 1_717_200_000_000
# 2020-09-13, long before all samples.
AHEAD_MS = 1_600_000_000_000


def read(samples: list[Sample], forms: EventForms | None = None, at_ms: int = NOW_MS) -> Batch:
    settings = FoldSettings(
        1,
        declared=beyond_default(FEATURES),
        rekey=True,
        events=forms or samples[0].forms,
    )
    records = [
        Record(getattr(TOPICS, sample.topic), 0, number, sample.key, sample.value, at_ms)
        for number, sample in enumerate(samples)
    ]
    return read_batch(records, dict.fromkeys(TOPICS.inputs, 0), TOPICS, settings, MAX_AHEAD)


def of(example: str, samples: list[Sample]) -> list[Sample]:
    return [sample for sample in samples if sample.example == example]


def sample(example: str, what: str) -> Sample:
    return next(each for each in of(example, EVENTS) if each.what == what)


def test_events_of_a_form_are_read_and_others_are_counted() -> None:
    name = "Segment and RudderStack"
    events, others = of(name, EVENTS), of(name, PASSED_OVER)
    batch = read([*others, *events])
    assert (len(batch.events), batch.dead_letters) == (len(events), [])
    assert batch.passed_over == {"signups": 1, "orders": 3}
    assert batch.positions == {
        "signups": len(others) + 2,
        "orders": len(others) + len(events),
        "segue-rekeyed": 0,
    }


def test_a_misrouted_event_is_forwarded_by_the_user_in_its_form() -> None:
    shopify = of("Shopify", EVENTS)[0]
    settings = FoldSettings(8, rekey=True, events=shopify.forms)
    record = Record("orders", 0, 5, shopify.key, shopify.value, NOW_MS)
    batch = read_batch([record], dict.fromkeys(TOPICS.inputs, 0), TOPICS, settings, MAX_AHEAD)
    assert [(out.key, out.value) for out in batch.rekeyed] == [(b"6660001112223334445", shopify.value)]


def test_a_forwarded_tombstone_erases_its_user() -> None:
    tombstone = next(sample for sample in of("Debezium", EVENTS) if sample.what == "a tombstone")
    sent = FoldSettings(8, rekey=True, events=tombstone.forms)
    record = Record("signups", 7, 5, tombstone.key, None, NOW_MS)
    (out,) = read_batch([record], dict.fromkeys(TOPICS.inputs, 0), TOPICS, sent, MAX_AHEAD).rekeyed
    assert out.partition is not None
    again = Record(out.topic, out.partition, 0, out.key, out.value, NOW_MS + 5, out.headers)
    (incoming,) = read_batch([again], dict.fromkeys(TOPICS.inputs, 0), TOPICS, sent, MAX_AHEAD).events
    assert incoming.event.user_id == "1006"
    assert incoming.written_ms == NOW_MS


@pytest.mark.parametrize(
    ("example", "what", "reason"),
    [
        ("WooCommerce", "order.updated", "date_created_gmt: 2024-03-22T17:28:02Z"),
        ("CloudEvents", "an erasure by the envelope's type", "data.erased_at: 2024-06-01T00:00:00Z"),
        ("CloudEvents", "an order in structured mode", "data.created_at: 2024-02-01T11:00:00Z"),
        ("Debezium", "a new user, with the envelope", "source.ts_us: 2024-01-31T09:30:00.123456Z"),
        ("Debezium", "a snapshot's user, in schema and payload", "source.ts_ms: 2024-01-31T09:30:00.123000Z"),
        ("Debezium", "a deleted user", "source.ts_ms: 2024-01-31T09:31:40Z"),
        ("Debezium", "a deleted user, unwrapped", "__source_ts_ms: 2024-01-31T09:31:40Z"),
        ("Debezium", "an order without schema, decimals as text", "after.placed_at: 2024-01-31T09:30:00Z"),
        ("Segment and RudderStack", "identify", "timestamp: 2024-"),
    ],
)
def test_a_time_ahead_is_named_as_the_source_names_it(example: str, what: str, reason: str) -> None:
    assert reason_of(sample(example, what), AHEAD_MS).startswith(reason)


def test_a_change_ahead_is_named_where_the_row_s_own_time_is_not_ahead() -> None:
    order = sample("Debezium", "an order without schema, decimals as text")
    placed = order.fields["after"] | {"placed_at": AHEAD_MS * 1_000}
    value = json.dumps(order.fields | {"after": placed}).encode()
    assert reason_of(replace_value(order, value), AHEAD_MS).startswith("source.ts_ms: 2024-01-31T09:30:01Z")


def test_a_time_ahead_of_an_unwrapped_row_is_named_by_its_column() -> None:
    order = sample("Debezium", "an order without schema, decimals as text")
    row = {**order.fields["after"], "__source_ts_ms": AHEAD_MS}
    reason = reason_of(replace_value(order, json.dumps(row).encode()), AHEAD_MS)
    assert reason.startswith("placed_at: 2024-01-31T09:30:00Z is more than 1 day ahead of the record")


def reason_of(record: Sample, at_ms: int) -> str:
    (letter,) = read([record], at_ms=at_ms).dead_letters
    return dict(letter.headers)[REASON].decode()


def test_a_dead_letter_names_the_source_s_field_and_holds_the_record_as_it_came() -> None:
    shopify = of("Shopify", EVENTS)[0]
    (letter,) = read([replace_value(shopify, b'{"id": 7}')]).dead_letters
    assert dict(letter.headers)[REASON] == b"customer.id: is missing"
    assert letter.value == b'{"id": 7}'


def replace_value(sample: Sample, value: bytes) -> Sample:
    return Sample(sample.what, sample.example, sample.topic, sample.key, value, None)


def test_only_the_topic_with_a_form_is_read_by_it() -> None:
    shopify = of("Shopify", EVENTS)[0]
    forms = replace(shopify.forms, orders=None)
    (letter,) = read([shopify], forms).dead_letters
    assert dict(letter.headers)[REASON] == b"order_id: is missing"
