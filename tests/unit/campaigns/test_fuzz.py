"""What a fuzz campaign sends: bad records of every kind, and good ones under strange names."""

import unicodedata
from collections import Counter
from datetime import UTC, datetime
from itertools import islice
from random import Random

import pytest

from schemas.errors import BadEvent
from schemas.input_events import Event, Order, UserErased
from schemas.inputs.decode import decode_order, decode_signup
from tests.campaigns.chaos.customers import records as customers
from tests.campaigns.fuzz.campaign import check_kinds
from tests.campaigns.fuzz.hostile import every_kind, hostiles
from tests.campaigns.fuzz.spellings import spelled
from tests.campaigns.fuzz.strange import FORMS, disguised, filled, strange_id
from tests.support.inputs.bad_events import BadRecord

NOW = datetime(2024, 12, 1, tzinfo=UTC)
COUNT = 3_000


@pytest.fixture(scope="module")
def good() -> list[Event]:
    drawn = customers(Random("good"), COUNT)
    return [disguised(event) for event in drawn if not isinstance(event, BadRecord)]


def decoded(topic: str, key: bytes | None, value: bytes | None) -> Event:
    return (decode_order if topic == "orders" else decode_signup)(key, value, NOW)


def test_every_hostile_record_is_refused() -> None:
    for record in islice(hostiles(Random(7)), COUNT):
        with pytest.raises(BadEvent):
            decoded(record.topic, record.key, record.value)


def test_every_kind_comes_before_any_is_drawn_again() -> None:
    first = every_kind(Random(7))
    kinds = {record.kind for record in first}
    assert kinds >= {
        "too large",
        "too deep",
        "cut short",
        "bad escape in user_id",
        "order items",
        "over 1 MB",
    }
    drawn = Counter(record.kind for record in islice(hostiles(Random(7)), len(first)))
    assert drawn.keys() == kinds
    check_kinds(7, Counter(record.kind for record in islice(hostiles(Random("7 bad")), 400)))


def test_a_kind_that_was_never_sent_is_found() -> None:
    sent = Counter(record.kind for record in islice(hostiles(Random("7 bad")), 400))
    del sent["too large"]
    with pytest.raises(AssertionError, match=r"never sent: \['too large'\]"):
        check_kinds(7, sent)


def test_no_two_numbers_have_one_id_though_some_look_alike() -> None:
    ids = [strange_id(number) for number in range(20_000)]
    assert len(set(ids)) == len(ids)
    assert len({unicodedata.normalize("NFC", one) for one in ids}) < len(ids)
    assert max(len(one.encode()) for one in ids) == 256
    assert all(filled(form, 0) in ids for form in FORMS)


def test_what_is_spelled_is_read_as_what_was_meant(good: list[Event]) -> None:
    random = Random(7)
    for event in good:
        topic = "orders" if isinstance(event, Order) else "signups"
        assert decoded(topic, event.user_id.encode(), spelled(event, random)) == event


def test_strange_names_reach_every_field_that_counts(good: list[Event]) -> None:
    orders = [event for event in good if isinstance(event, Order)]
    items = [item for order in orders for item in order.items]
    for texts in (
        {event.user_id for event in good},
        {order.order_id for order in orders},
        {item.brand or "" for item in items},
        {item.category or "" for item in items},
    ):
        for mark in "\x00", ":", " ", "\n", "😀", "\ufeff", "\u00e9", "e\u0301", "\u202e", "{", "*":
            assert any(mark in text for text in texts), f"{mark!a}"
    assert any(isinstance(event, UserErased) for event in good)
    # One user has orders that differ by their normal form alone.
    by_user = {(order.user_id, unicodedata.normalize("NFC", order.order_id)) for order in orders}
    assert len(by_user) < len({(order.user_id, order.order_id) for order in orders})
