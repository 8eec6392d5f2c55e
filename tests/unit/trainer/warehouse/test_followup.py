"""What users bought in a window."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random

from tests.support.inputs.shops import Shop, write_csv
from trainer.warehouse import open_warehouse


def at(day: int) -> datetime:
    return datetime(2024, 1, day, tzinfo=UTC)


def day(number: int) -> str:
    return f"2024-01-{number:02} 00:00:00"


def bought(shop: Shop, folder: Path, excluded: tuple[str, ...] = ()) -> dict[str, tuple[int, float | None]]:
    """User id to orders and cents from 5 to 10 January."""
    with open_warehouse(write_csv(shop, folder)) as warehouse:
        rows = warehouse.followup(at(5), at(10), excluded).to_pylist()
    return {row["user_id"]: (row["orders"], row["cents"]) for row in rows}


def test_orders_and_what_they_cost(tmp_path: Path) -> None:
    shop = Shop().user("u").user("v")
    shop.order("1", "u", [{"sale_price": "9.99", "quantity": "3"}, {"sale_price": "0.015"}], day(5))
    shop.order("2", "u", [{"sale_price": "20"}], day(9))
    shop.order("3", "u", [{"sale_price": "1000"}], day(4))
    shop.order("4", "u", [{"sale_price": "1000"}], day(10))
    # 3 * 999 + 2 (half a cent is a cent) + 2000.
    assert bought(shop, tmp_path) == {"u": (2, 4999.0)}


def test_statuses_do_not_count(tmp_path: Path) -> None:
    shop = Shop().user("u").order("1", "u", [{"sale_price": "1"}], day(6), "Returned")
    shop.order("2", "v", [{"sale_price": "1"}], day(6))
    assert bought(shop, tmp_path, ("Returned",)) == {"v": (1, 100.0)}


def test_without_a_price(tmp_path: Path) -> None:
    shop = Shop().user("u").order("1", "u", [{}], day(6)).order("2", "v", [{}, {"sale_price": "2"}], day(6))
    assert bought(shop, tmp_path) == {"u": (1, None), "v": (1, 200.0)}


def test_amounts_that_no_shop_has_do_not_stop_it(tmp_path: Path) -> None:
    shop = Shop().user("u").order("1", "u", [{"sale_price": "1e300"}, {"sale_price": "2"}], day(6))
    shop.order("2", "v", [{"sale_price": "3", "quantity": "9000000000000000000"}], day(6))
    assert bought(shop, tmp_path) == {"u": (1, 200.0), "v": (1, None)}


def test_the_same_as_adding_up_by_hand(tmp_path: Path) -> None:
    random = Random(3)
    shop, expected = Shop().user("u"), dict[str, list[Decimal]]()
    for number in range(60):
        user, on = f"u{random.randrange(8)}", random.randint(3, 12)
        prices = [Decimal(random.randint(1, 9999)) / 100 for _ in range(random.randint(1, 4))]
        shop.order(str(number), user, [{"sale_price": str(price)} for price in prices], day(on))
        if 5 <= on < 10:
            expected.setdefault(user, []).append(sum(prices, Decimal()))
    assert bought(shop, tmp_path) == {
        user: (len(orders), float(sum(orders) * 100)) for user, orders in expected.items()
    }


def test_the_orders_one_by_one_add_up_to_the_same(tmp_path: Path) -> None:
    chance = Random(7)
    shop = Shop()
    for number in range(60):
        items: list[str | dict[str, str | None]] = [
            {"sale_price": f"{chance.uniform(0, 50):.3f}"} for _ in range(chance.randint(1, 3))
        ]
        shop.order(
            str(number), f"u{number % 7}", items, day(chance.randint(3, 11)), chance.choice(("", "Returned"))
        )
    shop.user("v").order("free", "v", [{}], day(6))
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        orders = list(warehouse.bought(at(5), at(10), ("Returned",)))
        sums = warehouse.followup(at(5), at(10), ("Returned",)).to_pylist()
    assert [user for user, _, _ in orders] == sorted(user for user, _, _ in orders)
    assert all(at(5) <= time < at(10) for _, time, _ in orders)
    for row in sums:
        cents = [price for user, _, price in orders if user == row["user_id"]]
        assert len(cents) == row["orders"]
        priced = [price for price in cents if price is not None]
        assert (sum(priced) if priced else None) == row["cents"]
    assert len(sums) == len({user for user, _, _ in orders})
