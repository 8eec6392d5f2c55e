"""Histories of one user: signups, versions of orders, erasures. Few values, so that ties are frequent."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from schemas.input_events import Event, Item, Order, Signup, UserErased

START = datetime(2024, 1, 1, tzinfo=UTC)

times = st.integers(0, 8).map(lambda hours: START + timedelta(hours=hours))
brands = st.sampled_from([None, "Allegra K", "Carhartt", "Ön"])
categories = st.sampled_from([None, "Jeans", "Socks"])
statuses = st.sampled_from([None, "Complete", "Cancelled", "Returned"])

items = st.builds(
    Item,
    brand=brands,
    category=categories,
    product_id=st.sampled_from([None, "p1", "p2"]),
    price=st.sampled_from([None, 5, 9.5, 0.1, -3, 1e13]),
    quantity=st.sampled_from([None, 1, 2, 3]),
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
