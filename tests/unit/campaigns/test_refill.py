"""The verdict of `make refill` finds a command that left something out, and a user who is wrong."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from schemas.input_events import Event, Signup
from tests.campaigns.refill.facts import Sent
from tests.campaigns.refill.judge import There, check_counts, differences
from tests.support.checks.check_promises import Expected
from tests.support.inputs.bad_events import BAD_RECORDS, BadRecord

BEGAN = There(users=1_000, events=20_000, decisions=15_000)
ENDED = There(users=1_001, events=20_100, decisions=15_080)
ORDER = b'{"order_id":"a","user_id":"7"}'
FACTS = {
    "profile": {"age": ["2024-01-01T00:00:00Z", 41]},
    "counted": 1,
    "brands": {"Hanes": [2, "2024-01-01T00:00:00Z"]},
}
FEATURES = {
    "age": 41,
    "gender": None,
    "country": None,
    "traffic_source": None,
    "total_orders": 1,
    "most_frequent_brand": "Hanes",
    "most_frequent_category": None,
}
RIGHT = {"7": Expected(FEATURES, 3, provisional=False, components=(0.25, -1.5), orders={"a": ORDER})}
TOMBSTONE = {b"state": b'{"facts":{"erased_at":"2024-02-01T00:00:00Z"}}'}


def hash_of(
    orders: Mapping[str, str | None] | None = None,
    *,
    components: Sequence[float] = (0.25, -1.5),
    age: int = 41,
    **fields: object,
) -> dict[bytes, bytes]:
    """The user as Redis is to have it, but for these fields; None takes one away."""
    facts = {**FACTS, "profile": {"age": ["2024-01-01T00:00:00Z", age]}}
    state = json.dumps({"facts": facts, "position": {"components": components}})
    right = {"segment": 3, "provisional": 0, "sequence": 9, "state": state, "o:a": ORDER.decode()}
    changed: dict[str, object] = {**right, **fields, **(orders or {})}
    return {name.encode(): str(value).encode() for name, value in changed.items() if value is not None}


def record(**fields: object) -> dict[str, Any]:
    """The user as `user-segments` is to have it, but for these fields."""
    return {"segment": 3, "provisional": False, "sequence": 9, **fields}


@pytest.mark.parametrize(("users", "records"), [(1_000, 35_000), (1_001, 35_180), (1_000, 35_100)])
def test_who_has_looked_at_all_passes(users: int, records: int) -> None:
    check_counts("verify", {"users": users, "records": records}, BEGAN, ENDED)


@pytest.mark.parametrize(
    ("users", "records", "what"),
    [
        (0, 35_000, "0 users"),
        (999, 35_000, "999 users"),
        (1_002, 35_000, "1,002 users"),
        (1_000, 0, "0 records"),
        (1_000, 20_000, "20,000 records"),  # the events, but none of the decisions
        (1_000, 34_999, "34,999 records"),
        (1_000, 35_181, "35,181 records"),
    ],
)
def test_who_has_not_is_found(users: int, records: int, what: str) -> None:
    with pytest.raises(AssertionError, match=f"verify says {what}"):
        check_counts("verify", {"users": users, "records": records}, BEGAN, ENDED)


def test_nobody_to_look_at_is_no_proof() -> None:
    nothing = There(users=0, events=0, decisions=0)
    with pytest.raises(AssertionError, match="nobody"):
        check_counts("verify", {"users": 0, "records": 0}, nothing, nothing)


def test_users_who_are_as_told_do_not_differ() -> None:
    stored = {"7": hash_of(), "8": TOMBSTONE, "9": TOMBSTONE}
    assert differences(RIGHT, {"8", "9"}, stored, {"7": record(), "8": None}) == []


@pytest.mark.parametrize(
    ("stored", "newest"),
    [
        pytest.param({}, record(), id="no key"),
        pytest.param(hash_of(state=None), record(), id="no state"),
        pytest.param(hash_of(segment=None), record(), id="no segment"),
        pytest.param(hash_of(segment=2), record(), id="another segment"),
        pytest.param(hash_of(provisional=1), record(), id="provisional"),
        pytest.param(hash_of(sequence=8), record(), id="a change too few"),
        pytest.param(hash_of(components=[0.25, -1.4999]), record(), id="beside its place"),
        pytest.param(hash_of(age=40), record(), id="another age"),
        pytest.param(hash_of({"o:a": None}), record(), id="an order too few"),
        pytest.param(hash_of({"o:b": "{}"}), record(), id="an order too many"),
        pytest.param(hash_of({"o:a": '{"order_id":"a"}'}), record(), id="another version of an order"),
        pytest.param(hash_of(), None, id="never told of"),
        pytest.param(hash_of(segment=2), record(segment=2), id="another segment, and told so"),
        pytest.param(hash_of(provisional=1), record(provisional=True), id="provisional, and told so"),
        pytest.param(hash_of(), record(segment=2), id="told of another segment"),
    ],
)
def test_a_user_who_is_not_as_told_is_named(
    stored: dict[bytes, bytes], newest: dict[str, Any] | None
) -> None:
    found = differences(RIGHT, (), {"7": stored}, {"7": newest})
    assert found
    assert all(line.startswith("'7': ") for line in found)


@pytest.mark.parametrize(
    ("stored", "newest"),
    [
        pytest.param({**TOMBSTONE, b"segment": b"3"}, None, id="a segment"),
        pytest.param({**TOMBSTONE, b"o:1": b"{}"}, None, id="an order"),
        pytest.param({b"state": b'{"facts":{"held":1}}'}, None, id="a state"),
        pytest.param(TOMBSTONE, record(), id="still in user-segments"),
    ],
)
def test_what_is_left_of_an_erased_user_is_named(
    stored: dict[bytes, bytes], newest: dict[str, Any] | None
) -> None:
    (found,) = differences({}, {"8"}, {"8": stored}, {"8": newest})
    assert found.startswith("'8' is erased, but ")


def test_an_erased_user_has_a_tombstone() -> None:
    assert differences({}, {"8"}, {}, {})


def a_shop() -> Iterator[Event | BadRecord]:
    for number in range(30):
        yield Signup(str(number % 10), datetime(2024, 1, 1, tzinfo=UTC), age=number + 18)
        yield BAD_RECORDS[number % len(BAD_RECORDS)]


def test_what_is_sent_is_noted_on_its_way() -> None:
    sent = Sent(Random(1), shop=10, most=4)
    assert list(sent.noting(a_shop())) == list(a_shop())
    assert (sent.records, sent.users) == (60, {str(number) for number in range(10)})
    assert len(sent.facts) == 4
    for user_id, facts in sent.facts.items():
        assert [getattr(fact, "age", None) for fact in facts] == [
            int(user_id) + more for more in (18, 28, 38)
        ]


def test_of_a_small_shop_everybody_is_looked_at() -> None:
    sent = Sent(Random(1), shop=10, most=50)
    list(sent.noting(a_shop()))
    assert sent.facts.keys() == sent.users


def test_more_decisions_are_more_records() -> None:
    assert replace(BEGAN, decisions=15_001).records == 35_001
