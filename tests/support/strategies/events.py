"""Histories of one user: signups, versions of orders, erasures. Few values, so that ties are frequent."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.input_events import Event, Item, Order, Signup, UserErased

START = datetime(2024, 1, 1, tzinfo=UTC)

times = st.integers(0, 8).map(lambda hours: START + timedelta(hours=hours))
brands = st.sampled_from([None, "Allegra K", "Carhartt", "Ön"])
categories = st.sampled_from([None, "Jeans", "Socks"])
statuses = st.sampled_from([None, "Complete", "Cancelled", "Returned"])

_booleans = st.sampled_from(["true", "false"])


def _own(level: str, **values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Generate values of a shop's own fields (:data:`tests.support.strategies.features.OWN`), mostly none."""
    named = {f"{level}.{name.replace('__', '.')}": value for name, value in values.items()}
    return st.one_of(st.just({}), st.fixed_dictionaries({}, optional=named))


_own_items = _own(
    "item",
    weight=st.sampled_from([250_000, 1_000_000, -1]),
    fresh=_booleans,
    material=st.sampled_from(["wool", "felt"]),
)
_own_orders = _own(
    "order",
    days=st.sampled_from([1_000_000, 2_500_000]),
    gift=_booleans,
    shipping__country=st.sampled_from(["AT", "ÖS"]),
)
_own_profiles = _own(
    "user",
    income=st.sampled_from([0.1, 1500.0]),
    vip=_booleans,
    city=st.sampled_from(["Ulm", "Köln"]),
    born=st.sampled_from(["1990-05-01", "2024-01-02"]),
)

items = st.builds(
    Item,
    brand=brands,
    category=categories,
    product_id=st.sampled_from([None, "p1", "p2"]),
    price=st.sampled_from([None, 5, 9.5, 0.1, -3, 1e13]),
    quantity=st.sampled_from([None, 1, 2, 3]),
    own=_own_items,
)


def signups(user_id: str) -> st.SearchStrategy[Signup]:
    """Generate profile updates of one user, each with some of the fields."""
    return st.builds(
        Signup,
        user_id=st.just(user_id),
        created_at=times,
        age=st.sampled_from([None, 20, 20.5, 100]),
        gender=st.sampled_from([None, "F", "M"]),
        country=st.sampled_from([None, "Spain", "España"]),
        traffic_source=st.sampled_from([None, "Search", "Email"]),
        own=_own_profiles,
    )


def orders(user_id: str) -> st.SearchStrategy[Order]:
    """Generate versions of a few orders of one user."""
    return st.builds(
        Order,
        user_id=st.just(user_id),
        order_id=st.sampled_from(["1", "2", "3", "4"]),
        created_at=times,
        items=st.lists(items, min_size=1, max_size=4).map(tuple),
        status=statuses,
        updated_at=st.none() | times,
        own=_own_orders,
    )


def erasures(user_id: str) -> st.SearchStrategy[UserErased]:
    """Generate erasures of one user."""
    return st.builds(UserErased, user_id=st.just(user_id), erased_at=times)


def histories(user_id: str = "7", *, erased: bool = True) -> st.SearchStrategy[list[Event]]:
    """Generate any facts of one user, in any order."""
    facts: st.SearchStrategy[Event] = signups(user_id) | orders(user_id)
    if erased:
        facts = st.one_of(facts, facts, facts, erasures(user_id))
    return st.lists(facts, max_size=14)


def order_histories(user_id: str = "7") -> st.SearchStrategy[list[Event]]:
    """Generate many versions of a few orders with two brands: a version often removes the former items."""
    bought = st.builds(Item, brand=st.sampled_from(["Carhartt", "Ön"]), price=st.sampled_from([1, 2.5, 4]))
    version = st.builds(
        Order,
        user_id=st.just(user_id),
        order_id=st.sampled_from(["1", "2", "3"]),
        created_at=times,
        items=st.lists(bought, min_size=1, max_size=2).map(tuple),
        updated_at=times,
    )
    return st.lists(version, min_size=2, max_size=10)


def over_days(fact: Event) -> Event:
    """Return the fact with times that spread over three days instead of eight hours."""
    names = [name for name in ("created_at", "updated_at", "erased_at") if getattr(fact, name, None)]
    return replace(fact, **{name: START + 6 * (getattr(fact, name) - START) for name in names})
