"""Finds the orders by contents, where no table has an order's id, its user and its time by names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trainer.proposal.looks.desk import Desk
from trainer.proposal.looks.shop_columns import ShopColumn
from trainer.proposal.roles.column_roles import Found, says_nothing
from trainer.proposal.roles.personal_data import CONTACT, personal
from trainer.proposal.roles.shared_values import (
    are_ages,
    are_few,
    goes_with,
    groups_rows,
    has_decimals,
    may_be_id,
    refers,
)

_FEWEST_USERS = 12
_MOST_ORDERS_OF_A_USER = 20


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a table as orders.

    Attributes:
        orders: the table.
        order_id: its column of the order's id.
        user_id: its column of the user's id.
        time: its column of the order's time.
        users: the table of users, and its column to which ``user_id`` refers; None if there is none.
    """

    orders: Found
    order_id: ShopColumn
    user_id: ShopColumn
    time: ShopColumn
    users: tuple[Found, ShopColumn] | None


def readings(found: Sequence[Found], desk: Desk) -> list[Reading]:
    """All ways to read a table as orders that fit equally well.

    Names decide before values, and a table with a row for each order before that of the orders' lines.
    """
    all_ = [reading for one in found for reading in _of_table(one, found, desk)]
    fits = [(_named(one), _personal(one, desk), one.order_id.unique) for one in all_]
    return [one for one, fit in zip(all_, fits, strict=True) if fit == max(fits)]


def _named(reading: Reading) -> int:
    of_users = 0 if reading.users is None else reading.users[0].score("user_id")
    return reading.orders.score("order_id", "user_id") + of_users


def _personal(reading: Reading, desk: Desk) -> int:
    """How much the table of users is about persons, and not about products, stores or orders."""
    if reading.users is None:
        return 0
    columns = reading.users[0].table.columns
    signs = (
        any(personal(column, of_users=True) == CONTACT for column in columns),
        any(are_ages(column, desk) for column in columns),
        any(column.kind == "date" for column in columns),
    )
    return sum(signs) - any(has_decimals(column, desk) for column in columns)


def _of_table(one: Found, found: Sequence[Found], desk: Desk) -> Iterator[Reading]:
    times = _times(one)
    ids = [column for column in _free(one) if may_be_id(column, desk)] if times else []
    users = list(_users(one, ids, found, desk))
    for time in times:
        for user_id, table in users:
            for order_id in _order_ids(one, ids, time, user_id, found, desk):
                yield Reading(one, order_id, user_id, time, table)
        for order_id in () if users else _order_ids(one, ids, time, None, found, desk):
            for user_id in _users_of(order_id, ids, desk):
                yield Reading(one, order_id, user_id, time, None)


def _free(one: Found) -> list[ShopColumn]:
    return [column for column in one.table.columns if column not in one.roles.values()]


def _times(one: Found) -> list[ShopColumn]:
    known = one.roles.get("time")
    if known is not None:
        return [known]
    return [column for column in _free(one) if column.kind == "date" and says_nothing(column.name)]


def _users(
    one: Found, ids: Sequence[ShopColumn], found: Sequence[Found], desk: Desk
) -> Iterator[tuple[ShopColumn, tuple[Found, ShopColumn] | None]]:
    """The columns that repeat and are unique in another table, with this table."""
    known = one.roles.get("user_id")
    if known is not None:
        # A row for each user is no order.
        if not known.unique:
            yield known, None
        return
    for column in ids:
        if column.unique:
            continue
        keys = [
            (refers(column, key, desk), other, key)
            for other in found
            if other is not one
            for key in _keys(other, desk)
        ]
        share, table, key = max(keys, key=lambda each: each[0], default=(0, None, None))
        if share and table is not None and key is not None:
            yield column, (table, key)


def _keys(one: Found, desk: Desk) -> list[ShopColumn]:
    known = one.roles.get("user_id")
    if known is not None:
        return [known]
    return [column for column in _free(one) if column.unique and may_be_id(column, desk)]


def _order_ids(
    one: Found,
    ids: Sequence[ShopColumn],
    time: ShopColumn,
    user_id: ShopColumn | None,
    found: Sequence[Found],
    desk: Desk,
) -> list[ShopColumn]:
    """The columns whose values are the ids of orders: each groups rows, or else is unique."""
    known = one.roles.get("order_id")
    if known is not None:
        return [known]
    ids = [column for column in ids if column != user_id]
    lines = [column for column in ids if not column.unique and groups_rows(column, time, desk)]
    if lines:
        return [column for column in lines if user_id is None or goes_with(user_id, column, desk)]
    unique = [column for column in ids if column.unique]
    if len(unique) < 2:
        return unique
    others = [column for other in found if other is not one for column in _free(other)]
    referred = [key for key in unique if any(refers(column, key, desk) for column in others)]
    return referred or unique


def _users_of(order_id: ShopColumn, ids: Sequence[ShopColumn], desk: Desk) -> list[ShopColumn]:
    """The columns that may be the users of orders where there is no table of users.

    A user has several orders, but not very many. What is the same in all orders of a user is a field of it.
    """
    several = [
        column
        for column in ids
        if column != order_id
        and _FEWEST_USERS < column.distinct < order_id.distinct <= _MOST_ORDERS_OF_A_USER * column.distinct
        and not are_few(column, desk)
        and goes_with(column, order_id, desk)
    ]
    return [
        column
        for column in several
        if not any(
            other.distinct > column.distinct and goes_with(column, other, desk)
            for other in several
            if other != column
        )
    ]
