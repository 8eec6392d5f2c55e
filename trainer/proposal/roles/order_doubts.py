"""Says what is odd about the orders: one id for several users, and one user for the guests."""

from collections.abc import Iterator

from schemas.printable import printable_cell
from trainer.proposal.looks.desk import Desk, in_desk
from trainer.proposal.roles.column_roles import Found

# Guests under one id have far more orders than any customer.
_MANY_ORDERS, _TIMES_THE_NEXT = 20, 10


def order_doubts(orders: Found, desk: Desk) -> Iterator[str]:
    """Say where an order has several users, and where a user is most likely all guests.

    Args:
        orders: the table of orders, or of their lines.
        desk: the copies.
    """
    yield from _several_users(orders, desk)
    yield from _guests(orders, desk)


def _several_users(orders: Found, desk: Desk) -> Iterator[str]:
    order, user = (in_desk(orders.roles[role]) for role in ("order_id", "user_id"))
    users = (
        f"select count(distinct {user}) as n from {orders.table.place}"  # noqa: S608 - our names
        f" where {order} is not null and {user} is not null group by {order}"
    )
    several, all_ = (
        desk.one(f"select count(*) from ({users}) where {condition}")  # noqa: S608 - as above
        for condition in ("n > 1", "true")
    )
    if several:
        name, of_time = (printable_cell(orders.roles[role].name) for role in ("order_id", "time"))
        yield (
            f"{name}: {several:,} of {all_:,} orders have lines of several users, and each counts for the"
            f" smallest id of a user: if the numbers of {name} begin again, such as each day or in each"
            f" branch, make an id of several columns in the queries, such as {name} with the day of {of_time}"
        )


def _guests(orders: Found, desk: Desk) -> Iterator[str]:
    order, user = (in_desk(orders.roles[role]) for role in ("order_id", "user_id"))
    counted = (
        f"select {user} as id, count(distinct {order}) as n"  # noqa: S608 - our names
        f" from {orders.table.place} where {user} is not null group by 1"
    )
    most, next_ = (
        desk.one(f"select coalesce(max(n), 0) from (select n from ({counted}) order by n desc offset {k})")  # noqa: S608
        for k in (0, 1)
    )
    if most >= _MANY_ORDERS and next_ and most >= _TIMES_THE_NEXT * next_:
        user_id = desk.text(f"select id from ({counted}) order by n desc limit 1") or ""  # noqa: S608
        name = printable_cell(orders.roles["user_id"].name)
        yield (
            f'{name}: "{printable_cell(user_id)}" has {most:,} orders and each other user at most {next_:,}:'
            " if it stands for guests, leave its orders out by where in a query"
        )
