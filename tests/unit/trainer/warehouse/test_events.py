"""The facts as events: what they hold, and in which order they come."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.input_events import Item, Order, Signup
from tests.support.inputs.shops import Shop, write_csv
from trainer.warehouse import open_warehouse
from trainer.warehouse.queries.shop_queries import Ordering


def at(day: int, microsecond: int = 0) -> datetime:
    return datetime(2024, 1, day, 0, 0, 0, microsecond, UTC)


def day(number: int) -> str:
    return f"2024-01-{number:02} 00:00:00"


def test_a_signup_and_an_order_with_all_their_fields(tmp_path: Path) -> None:
    shop = Shop().user("7", age="25.0", gender="F", country="Spain", traffic_source="Email")
    shop.order("12", "7", [], "2024-01-01 01:00:00+01:00", "Shipped")
    shop.item("12", "Acme/Shoes", product_id="007", sale_price="9.99", quantity="2")
    shop.item("12", "/", sale_price="20.0")
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        assert list(warehouse.events()) == [
            Signup("7", at(1), 25, "F", "Spain", "Email"),
            Order("7", "12", at(1), (Item("Acme", "Shoes", "007", 9.99, 2), Item(price=20)), "Shipped"),
        ]


def test_whole_numbers_are_whole(tmp_path: Path) -> None:
    shop = Shop().user("u", age="25.0").user("v", age="25.5").order("1", "u", [{"sale_price": "20.0"}])
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        signup, other, order = warehouse.events()
    assert isinstance(signup, Signup)
    assert isinstance(other, Signup)
    assert isinstance(order, Order)
    assert [type(signup.age), type(other.age), type(order.items[0].price)] == [int, float, int]


def test_columns_that_are_not_there_are_none(tmp_path: Path) -> None:
    shop = Shop().user("u").order("1", "u", [{"sale_price": "1", "quantity": "2", "product_id": "3"}], day(1))
    without = {"orders": ("status",), "order_items": ("id", "product_id", "sale_price", "quantity")}
    with open_warehouse(write_csv(shop, tmp_path, without=without)) as warehouse:
        _, order = warehouse.events()
    assert order == Order("u", "1", at(1), (Item("Acme", "Shoes"),))


def test_the_order_of_time(tmp_path: Path) -> None:
    """Signups first at equal times, then user ids and order ids, by bytes."""
    shop = Shop().order("b", "u", created_at=day(2)).order("B", "u", created_at=day(2))
    shop.order("c", "U", created_at=day(2)).order("d", "w", created_at=day(1))
    shop.user("v", day(2)).user("V", day(2)).user("x", day(3))
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        told = [
            (event.created_at.day, event.user_id, getattr(event, "order_id", None))
            for event in warehouse.events()
        ]
    assert told == [
        (1, "w", "d"),
        (2, "V", None),
        (2, "v", None),
        (2, "U", "c"),
        (2, "u", "B"),
        (2, "u", "b"),
        (3, "x", None),
    ]


def test_the_order_of_users(tmp_path: Path) -> None:
    shop = Shop().user("b", day(3)).user("a", day(2)).user("a", day(4))
    shop.order("1", "b", created_at=day(1)).order("2", "a", created_at=day(2)).order(
        "3", "a", created_at=day(3)
    )
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        events = list(warehouse.events(ordered="user"))
    told = [(event.user_id, event.created_at.day, getattr(event, "order_id", None)) for event in events]
    assert told == [
        ("a", 2, None),
        ("a", 2, "2"),
        ("a", 3, "3"),
        ("a", 4, None),
        ("b", 1, "1"),
        ("b", 3, None),
    ]


def test_items_stand_in_the_order_of_their_ids(tmp_path: Path) -> None:
    brands = {"c": "Acme", "a": "Zeta", "B": "Beta", None: "Nobody"}
    shop = Shop().user("u").order("1", "u", [])
    for row_id, brand in brands.items():
        shop.item("1", f"{brand}/", id=row_id)
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        _, order = warehouse.events()
    assert isinstance(order, Order)
    assert [item.brand for item in order.items] == ["Beta", "Zeta", "Acme", "Nobody"]


def test_items_without_ids_stand_in_the_order_of_their_values(tmp_path: Path) -> None:
    shop = Shop().user("u").order("1", "u", ["b/b", "b/a", "a/z", "/z", "B/x"])
    with open_warehouse(write_csv(shop, tmp_path, without={"order_items": ("id",)})) as warehouse:
        _, order = warehouse.events()
    assert isinstance(order, Order)
    assert [(item.brand, item.category) for item in order.items] == [
        ("B", "x"),
        ("a", "z"),
        ("b", "a"),
        ("b", "b"),
        (None, "z"),
    ]


def test_a_window_of_time(tmp_path: Path) -> None:
    shop = Shop().user("u", day(1)).order("2", "u", created_at=day(2)).order("3", "u", created_at=day(3))
    shop.user("v", day(3)).order("4", "u", created_at=day(4))
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        assert [event.created_at.day for event in warehouse.events(since=at(2))] == [2, 3, 3, 4]
        assert [event.created_at.day for event in warehouse.events(as_of=at(3))] == [1, 2]
        assert [event.created_at.day for event in warehouse.events(at(4), at(3))] == [3, 3]
        assert [event.created_at.day for event in warehouse.events(since=at(2, 1))] == [3, 3, 4]
        naive = datetime(2024, 1, 2)  # noqa: DTZ001 - a time without an offset is UTC
        assert [event.created_at.day for event in warehouse.events(naive)] == [1]


def test_one_order_of_a_user_is_one_event_and_each_user_row_is_one(tmp_path: Path) -> None:
    shop = Shop().user("u", day(1), country="Spain").user("u", day(2), country="Chile")
    shop.order("1", "u", ["Acme/Shoes"], day(1), "Processing").order("1", "u", [], day(3), "Complete")
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        assert list(warehouse.events()) == [
            Signup("u", at(1), country="Spain"),
            Signup("u", at(2), country="Chile"),
            Order("u", "1", at(3), (Item("Acme", "Shoes"),), "Complete"),
        ]


def test_an_order_of_two_users_is_an_event_of_each(tmp_path: Path) -> None:
    shop = Shop().user("u").order("1", "u", ["Acme/Shoes"]).order("1", "v", [])
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        _, first, second = warehouse.events()
    assert isinstance(first, Order)
    assert isinstance(second, Order)
    assert [(order.user_id, len(order.items)) for order in (first, second)] == [
        ("u", 1),
        ("v", 1),
    ]


def test_statuses_do_not_leave_events_out(tmp_path: Path) -> None:
    shop = Shop().user("u").order("1", "u", status="Cancelled")
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        warehouse.features(None, ("Cancelled",))
        assert [event.status for event in warehouse.events() if isinstance(event, Order)] == ["Cancelled"]


def test_events_are_read_while_other_queries_run(tmp_path: Path) -> None:
    shop = Shop()
    for number in range(25_000):
        shop.user(f"{number:05}")
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        events = warehouse.events()
        assert next(events).user_id == "00000"
        assert warehouse.features().num_rows == 25_000
        assert warehouse.counts().users == 25_000
        assert [event.user_id for event in events] == [f"{number:05}" for number in range(1, 25_000)]


def test_counts(tmp_path: Path) -> None:
    shop = (
        Shop()
        .user("u", day(2))
        .user("u", day(3))
        .user("bad", age="x")
        .order("1", "v", ["a/b", "a/b"], day(1))
    )
    shop.order("none", "w", []).order("2", "u", created_at=day(5))
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        counts = warehouse.counts()
        assert (counts.users, counts.signups, counts.orders, counts.items) == (2, 2, 2, 3)
        assert (counts.first_at, counts.last_at) == (at(1), at(5))
        before = warehouse.counts(at(1))
        assert (before.users, before.orders, before.first_at, before.last_at) == (0, 0, None, None)


@pytest.mark.parametrize("ordered", ["time", "user"])
def test_no_facts_are_no_events(tmp_path: Path, ordered: Ordering) -> None:
    with open_warehouse(write_csv(Shop().user("u", day(2)), tmp_path)) as warehouse:
        assert list(warehouse.events(at(1), ordered=ordered)) == []
        assert warehouse.features(at(1)).num_rows == 0
