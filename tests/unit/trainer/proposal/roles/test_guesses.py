"""What values say where names say nothing; where several columns fit equally well, nothing is read."""

import pyarrow as pa
import pytest

from schemas.errors import BadWarehouse
from trainer.proposal.looks.desk import Desk
from trainer.proposal.looks.shop_columns import ShopTable
from trainer.proposal.roles.shop_roles import Shop, find_shop

USERS = {"u": [f"U{n}" for n in range(30)], "j": [str(18 + n * 7 % 25) for n in range(30)]}
ORDERS = {
    "o": [f"F{n}" for n in range(120)],
    "w": [f"U{n * 7 % 30}" for n in range(120)],
    "z": [f"2024-01-{1 + n % 28:02}" for n in range(120)],
}
GOODS = {"g": [f"G{n}" for n in range(20)], "p": [f"{n}.5" for n in range(20)]}
OF_GOODS = [f"G{n % 20}" for n in range(120)]


def table(desk: Desk, name: str, columns: dict[str, list[str]]) -> ShopTable:
    place = desk.add(pa.table({key: pa.array(values, pa.string()) for key, values in columns.items()}))
    rows = desk.rows(place)
    looked = tuple(desk.column(place, n, key, "", rows) for n, key in enumerate(columns))
    return ShopTable(name, (name,), rows, looked, place)


def shop(**tables: dict[str, list[str]]) -> Shop:
    with Desk() as desk:
        return find_shop([table(desk, name, columns) for name, columns in tables.items()], desk)


def roles(found: Shop) -> dict[str, str]:
    return {role: column.name for role, column in found.orders.roles.items()}


def test_users_are_unique_in_their_table_and_repeat_in_that_of_their_orders() -> None:
    found = shop(a=ORDERS, b=USERS)

    assert roles(found) == {"order_id": "o", "user_id": "w", "time": "z"}
    assert found.users is not None
    assert {role: column.name for role, column in found.users.roles.items()} == {"user_id": "u", "age": "j"}
    assert len(found.guesses) == 5


def test_names_decide_before_values() -> None:
    both = {"customer_id": ORDERS["w"], "k": [f"K{n % 30}" for n in range(120)], "date": ORDERS["z"]}
    found = shop(a={"o": ORDERS["o"], **both}, b={"k": [f"K{n}" for n in range(30)]}, c=USERS)

    assert roles(found) == {"order_id": "o", "user_id": "customer_id", "time": "date"}
    assert [guess.column.name for guess in found.guesses] == ["o"]


def test_a_table_of_persons_and_a_table_of_goods() -> None:
    found = shop(a={**ORDERS, "g": OF_GOODS}, b=USERS, c=GOODS)

    assert found.orders.roles["user_id"].name == "w"


@pytest.mark.parametrize(
    ("more", "tables", "named"),
    [
        (
            {"g": OF_GOODS},
            {"b": {"u": USERS["u"]}, "c": {"g": GOODS["g"]}},
            ("a.w as its user", "a.g as its user"),
        ),
        ({"y": ORDERS["z"]}, {"b": USERS}, ("a.z as its time", "a.y as its time")),
        (
            {"i": [f"R{n}" for n in range(120)]},
            {"b": USERS},
            ("a.o as an order's id", "a.i as an order's id"),
        ),
        ({"g": OF_GOODS}, {}, ("a.w as its user", "a.g as its user")),
    ],
    ids=["two users", "two times", "two orders", "two users without tables"],
)
def test_columns_that_fit_equally_well_are_named(
    more: dict[str, list[str]], tables: dict[str, dict[str, list[str]]], named: tuple[str, str]
) -> None:
    with pytest.raises(BadWarehouse, match="several columns fit equally well") as caught:
        shop(a={**ORDERS, **more}, **tables)
    assert all(name in str(caught.value) for name in named)


def test_lines_of_one_file() -> None:
    two = {key: [value for value in values for _ in range(2)] for key, values in ORDERS.items()}
    of_lines = {
        "n": ["1", "2"] * 120,
        "q": [str(1 + n % 5 // 3) for n in range(120) for _ in range(2)],
        "g": [f"G{n % 20}" for n in range(240)],
        "p": [f"{n % 50}.5" for n in range(240)],
    }
    found = shop(a={**two, **of_lines})

    assert found.flat
    assert roles(found) == {"order_id": "o", "user_id": "w", "time": "z", "price": "p", "quantity": "q"}


def test_two_prices_are_none() -> None:
    found = shop(
        a={**ORDERS, "p": [f"{n}.5" for n in range(120)], "s": [f"{n}.9" for n in range(120)]}, b=USERS
    )

    assert "price" not in found.orders.roles
    (doubt,) = found.doubts
    assert doubt.startswith("a.p and a.s fit the price of a piece equally well by their values")


def test_a_price_times_a_quantity_is_a_total() -> None:
    pieces = [1 + n % 3 for n in range(120)]
    amounts = {"p": [f"{n}.5" for n in range(120)], "s": [f"{(n + 0.5) * q}" for n, q in enumerate(pieces)]}
    found = shop(a={**ORDERS, **amounts, "q": [str(q) for q in pieces]}, b=USERS)

    assert (found.orders.roles["price"].name, found.orders.roles["quantity"].name) == ("p", "q")
    assert found.doubts == ()


def test_the_price_of_goods_where_an_order_has_one() -> None:
    stores = {"l": [f"L{n}" for n in range(10)]}
    found = shop(
        a={**ORDERS, "g": OF_GOODS, "l": [f"L{n % 10}" for n in range(120)]}, b=USERS, c=GOODS, d=stores
    )

    assert found.orders.roles["product_id"].name == "g"
    assert found.products is not None
    assert found.products.roles["price"].name == "p"


def test_names_that_give_orders_and_no_price() -> None:
    names = dict(zip(("order_id", "user_id", "created_at"), ORDERS.values(), strict=True))
    amounts = [f"{n}.5" for n in range(120)]
    found = shop(a={**names, "p": amounts})

    assert found.orders.roles["price"].name == "p"
    assert [guess.column.name for guess in found.guesses] == ["p"]
    assert shop(a={**names, "p": amounts, "total": amounts}).guesses == ()


def test_dates_years_before_the_orders_are_birthdays() -> None:
    found = shop(a=ORDERS, b={**USERS, "d": [f"{1960 + n}-05-01" for n in range(30)]})

    assert found.users is not None
    assert found.users.roles["birth"].name == "d"


def test_small_numbers_refer_to_nothing_by_chance() -> None:
    """Their values are among the whole numbers of any key."""
    lines = {"o": ORDERS["o"], "q": [str(n % 7) for n in range(120)], "z": ORDERS["z"]}
    with pytest.raises(BadWarehouse, match="no column that looks like"):
        shop(a=lines, b={"k": [str(n) for n in range(20)]})
