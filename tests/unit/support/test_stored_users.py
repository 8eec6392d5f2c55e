"""The check of Redis takes what docs/redis.md describes, and finds whatever differs from it."""

import json
import math
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.input_events import Event, Item, Order, Signup, UserErased
from tests.support.checks import feature_oracle
from tests.support.checks.stored_users import (
    Stored,
    features_of,
    left_of,
    standing_orders,
    wrong_fields,
    wrong_indexes,
    wrong_release,
)

AT = datetime(2024, 1, 31, 9, 30, tzinfo=UTC)
FACTS: list[Event] = [
    Signup("7", AT, age=30, country="China"),
    Order("7", "a", AT, (Item("Acme", "Jeans"), Item("Ön", quantity=1))),
]
CAUSE = {"type": "order", "topic": "orders", "partition": 3, "offset": 5, "positions": {"orders": 6}}
CHANGE = {
    "kind": "moved",
    "sequence": 1,
    "occurred_at": "2024-01-31T09:30:00Z",
    "segment": 2,
    "segment_name": "two",
    "previous_segment": None,
    "provisional": True,
    "model_version": "v1",
    "activation": 4,
    "cause": CAUSE,
}
CHAIN = [CHANGE, {**CHANGE, "kind": "confirmed", "sequence": 2, "provisional": False}]
DECIDED = {
    "segment": 2,
    "segment_name": "two",
    "provisional": False,
    "sequence": 2,
    "model_version": "v1",
    "activation": 4,
    "models_topic": "T",
}
STATE: dict[str, Any] = {
    "facts": {
        "signed_up_at": "2024-01-31T09:30:00Z",
        "profile": {"age": ["2024-01-31T09:30:00Z", 30], "country": ["2024-01-31T09:30:00Z", "China"]},
        "held": 1,
        "counted": 1,
        # Of these two the smaller MD5 of "7:<brand>" decides.
        "brands": {"Acme": [1, "2024-01-31T09:30:00Z"], "Ön": [1, "2024-01-31T09:30:00Z"]},
        "categories": {"Jeans": [1, "2024-01-31T09:30:00Z"]},
    },
    "decided": DECIDED,
    "position": {"space": "s", "components": [3.0, 4.0]},
    "entered": 1,
}
ORDER = (
    '{"created_at":"2024-01-31T09:30:00Z",'
    '"items":[{"brand":"Acme","category":"Jeans"},{"brand":"Ön","quantity":1}],'
    '"order_id":"a","user_id":"7"}'
)
ENTRY = [1, "2024-01-31T09:30:00Z", 2, "two", None, "v1", "order", "orders", 3, 5]
ACTIVATIONS = {4: "v1", 6: "v2"}


def fields_of(state: dict[str, Any]) -> dict[bytes, bytes]:
    plain = {**state["decided"], "provisional": int(state["decided"]["provisional"])}
    del plain["models_topic"]
    return {
        b"state": json.dumps(state).encode(),
        b"o:a": ORDER.encode(),
        b"h:0": json.dumps(ENTRY).encode(),
        **{name.encode(): str(value).encode() for name, value in plain.items()},
    }


def wrong(state: dict[str, Any] = STATE, /, **others: bytes | None) -> list[str]:
    """What is found in a user's fields; ``others`` are fields by name, None where one is missing."""
    fields = fields_of(state) | {name.encode(): value for name, value in others.items() if value is not None}
    fields = {name: value for name, value in fields.items() if others.get(name.decode(), b"") is not None}
    features = feature_oracle.features("7", FACTS)
    assert features is not None
    found = wrong_fields("7", fields, features, standing_orders(FACTS), CHAIN)
    return found + wrong_release("7", fields, CHAIN[-1], "T", ACTIVATIONS)


def test_a_user_as_it_should_be() -> None:
    assert wrong() == []


def test_features_are_read_from_tallies() -> None:
    assert features_of("7", STATE["facts"]) == feature_oracle.features("7", FACTS)
    assert features_of("7", {}) == feature_oracle.features("7", []) or set(features_of("7", {}).values()) == {
        None
    }
    earlier = {"Acme": [1, "2024-01-31T09:30:00.5Z"], "Hanes": [1, "2024-01-31T09:30:00Z"]}
    assert features_of("7", {"brands": earlier})["most_frequent_brand"] == "Hanes"
    more = {"Acme": [2, "2024-01-31T09:30:00.5Z"], "Hanes": [1, "2024-01-31T09:30:00Z"]}
    assert features_of("7", {"brands": more})["most_frequent_brand"] == "Acme"


@pytest.mark.parametrize(
    "others",
    [
        {"o:b": ORDER.encode()},
        {"o:a": None},
        {"o:a": ORDER.replace("Jeans", "Socks").encode()},
        {"h:0": None},
        {"h:1": json.dumps(ENTRY).encode()},
        {"h:0": json.dumps([*ENTRY[:-1], 6]).encode()},
        {"segment": b"1"},
        {"segment": None},
        {"segment_name": b"one"},
        {"model_version": b"v2"},
        {"activation": b"6"},
        {"email": b"a@example.com"},
        {"state": None},
    ],
)
def test_a_field_that_is_wrong_or_missing_or_too_many(others: dict[str, bytes | None]) -> None:
    assert wrong(**others) != []


def _age(state: dict[str, Any]) -> None:
    state["facts"]["profile"]["age"][1] = 31


def _no_country(state: dict[str, Any]) -> None:
    del state["facts"]["profile"]["country"]


def _counted(state: dict[str, Any]) -> None:
    state["facts"]["counted"] = 2


def _held(state: dict[str, Any]) -> None:
    state["facts"]["held"] = 2


def _brand(state: dict[str, Any]) -> None:
    state["facts"]["brands"]["Hanes"] = [2, "2024-01-31T09:30:00Z"]


def _category(state: dict[str, Any]) -> None:
    state["facts"]["categories"] = {}


def _another_version(state: dict[str, Any]) -> None:
    state["decided"]["model_version"] = "v2"


def _an_older_activation(state: dict[str, Any]) -> None:
    state["decided"]["activation"] = 3


def _an_activation_that_never_was(state: dict[str, Any]) -> None:
    state["decided"] |= {"activation": 5, "model_version": "v2"}


def _another_topic(state: dict[str, Any]) -> None:
    state["decided"] |= {"models_topic": "U", "model_version": "v0"}


@pytest.mark.parametrize(
    "touch",
    [
        _age,
        _no_country,
        _counted,
        _held,
        _brand,
        _category,
        _another_version,
        _an_older_activation,
        _an_activation_that_never_was,
        _another_topic,
    ],
)
def test_a_state_that_is_wrong(touch: Callable[[dict[str, Any]], None]) -> None:
    state = deepcopy(STATE)
    touch(state)
    assert wrong(state) != []


def test_a_later_release_that_agreed_is_right() -> None:
    state = deepcopy(STATE)
    state["decided"] |= {"activation": 6, "model_version": "v2"}
    assert wrong(state) == []


def test_the_history_is_of_this_life_and_of_the_newest_fifty() -> None:
    moves = [{**CHANGE, "sequence": number} for number in range(1, 54)]
    fields = fields_of(STATE)
    features = feature_oracle.features("7", FACTS)
    assert features is not None
    # The fifty-first entry takes the first one's field.
    entries = {f"h:{number % 50}": [number + 1, *ENTRY[1:]] for number in range(53)}
    assert entries["h:0"][0] == 51
    fields |= {name.encode(): json.dumps(entry).encode() for name, entry in entries.items()}
    assert wrong_fields("7", fields, features, None, moves) == []
    former: list[Mapping[str, Any]] = [*moves, {"kind": "erased"}, CHANGE]
    assert wrong_fields("7", fields, features, None, former) != []
    assert wrong_fields("7", fields_of(STATE), features, None, former) == []


def test_orders_that_an_erasure_took_do_not_stand_and_the_newest_version_does() -> None:
    later = AT.replace(hour=10)
    first, second = Order("7", "a", AT, (Item("Acme"),)), Order("7", "b", later, (Item("Acme"),))
    newer = Order("7", "b", later, (Item("Hanes"),), updated_at=later.replace(hour=11))
    assert standing_orders([newer, UserErased("7", AT), first, second]) == {
        "b": feature_oracle.canonical_bytes(newer)
    }


def lying(**touched: Any) -> Stored:
    there: dict[str, Any] = {
        "users": {"7": fields_of(STATE)},
        "angles": {"s": {"7": math.atan2(4, 3)}},
        "swept": {"7": [1]},
    }
    return Stored(**(there | touched))


@pytest.mark.parametrize(
    "stored",
    [
        lying(angles={}),
        lying(angles={"s": {}}),
        lying(angles={"other": {"7": math.atan2(4, 3)}}),
        lying(angles={"s": {"7": 0.5}}),
        lying(swept={}),
        lying(swept={"7": [2]}),
        lying(swept={"7": [1, 2]}),
    ],
)
def test_an_index_that_does_not_have_the_user_where_it_is(stored: Stored) -> None:
    assert wrong_indexes("7", lying(), (3.0, 4.0), 1) == []
    assert wrong_indexes("7", stored, (3.0, 4.0), 1) != []


def test_a_user_at_the_origin_is_in_no_index() -> None:
    assert wrong_indexes("7", lying(angles={"s": {}}), (0.0, 0.0), 1) == []
    assert wrong_indexes("7", lying(angles={"s": {}}), (1e-16, -2e-16), 1) == []
    assert wrong_indexes("7", lying(), (0.0, 0.0), 1) != []


@pytest.mark.parametrize(
    "stored",
    [
        lying(users={"7": {}, "8": {b"state": b"{}"}}),
        lying(angles={"s": {"8": 0.5}}),
        lying(swept={"8": [0]}),
    ],
)
def test_whoever_should_not_exist_is_found_wherever_it_is(stored: Stored) -> None:
    assert lying().strangers({"7"}) == []
    assert stored.strangers({"7"}) == ["'8' has something in Redis and should not exist"]


TOMBSTONE = {b"state": b'{"facts":{"erased_at":"2024-01-31T09:30:00Z"}}'}


@pytest.mark.parametrize(
    "stored",
    [
        lying(),
        lying(users={}, angles={}, swept={}),
        lying(users={"7": TOMBSTONE | {b"o:a": ORDER.encode()}}, angles={}, swept={}),
        lying(users={"7": TOMBSTONE | {b"h:0": b"[]"}}, angles={}, swept={}),
        lying(users={"7": TOMBSTONE | {b"segment": b"2"}}, angles={}, swept={}),
        lying(users={"7": {b"state": json.dumps({"facts": {"erased_at": "", "profile": {}}}).encode()}}),
        lying(users={"7": {b"state": json.dumps(STATE).encode()}}, angles={}, swept={}),
        lying(users={"7": TOMBSTONE}, swept={}),
        lying(users={"7": TOMBSTONE}, angles={}),
    ],
)
def test_whatever_is_left_of_an_erased_user_is_found(stored: Stored) -> None:
    assert left_of("7", lying(users={"7": TOMBSTONE}, angles={}, swept={})) == []
    assert left_of("7", stored) != []
