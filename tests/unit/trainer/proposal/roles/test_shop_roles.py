"""Which tables are orders, lines, products and users: by names, and by ids that they share."""

from dataclasses import replace

import pyarrow as pa
import pytest

from schemas.errors import BadWarehouse
from trainer.proposal.looks.desk import Desk
from trainer.proposal.looks.shop_columns import ShopTable
from trainer.proposal.roles.shop_roles import find_shop


def table(desk: Desk, name: str, **columns: list[str]) -> ShopTable:
    place = desk.add(pa.table({key: pa.array(values, pa.string()) for key, values in columns.items()}))
    rows = desk.rows(place)
    looked = tuple(desk.column(place, n, key, "", rows) for n, key in enumerate(columns))
    return ShopTable(name, (name,), rows, looked, place)


def orders(desk: Desk) -> ShopTable:
    return table(
        desk,
        "orders",
        order_id=[str(n) for n in range(20)],
        user_id=[f"{n % 5}.0" for n in range(20)],
        ordered_at=["2020-01-01"] * 20,
    )


def test_users_are_those_of_the_orders() -> None:
    with Desk() as desk:
        users = table(desk, "customers", id=[str(n) for n in range(5)], plan=["a"] * 5)
        others = table(desk, "members", id=[str(n) for n in range(100, 105)], plan=["a"] * 5, more=["b"] * 5)
        shop = find_shop([orders(desk), users, others], desk)
        assert shop.users is not None
        assert (shop.users.table, shop.more_users, shop.flat) == (users, (), False)
        assert shop.doubts == ()


def test_a_table_of_users_with_several_rows_a_user_is_named() -> None:
    with Desk() as desk:
        users = table(desk, "customers", id=["1", "1", "2", "3", "4"], plan=["a"] * 5)
        shop = find_shop([orders(desk), users], desk)
    assert shop.users is None
    (said,) = shop.doubts
    assert said == (
        "customers is not read, as it has 4 different values of id in 5 rows: make one row for each user in a"
        " query"
    )


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        (
            ["0001", "0002", "3x", "0004", "0005"],
            r"""is not read; they are alike as regexp_replace(…, '^0+(.)', '\1')""",
        ),
        ([f"{n} " for n in range(1, 6)], '("1 ", "1"), so customers is not read; they are alike as trim(…):'),
        ([f"x{n}" for n in range(5)], "if they mean the same users, make them alike in a query"),
    ],
)
def test_a_table_whose_ids_have_another_form_is_named(ids: list[str], says: str) -> None:
    with Desk() as desk:
        users = table(desk, "customers", id=ids, plan=["a"] * 5)
        bought = table(
            desk,
            "orders",
            order_id=[str(n) for n in range(20)],
            user_id=[str(1 + n % 5) for n in range(20)],
            ordered_at=["2020-01-01"] * 20,
        )
        shop = find_shop([bought, users], desk)
        assert shop.users is None
        (doubt,) = shop.doubts
        assert doubt.startswith("customers.id and orders.user_id share too few values (")
        assert says in doubt


def test_of_a_table_that_was_read_in_part_the_names_decide() -> None:
    with Desk() as desk:
        users = replace(table(desk, "customers", id=["x", "y"], plan=["a", "b"]), whole=False)
        shop = find_shop([orders(desk), users], desk)
        assert shop.users is not None
        assert shop.users.table is users


def test_lines_and_their_products() -> None:
    with Desk() as desk:
        lines = table(
            desk, "details", order_id=["1", "1", "2"], product_id=["7", "8", "7"], qty=["1", "2", "3"]
        )
        products = table(desk, "products", id=["7", "8", "9"], brand=["A", "B", "C"])
        shop = find_shop([products, lines, orders(desk)], desk)
        assert shop.items is not None
        assert shop.products is not None
        assert (shop.items.table, shop.products.table) == (lines, products)
        assert shop.product_key is not None
        assert shop.product_key.name == "product_id"


def test_a_row_for_each_line_is_flat() -> None:
    with Desk() as desk:
        lines = table(
            desk,
            "x",
            invoice_no=["1", "1"],
            customer_id=["a", "a"],
            date=["2020-01-01"] * 2,
            price=["1", "2"],
        )
        shop = find_shop([lines], desk)
        assert shop.flat
        assert shop.items is shop.orders


def test_what_is_missing_is_named() -> None:
    with (
        Desk() as desk,
        pytest.raises(BadWarehouse, match="has an order's id \\(order_id\\) and its user") as caught,
    ):
        find_shop([table(desk, "orders", order_id=["1"], user_id=["2"], note=["x"])], desk)
    assert "no column that looks like its time" in str(caught.value)
