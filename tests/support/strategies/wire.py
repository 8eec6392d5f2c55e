"""JSON values as producers may write them, some slightly wrong; and events to encode."""

from datetime import UTC
from typing import Any

from hypothesis import strategies as st

from schemas.input_events import Item, Order, Signup, UserErased

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda text: not text.isspace()
)
ids = texts | st.integers(-(2**63), 2**64 - 1).map(str)
times = st.datetimes(timezones=st.just(UTC))
ages = st.integers(0, 150) | st.floats(0, 150).map(lambda age: int(age) if age.is_integer() else age)
prices = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)

items = st.builds(
    Item,
    brand=st.none() | texts,
    category=st.none() | texts,
    product_id=st.none() | ids,
    price=st.none() | prices,
    quantity=st.none() | st.integers(1, 2**63 - 1),
)
orders = st.builds(
    Order,
    user_id=ids,
    order_id=ids,
    created_at=times,
    items=st.lists(items, min_size=1, max_size=4).map(tuple),
    status=st.none() | texts,
    updated_at=st.none() | times,
    event_id=st.none() | ids,
)
signups = st.builds(
    Signup,
    user_id=ids,
    created_at=times,
    age=st.none() | ages,
    gender=st.none() | texts,
    country=st.none() | texts,
    traffic_source=st.none() | texts,
    event_id=st.none() | ids,
)
erasures = st.builds(UserErased, user_id=ids, erased_at=times, event_id=st.none() | ids)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)

_Fields = dict[str, st.SearchStrategy[Any]]

_good_ids = st.sampled_from(["7", "\u2007x", "a" * 256, 7, 7.0, -(2**63), 2**64 - 1])
_good_texts = st.sampled_from(["F", "", "\u2028", "b" * 1024, None])
_good_times = st.sampled_from(
    ["2024-01-31T09:30:00Z", "2024-01-31t09:30:00.123456789z", "2024-01-31 09:30:00-23:59"]
)
_odd_ids = st.sampled_from(["", " ", "\u3000", "\x1c", "a" * 257, 7.5, 2**64, -(2**63) - 1, True, None, [7]])
_odd_texts = st.sampled_from(["b" * 1025, 1, False, {}])
_odd_times = st.sampled_from(["2024-01-31T09:30:00", "2024-01-31", "", None, 1706693400])
_ages = st.sampled_from([0, 1.5, 150, -0.0, None])
_odd_ages = st.sampled_from([150.5, -1, 1e300, "1", True])
_prices = st.sampled_from([0, -1, 1e300, 2**70, None])
_quantities = st.sampled_from([1, 2.0, 2**63 - 1, None])
_odd_quantities = st.sampled_from([0, 1.5, -1, 2**63, "1", True])


def _mostly_right(required: _Fields, optional: _Fields, odd: _Fields) -> st.SearchStrategy[dict[str, Any]]:
    """Generate objects with at most one odd field; half of the objects have no odd field."""
    spoilt = st.sampled_from(sorted(odd)).flatmap(lambda name: odd[name].map(lambda value: {name: value}))
    return st.builds(
        lambda right, wrong: right | wrong,
        st.fixed_dictionaries(required, optional=optional),
        st.just({}) | spoilt,
    )


_wire_items = _mostly_right(
    {},
    {
        "brand": _good_texts,
        "category": _good_texts,
        "product_id": _good_ids,
        "price": _prices,
        "quantity": _quantities,
        "sku": json_values,
    },
    {
        "brand": _odd_texts,
        "category": _odd_texts,
        "product_id": _odd_ids,
        "price": st.sampled_from(["1", False, []]),
        "quantity": _odd_quantities,
    },
)
wire_signups = _mostly_right(
    {"user_id": _good_ids, "created_at": _good_times},
    {
        "type": st.sampled_from(["user.erased", "user.erased ", 1, None]),
        "event_id": _good_ids,
        "erased_at": _good_times,
        "age": _ages,
        "gender": _good_texts,
        "country": _good_texts,
        "traffic_source": _good_texts,
        "nickname": json_values,
    },
    {
        "user_id": _odd_ids,
        "created_at": _odd_times,
        "event_id": _odd_ids,
        "erased_at": _odd_times,
        "age": _odd_ages,
        "gender": _odd_texts,
        "country": _odd_texts,
        "traffic_source": _odd_texts,
    },
)
wire_orders = _mostly_right(
    {
        "user_id": _good_ids,
        "order_id": _good_ids,
        "created_at": _good_times,
        "items": st.lists(_wire_items, min_size=1, max_size=2),
    },
    {"event_id": _good_ids, "status": _good_texts, "updated_at": _good_times, "note": json_values},
    {
        "user_id": _odd_ids,
        "order_id": _odd_ids,
        "created_at": _odd_times,
        "items": st.sampled_from([[], None, [None], {}]),
        "event_id": _odd_ids,
        "status": _odd_texts,
        "updated_at": _odd_times,
    },
)
