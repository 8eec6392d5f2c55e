"""Adds roles to columns by their contents, where names show no orders."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from schemas.errors import BadWarehouse
from trainer.proposal.looks.desk import Desk
from trainer.proposal.looks.shop_columns import ShopColumn
from trainer.proposal.roles.column_roles import Found, Role, says_nothing
from trainer.proposal.roles.guessed_orders import Reading, readings
from trainer.proposal.roles.guesses import Guess, fit_equally, in_words
from trainer.proposal.roles.shared_values import (
    are_ages,
    are_births,
    are_few,
    has_decimals,
    may_be_id,
    numbers_lines,
    refers,
)

_Test = Callable[[ShopColumn], bool]


@dataclass(slots=True)
class Guessed:
    """The tables with guessed roles beside those that names gave.

    Attributes:
        found: the tables.
        guesses: what was guessed.
        doubts: sentences about columns that fit equally well, so that none of them is read.
    """

    found: list[Found]
    guesses: list[Guess] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def add(self, one: Found, role: Role, column: ShopColumn, what: str, why: str) -> Found:
        """Give a table a role that it lacks; return the table with it."""
        if role in one.roles:
            return one
        more = Found(one.table, {**one.roles, role: column})
        self.found[self.found.index(one)] = more
        self.guesses.append(Guess(one.table, column, what, why))
        return more

    def try_(self, one: Found, role: Role, fits: _Test, what: str, why: str) -> Found:
        """Give a table a role if exactly one column fits whose name says nothing."""
        if role in one.roles:
            return one
        free = [c for c in one.table.columns if c not in one.roles.values() and c.distinct > 1]
        columns = [column for column in free if says_nothing(column.name) and fits(column)]
        if len(columns) > 1:
            self.doubts.append(fit_equally(one.table, columns, what))
        return self.add(one, role, columns[0], what, why) if len(columns) == 1 else one


def guess_roles(found: Sequence[Found], desk: Desk) -> Guessed | None:
    """Guess the columns of orders, their users and their lines from the values.

    Args:
        found: the tables with the roles that names gave; no table has an order's id, user and time.
        desk: the copies.

    Returns:
        The tables with more roles; None if no table can be read as orders.

    Raises:
        BadWarehouse: tables can be read as orders in several ways that fit equally well.
    """
    all_ = readings(found, desk)
    if not all_:
        return None
    if len(all_) > 1:
        raise BadWarehouse(_several(all_))
    guessed = Guessed(list(found))
    orders = _orders(all_[0], guessed)
    if all_[0].users is not None:
        users, key = all_[0].users
        guessed.add(users, "user_id", key, "the id of a user", "its values are unique here")
    of_users = [one for one in guessed.found if "user_id" in one.roles and one.roles["user_id"].unique]
    others = [one for one in guessed.found if one is not orders and one not in of_users]
    for one in of_users:
        births = _births(one, orders, guessed, desk)
        why = "its values are whole numbers from 10 to 100"
        guessed.try_(births, "age", lambda c: are_ages(c, desk), "a user's age", why)
    _lines(orders, others, guessed, desk)
    return guessed


def _orders(reading: Reading, guessed: Guessed) -> Found:
    orders = guessed.add(
        reading.orders,
        "order_id",
        reading.order_id,
        "the order's id",
        "its values are unique" if reading.order_id.unique else "it groups rows of one time and one user",
    )
    if reading.users is None:
        why = "its values repeat over the orders, and each order has one"
    else:
        why = f"its values repeat here and are unique in {in_words(reading.users[0].table, reading.users[1])}"
    orders = guessed.add(orders, "user_id", reading.user_id, "the order's user", why)
    return guessed.add(orders, "time", reading.time, "the order's time", "its values are dates")


def _births(users: Found, orders: Found, guessed: Guessed, desk: Desk) -> Found:
    """Take dates years before the first order for birthdays, and not for the time of the signup."""
    time = users.roles.get("time")
    if time is None or not says_nothing(time.name) or not are_births(time, orders.roles["time"], desk):
        return users
    without = Found(users.table, {role: column for role, column in users.roles.items() if role != "time"})
    guessed.found[guessed.found.index(users)] = without
    return guessed.add(
        without, "birth", time, "a user's birthday", "its dates lie 10 years or more before the first order"
    )


def _lines(orders: Found, others: Sequence[Found], guessed: Guessed, desk: Desk) -> None:
    """Guess what the lines of the orders hold: in their own table, else in that of the orders."""
    order_id = orders.roles["order_id"]
    tables = list(_tables_of_lines(order_id, others, desk))
    if len(tables) > 1:
        tables = [each for each in tables if _has_pieces(each[0], desk)] or tables
    if len(tables) > 1:
        names = " and ".join(in_words(one.table, key) for one, key in tables)
        guessed.doubts.append(f"{names} refer to orders: none is read as order lines: name one by hand")
        return
    lines = orders
    if tables:
        lines, key = tables[0]
        why = f"its values are those of {in_words(orders.table, order_id)}"
        lines = guessed.add(lines, "order_id", key, "the order's id of a line", why)
        lines = _product(lines, [one for one in others if one.table is not lines.table], guessed, desk)
    lines_order_id = lines.roles["order_id"]
    lines = guessed.try_(
        lines,
        "quantity",
        lambda c: are_few(c, desk) and not numbers_lines(c, lines_order_id, desk),
        "the quantity",
        "its values are small whole numbers",
    )
    _amounts(lines, orders, guessed, desk)


def _amounts(lines: Found, orders: Found, guessed: Guessed, desk: Desk) -> None:
    """Guess the price of the lines, else that of the products, else the total of the orders."""
    products = [one for one in guessed.found if "product_id" in one.roles and one is not lines]
    price, why = "the price of a piece", "its values are numbers with decimals"
    role: Role = "price"
    for one in (lines, *products, orders):
        if one.score("price", "total"):
            return
        what = price
        if one is orders and one is not lines:
            role, what = "total", "the total of an order"
        with_it = guessed.try_(one, role, lambda c: has_decimals(c, desk), what, why)
        if with_it is not one or any(has_decimals(c, desk) for c in one.table.columns):
            return


def _tables_of_lines(
    order_id: ShopColumn, others: Sequence[Found], desk: Desk
) -> Iterator[tuple[Found, ShopColumn]]:
    for one in others:
        known = one.roles.get("order_id")
        free = [c for c in one.table.columns if c not in one.roles.values() and may_be_id(c, desk)]
        keys = [c for c in ([known] if known is not None else free) if refers(c, order_id, desk)]
        if len(keys) == 1:
            yield one, keys[0]


def _has_pieces(one: Found, desk: Desk) -> bool:
    return "product_id" in one.roles or any(are_few(column, desk) for column in one.table.columns)


def _product(lines: Found, others: Sequence[Found], guessed: Guessed, desk: Desk) -> Found:
    """Guess the table of products: one with a row for each value of a column of the lines."""
    if "product_id" in lines.roles:
        return lines
    free = [c for c in lines.table.columns if c not in lines.roles.values() and may_be_id(c, desk)]
    keys = [
        (column, one, key)
        for column in free
        for one in others
        for key in one.table.columns
        if key.unique and (key == one.roles.get("product_id") or may_be_id(key, desk))
        if refers(column, key, desk)
    ]
    if len(keys) > 1:
        names = " and ".join(
            f"{in_words(lines.table, c)} ({in_words(one.table, key)})" for c, one, key in keys
        )
        guessed.doubts.append(f"{names} fit the product equally well, so none is read: name one by hand")
    if len(keys) != 1:
        return lines
    column, products, key = keys[0]
    guessed.add(products, "product_id", key, "the id of a product", "its values are unique here")
    why = f"its values are those of {in_words(products.table, key)}"
    return guessed.add(lines, "product_id", column, "the product of a line", why)


def _several(all_: Sequence[Reading]) -> str:
    ways = dict.fromkeys(
        f"{in_words(each.orders.table, each.order_id)} as an order's id with"
        f" {in_words(each.orders.table, each.user_id)} as its user and"
        f" {in_words(each.orders.table, each.time)} as its time"
        for each in all_
    )
    few = list(ways)[:3]
    more = f" (and {len(ways) - len(few)} more)" if len(ways) > len(few) else ""
    return (
        "no table has an order's id, its user and its time by names, and by values several columns fit"
        f" equally well: {'; or '.join(few)}{more}; name the table and its columns by hand in segue.toml,"
        " under [tables] and [columns.orders] (docs/your-data.md)"
    )
