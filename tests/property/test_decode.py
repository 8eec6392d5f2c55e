"""Laws of the edge: it reads what was written, and refuses the rest with a reason."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta, timezone
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec.structs import replace

import schemas
from schemas.errors import BadEvent
from schemas.input_events import Event, Order, Signup, UserErased
from schemas.inputs.decode import (
    canonical,
    decode_order,
    decode_signup,
    encode_order,
    encode_signup,
    order_of,
)
from schemas.times import EPOCH
from tests.support.checks.feature_oracle import canonical_bytes
from tests.support.strategies import wire


def _dumps(fields: object) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode()


@cache
def _validator(name: str) -> Draft202012Validator:
    path = Path(schemas.__file__).parent / "json" / f"{name}.schema.json"
    return Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


@given(wire.signups | wire.erasures)
def test_a_signup_is_read_as_it_was_written(event: Signup | UserErased) -> None:
    assert decode_signup(*encode_signup(event), EPOCH) == event


@given(wire.orders)
def test_an_order_is_read_as_it_was_written(order: Order) -> None:
    assert decode_order(*encode_order(order), EPOCH) == order


@given(wire.orders)
def test_canonical_bytes_hold_the_whole_order_but_its_event_id(order: Order) -> None:
    bare = replace(order, event_id=None)
    assert order_of(canonical(order)) == bare
    assert canonical(order_of(canonical(order))) == canonical(order) == canonical(bare)


@given(wire.orders)
def test_canonical_bytes_are_compact_sorted_json(order: Order) -> None:
    # Exponents are written as 1e22 here and as 1e+22 by Python: compared as the numbers that they are.
    ours, theirs = json.loads(canonical(order)), json.loads(canonical_bytes(order))
    assert ours == theirs
    assert json.dumps(ours, ensure_ascii=False) == json.dumps(ours, ensure_ascii=False, sort_keys=True)
    plain = replace(order, items=tuple(replace(item, price=None) for item in order.items))
    assert canonical(plain) == canonical_bytes(plain)


@given(wire.orders, st.randoms(use_true_random=False), st.integers(-23 * 60 - 59, 23 * 60 + 59))
def test_canonical_bytes_do_not_depend_on_how_the_order_was_written(
    order: Order, random: Any, offset_minutes: int
) -> None:
    key, value = encode_order(order)
    fields = json.loads(value) | {"unknown": 1, "event_id": "another"}
    for name in ("created_at", "updated_at"):
        time = getattr(order, name)
        if time is not None and timedelta(days=2) < time - EPOCH.replace(year=1):
            fields[name] = _elsewhere(time, offset_minutes)
    shuffled = random.sample(list(fields.items()), len(fields))
    assert canonical(decode_order(key, _dumps(dict(shuffled)), EPOCH)) == canonical(order)


def _elsewhere(time: Any, offset_minutes: int) -> str:
    try:
        told = time.astimezone(timezone(timedelta(minutes=offset_minutes))).isoformat()
    except OverflowError:
        told = time.isoformat()
    return str(told)


@given(st.integers(-(2**63), 2**64 - 1), st.integers(0, 30))
def test_a_whole_number_is_an_id_however_it_is_written(number: int, zeros: int) -> None:
    shifted = f"{number}{'0' * zeros}e-{zeros}" if number else f"0e-{zeros}"  # JSON has no 00
    literals = (str(number), f"{number}." + "0" * (zeros + 1), shifted)
    for literal in literals:
        value = f'{{"user_id":{literal},"created_at":"1970-01-01T00:00:00Z"}}'.encode()
        assert decode_signup(str(number).encode(), value, EPOCH) == Signup(str(number), EPOCH)


@given(st.decimals(-(10**25), 10**25, places=20).filter(lambda d: d != d.to_integral_value()))
def test_a_fraction_is_no_id(fraction: Decimal) -> None:
    value = f'{{"user_id":{fraction:f},"created_at":"1970-01-01T00:00:00Z"}}'.encode()
    with pytest.raises(BadEvent, match="neither text nor a whole number"):
        decode_signup(None, value, EPOCH)


@pytest.mark.parametrize("decode", [decode_signup, decode_order])
@given(key=st.none() | st.binary(max_size=5), value=st.binary(max_size=40) | wire.json_values.map(_dumps))
def test_no_record_does_more_than_be_refused(
    decode: Callable[..., Event], key: bytes | None, value: bytes
) -> None:
    with suppress(BadEvent):
        decode(key, value, EPOCH)


@given(wire.wire_signups)
def test_what_the_schema_of_a_signup_takes_is_taken(fields: dict[str, Any]) -> None:
    _check(fields, decode_signup, "user-erased" if fields.get("type") == "user.erased" else "signup")


@given(wire.wire_orders)
def test_what_the_schema_of_an_order_takes_is_taken(fields: dict[str, Any]) -> None:
    _check(fields, decode_order, "order")


def _check(fields: dict[str, Any], decode: Callable[..., Event], schema: str) -> None:
    """The schema takes no record that becomes a dead letter; blank text in a number's or a time's place
    is all that it refuses beyond them."""
    told_valid = _validator(schema).is_valid(fields)
    try:
        event = decode(None, _dumps(fields), EPOCH, check_key=False)
    except BadEvent:
        assert not told_valid
        return
    assert told_valid or _blank_where_none_belongs(fields)
    assert event.user_id == str(
        int(fields["user_id"]) if isinstance(fields["user_id"], float) else fields["user_id"]
    )


def _blank_where_none_belongs(fields: dict[str, Any]) -> bool:
    return any(fields.get(name) == "" for name in ("created_at", "updated_at", "erased_at"))


@given(
    wire.orders,
    st.sampled_from(["status", "updated_at", "event_id"]),
    st.sampled_from(["", " ", "\u3000\x1c"]),
)
def test_null_absent_and_blank_are_one(order: Order, name: str, blank: str) -> None:
    key, value = encode_order(replace(order, **{name: None}))
    fields = json.loads(value)
    assert name not in fields
    read = decode_order(key, value, EPOCH)
    for nothing in (None, blank):
        assert decode_order(key, _dumps(fields | {name: nothing}), EPOCH) == read


@given(wire.signups, wire.json_values)
def test_of_a_duplicated_key_the_last_counts(signup: Signup, first: Any) -> None:
    key, value = encode_signup(signup)
    twice = b'{"user_id":' + _dumps(first) + b',"created_at":' + _dumps(first) + b"," + value[1:]
    assert decode_signup(key, twice, EPOCH) == signup
