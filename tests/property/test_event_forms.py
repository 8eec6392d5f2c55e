"""Laws of the forms of events: a shop's fields may be anywhere, and no JSON breaks an adapter."""

import json
from contextlib import suppress
from copy import deepcopy
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadEvent
from schemas.input_events import Order, Signup, UserErased
from schemas.inputs.decode import decode_order, decode_signup, encode_order, encode_signup
from schemas.inputs.fields_read import fields_read
from schemas.inputs.forms.event_form import EventForm, NoEvent
from schemas.times import EPOCH, parse
from tests.support.inputs.event_samples import FEATURES, SAMPLES, Sample
from tests.support.strategies import wire

READ = fields_read(FEATURES, statuses=True)
TIMES = ("created_at", "updated_at")
NUMBERS = ("price", "quantity", "age")
_PARTS = st.text("abcdé _-", min_size=1, max_size=4)


@st.composite
def paths(draw: st.DrawFn, names: tuple[str, ...]) -> dict[str, str]:
    """Draw a path for each name; no path goes through the value of another: each has an end of its own."""
    before = draw(st.lists(_PARTS, max_size=3))
    return {
        name: ".".join([*before[: draw(st.integers(0, len(before)))], f"{draw(_PARTS)}#{number}"])
        for number, name in enumerate(names)
    }


def as_a_shop_writes(fields: dict[str, Any], places: dict[str, str], random: Any) -> dict[str, Any]:
    """Return the event with its fields at other paths, some numbers as text, times in microseconds."""
    shop: dict[str, Any] = {"unknown": [1, {"a": None}]}
    for name, value in fields.items():
        *parts, last = places[name].split(".")
        holder = shop
        for part in parts:
            holder = holder.setdefault(part, {})
        holder[last] = value
        if name in TIMES:
            holder[last] = (parse(value) - EPOCH) // timedelta(microseconds=1)
        elif name in NUMBERS and value is not None and random.random() < 0.5:
            holder[last] = json.dumps(value)
    return shop


EVENT_NAMES = ("user_id", "order_id", "created_at", "updated_at", "status", "event_id", "items")
ITEM_NAMES = ("brand", "category", "product_id", "price", "quantity")
PROFILE = ("user_id", "created_at", "age", "gender", "country", "traffic_source", "event_id")


@given(wire.orders, paths(EVENT_NAMES), paths(ITEM_NAMES), st.randoms(use_true_random=False))
def test_an_order_s_fields_may_be_anywhere(
    order: Order, places: dict[str, str], of_items: dict[str, str], random: Any
) -> None:
    fields = json.loads(encode_order(order)[1])
    fields["items"] = [as_a_shop_writes(item, of_items, random) for item in fields["items"]]
    value = json.dumps(as_a_shop_writes(fields, places, random)).encode()
    form = EventForm("mapping", tuple((places | of_items).items()), dates="unix_us")
    assert decode_order(order.user_id.encode(), value, EPOCH, form=form) == order


@given(wire.signups, paths(PROFILE), st.randoms(use_true_random=False))
def test_a_signup_s_fields_may_be_anywhere(signup: Signup, places: dict[str, str], random: Any) -> None:
    fields = as_a_shop_writes(json.loads(encode_signup(signup)[1]), places, random)
    form = EventForm("mapping", tuple(places.items()), dates="unix_us")
    value = json.dumps(fields).encode()
    assert decode_signup(signup.user_id.encode(), value, EPOCH, form=form) == signup


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[Sample, bytes]:
    """Draw a sample with any JSON in the place of one of its values."""
    sample = draw(st.sampled_from([each for each in SAMPLES if each.value != b"null" and each.value]))
    fields = deepcopy(sample.fields)
    holder, inner = {"": fields}, ""
    while True:
        value = holder[inner]
        keys = (
            list(value)
            if isinstance(value, dict)
            else list(range(len(value)))
            if isinstance(value, list)
            else []
        )
        if not keys or draw(st.integers(0, 3)) == 0:
            break
        holder, inner = value, draw(st.sampled_from(keys))
    holder[inner] = draw(wire.json_values | st.integers() | st.just("1e400") | st.just(10**40))
    return sample, json.dumps(fields).encode()


@given(spoilt(), st.none() | st.binary(max_size=12))
def test_a_record_gives_an_event_or_a_reason(case: tuple[Sample, bytes], key: bytes | None) -> None:
    sample, value = case
    decode = decode_signup if sample.topic == "signups" else decode_order
    with suppress(BadEvent, NoEvent):
        event = decode(key, value, EPOCH, check_key=False, read=READ, form=sample.form)
        assert isinstance(event, Signup | Order | UserErased)


@given(st.sampled_from(SAMPLES), st.binary(max_size=40))
def test_no_key_of_a_null_breaks_an_adapter(sample: Sample, key: bytes) -> None:
    with suppress(BadEvent, NoEvent):
        decode_signup(key, None, EPOCH, form=sample.form)
