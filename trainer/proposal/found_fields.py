"""The fields of users and items that could be features, and those that could not, with the reason."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainer.proposal.looks.desk import Desk, in_desk, time_in_desk
from trainer.proposal.looks.name_words import LINE, ORDER, USER, words_of
from trainer.proposal.looks.shop_columns import ShopColumn
from trainer.proposal.roles.column_roles import Found, Role
from trainer.proposal.roles.personal_data import unfit
from trainer.proposal.roles.shop_roles import Shop

_OF_USERS: tuple[Role, ...] = ("gender", "age", "birth", "country", "traffic_source")
_ONE_VALUE, _BY_CHANCE = 0.95, 0.2
_MOST_EMPTY = 0.05


@dataclass(frozen=True, slots=True)
class FieldFound:
    """A column that could be a feature.

    Attributes:
        column: the column.
        role: its role; None for a field of the shop's own.
        source: which table of the plan has it (:class:`~trainer.proposal.table_plan.Value`).
        why_not: why it is none; None if it is one.
    """

    column: ShopColumn
    role: Role | None
    source: int = 0
    why_not: str | None = None


def user_fields(shop: Shop, desk: Desk) -> list[FieldFound]:
    """The fields of the users, from their tables, else from the orders' lines."""
    if shop.users is None:
        return list(_of_orders(shop, desk))
    found: list[FieldFound] = []
    keys = {"user_id", "person_id", "signup", "time"}
    for source, table in enumerate((shop.users, *shop.more_users)):
        by_column = {column.name: role for role, column in table.roles.items()}
        for column in table.table.columns:
            role = by_column.get(column.name)
            if role in keys and not (role == "time" and source):
                continue
            role = role if role in _OF_USERS and not any(f.role == role for f in found) else None
            found.append(FieldFound(column, role, source, _why_no_attribute(column, role)))
    return found


def item_fields(shop: Shop) -> list[FieldFound]:
    """The fields of the lines and of their products."""
    if shop.items is None:
        return []
    found: list[FieldFound] = []
    of_users = {"status", "gender", "age", "birth", "country", "traffic_source"}
    for source, table in enumerate(filter(None, (shop.items, shop.products))):
        by_column = {column.name: role for role, column in table.roles.items()}
        for column in table.table.columns:
            role = by_column.get(column.name)
            if role in ("brand", "category"):
                known = any(one.role == role for one in found)
                why = "another column has it already" if known else None
                why = why or (f"{column.empty_share:.0%} are empty" if column.empty_share > 0.5 else None)
                found.append(FieldFound(column, role, source, why))
            elif role is None or role in of_users:
                why = (
                    "of the user or the order"
                    if role in of_users or words_of(column.name) & (USER | ORDER)
                    else None
                )
                found.append(FieldFound(column, None, source, why or _why_no_favourite(column)))
    return found


def _why_no_attribute(column: ShopColumn, role: Role | None) -> str | None:
    if role == "birth":
        return f"{column.empty_share:.0%} are empty" if column.empty_share > _MOST_EMPTY else None
    why = unfit(column, of_users=True) if role is None or column.distinct < 2 else None
    if why is None and column.empty_share > _MOST_EMPTY:
        return f"{column.empty_share:.0%} are empty, and a user without it cannot be trained on"
    return why


def _why_no_favourite(column: ShopColumn) -> str | None:
    why = unfit(column, of_users=False)
    if why is None and column.kind == "number":
        return "a number of the lines"
    if why is None and column.empty_share > 0.5:
        return f"{column.empty_share:.0%} are empty"
    return why


def _of_orders(shop: Shop, desk: Desk) -> Sequence[FieldFound]:
    """The columns of the orders that have one value a user."""
    found = []
    by_column = {column.name: role for role, column in shop.orders.roles.items()}
    for column in shop.orders.table.columns:
        role = by_column.get(column.name)
        if role is not None and role not in _OF_USERS:
            continue
        why = _why_no_attribute(column, role) or (
            "it describes the product"
            if words_of(column.name) & (LINE | {"product"}) and role is None
            else None
        )
        if why is None and not _one_a_user(shop.orders, column, desk):
            why = "users have several values"
        found.append(FieldFound(column, role, 0, why))
    return found


def _one_a_user(orders: Found, column: ShopColumn, desk: Desk) -> bool:
    user, order = (in_desk(orders.roles[role]) for role in ("user_id", "order_id"))
    x = in_desk(column)
    found = desk.text(
        f"select avg(case when n = 1 then 1.0 else 0 end) from (select count(distinct {x}) as n"  # noqa: S608
        f" from {orders.table.place} where {user} is not null group by {user}"
        f" having count(distinct {order}) > 1)"
    )
    return found is None or float(found) >= _ONE_VALUE  # None: no user has several orders


def is_of_order(column: ShopColumn, lines: Found, desk: Desk) -> bool:
    """Whether the lines of nearly every order with several have one value, as the order's total has."""
    x, order = in_desk(column), in_desk(lines.roles["order_id"])
    alike = desk.text(
        f"select avg(case when n = 1 then 1.0 else 0 end) from (select count(distinct {x}) as n"  # noqa: S608
        f" from {lines.table.place} where {order} is not null group by {order} having count({x}) > 1)"
    )
    # Where one price is usual, the lines of an order are alike by chance.
    by_chance = desk.text(
        f"select sum(n * n) / pow(sum(n), 2) from (select count(*) as n from {lines.table.place}"  # noqa: S608
        f" where {x} is not null group by {x})"
    )
    return alike is not None and float(alike) >= _ONE_VALUE and float(by_chance or 1) < _BY_CHANCE


def last_day(orders: Found, desk: Desk) -> str | None:
    """The day of the last order; None if no time can be read."""
    time = time_in_desk(orders.roles["time"])
    return desk.text(f"select max({time})::date from {orders.table.place}")  # noqa: S608
