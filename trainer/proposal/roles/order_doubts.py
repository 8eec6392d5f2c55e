"""Says what is odd about the orders: one id for several users or statuses, and one user for the guests."""

from collections.abc import Iterator

from schemas.counted import counted
from schemas.printable import printable_cell
from trainer.proposal.looks.desk import Desk, in_desk
from trainer.proposal.looks.shop_columns import ShopColumn
from trainer.proposal.roles.column_roles import Found

# Guests under one id have far more orders than any customer.
_MANY_ORDERS, _TIMES_THE_NEXT = 20, 10


def order_doubts(orders: Found, desk: Desk) -> Iterator[str]:
    """Say where an order has several users or statuses, and where a user is most likely all guests.

    Args:
        orders: the table of orders, or of their lines.
        desk: the copies.
    """
    yield from _several_users(orders, desk)
    if "status" in orders.roles:
        yield from _several_statuses(orders, orders.roles["status"], desk)
    yield from _guests(orders, desk)


def _several_users(orders: Found, desk: Desk) -> Iterator[str]:
    several = _several(orders, orders.roles["user_id"], desk)
    if several is not None:
        name, of_time = (printable_cell(orders.roles[role].name) for role in ("order_id", "time"))
        yield (
            f"{name}: {several} have lines of several users, and each counts for the smallest id of a user: "
            f"if the numbers of {name} begin again, such as each day or in each branch, make an id of several"
            f" columns in the queries, such as {name} with the day of {of_time}"
        )


def _several_statuses(orders: Found, status: ShopColumn, desk: Desk) -> Iterator[str]:
    several = _several(orders, status, desk)
    if several is not None:
        name, of_time = (printable_cell(one.name) for one in (status, orders.roles["time"]))
        yield (
            f"{name}: {several} have rows of several statuses, and each has the first in the alphabet: if the"
            f" last one counts, take it by {of_time} in the query of the orders"
        )


def _several(orders: Found, column: ShopColumn, desk: Desk) -> str | None:
    """How many orders have several values of a column, in words; None if no order has."""
    order, x = in_desk(orders.roles["order_id"]), in_desk(column)
    values = (
        f"select count(distinct {x}) as n from {orders.table.place}"  # noqa: S608 - our names
        f" where {order} is not null and {x} is not null group by {order}"
    )
    several, all_ = (
        desk.one(f"select count(*) from ({values}) where {condition}")  # noqa: S608 - as above
        for condition in ("n > 1", "true")
    )
    return f"{several:,} of {counted(all_, 'order')}" if several else None


def _guests(orders: Found, desk: Desk) -> Iterator[str]:
    order, user = (in_desk(orders.roles[role]) for role in ("order_id", "user_id"))
    numbers = (
        f"select {user} as id, count(distinct {order}) as n"  # noqa: S608 - our names
        f" from {orders.table.place} where {user} is not null group by 1"
    )
    most, next_ = (
        desk.one(f"select coalesce(max(n), 0) from (select n from ({numbers}) order by n desc offset {k})")  # noqa: S608
        for k in (0, 1)
    )
    if most >= _MANY_ORDERS and next_ and most >= _TIMES_THE_NEXT * next_:
        user_id = desk.text(f"select id from ({numbers}) order by n desc limit 1") or ""  # noqa: S608
        name = printable_cell(orders.roles["user_id"].name)
        yield (
            f'{name}: "{printable_cell(user_id)}" has {most:,} orders and each other user at most {next_:,}:'
            " if it stands for guests, leave its orders out by where in a query"
        )
