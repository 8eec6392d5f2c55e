"""What is odd about orders: an id for several users, and a user for all guests."""

import pyarrow as pa

from trainer.proposal.looks.desk import Desk
from trainer.proposal.looks.shop_columns import ShopTable
from trainer.proposal.roles.shop_roles import find_shop


def doubts(order_ids: list[str], user_ids: list[str], **more: list[str]) -> tuple[str, ...]:
    days = ["2020-01-01"] * len(order_ids)
    columns = {"receipt no": order_ids, "customer_id": user_ids, "date": days, **more}
    with Desk() as desk:
        place = desk.add(pa.table({name: pa.array(v, pa.string()) for name, v in columns.items()}))
        rows = desk.rows(place)
        looked = tuple(desk.column(place, n, name, "", rows) for n, name in enumerate(columns))
        return find_shop([ShopTable("sales", ("sales",), rows, looked, place)], desk).doubts


def test_numbers_that_begin_again_each_day_are_named() -> None:
    (said,) = doubts(["1", "1", "2", "2", "3"], ["7", "8", "9", "9", "7"])
    assert said == (
        "receipt no: 1 of 3 orders have lines of several users, and each counts for the smallest id of a"
        " user: if the numbers of receipt no begin again, such as each day or in each branch, make an id of"
        " several columns in the queries, such as receipt no with the day of date"
    )
    assert doubts(["1", "1", "2", "2", "3"], ["7", "7", "9", "9", "7"]) == ()


def test_several_statuses_of_an_order_are_named() -> None:
    (said,) = doubts(["1", "1", "2"], ["7", "7", "9"], status=["new", "cancelled", "new"])
    assert said == (
        "status: 1 of 2 orders have rows of several statuses, and each has the first in the alphabet: if the"
        " last one counts, take it by date in the query of the orders"
    )
    assert doubts(["1", "1", "2"], ["7", "7", "9"], status=["new", "new", "paid"]) == ()


def test_a_user_with_the_orders_of_all_guests_is_named() -> None:
    ids = [str(n) for n in range(44)]
    (said,) = doubts(ids, ["0"] * 20 + [str(n // 2) for n in range(2, 26)])
    assert said == (
        'customer_id: "0" has 20 orders and each other user at most 2: if it stands for guests, leave its'
        " orders out by where in a query"
    )
    assert doubts(ids, ["0"] * 19 + [str(n // 2) for n in range(2, 27)]) == ()
    assert doubts(ids, ["0"] * 24 + ["1"] * 3 + [str(n) for n in range(2, 19)]) == ()
