"""Finds which tables of a shop are its users, orders, items and products."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from schemas.errors import BadWarehouse
from schemas.printable import printable_cell
from trainer.proposal.looks.desk import Desk, in_desk
from trainer.proposal.looks.same_ids import whole_id_sql
from trainer.proposal.looks.shop_columns import ShopColumn, ShopTable
from trainer.proposal.roles.column_roles import Found, Role, roles_of, says_nothing, subject_of
from trainer.proposal.roles.guessed_lines import guess_lines
from trainer.proposal.roles.guessed_users import guess_orders
from trainer.proposal.roles.guesses import Guess, Guessed, fit_equally
from trainer.proposal.roles.order_doubts import order_doubts
from trainer.proposal.roles.unlike_ids import OVERLAP, unlike_ids

_NEEDED: Mapping[Role, str] = {"order_id": "an order's id", "user_id": "its user", "time": "its time"}
# Of those that an error names.
_MOST_TABLES, _MOST_COLUMNS = 8, 12


@dataclass(frozen=True, slots=True)
class Shop:
    """The tables of a shop by what they are for.

    Attributes:
        orders: has each order's id, user and time.
        flat: whether it has a row for each line of an order.
        items: has the lines of the orders; None if nothing is known of them.
        products: has a row for each product of the lines; None if there is none.
        product_key: the column of the lines that refers to it.
        users: has a row for each user; None if there is none.
        more_users: other tables with a row for each user.
        guesses: what columns are taken for by their values alone.
        doubts: sentences about columns that fit equally well, so that none of them is read, about tables that
            are not read, and about odd orders.
    """

    orders: Found
    flat: bool
    items: Found | None
    products: Found | None
    product_key: ShopColumn | None
    users: Found | None
    more_users: tuple[Found, ...]
    guesses: tuple[Guess, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def used(self) -> tuple[Found, ...]:
        """All tables that are for something, each once."""
        all_ = (self.orders, self.items, self.products, self.users, *self.more_users)
        return tuple({found.table.name: found for found in all_ if found is not None}.values())


def find_shop(tables: Sequence[ShopTable], desk: Desk) -> Shop:
    """Find which tables are for what.

    Raises:
        BadWarehouse: no table has an order's id, its user and its time, or several columns fit equally well.
    """
    found = [Found(table, roles_of(table)) for table in tables if table.rows]
    by_names = any(map(_is_whole, found))
    guessed = Guessed(found) if by_names else guess_orders(found, desk)
    orders = _orders(guessed.found)
    if not (by_names and any(one.score("price", "total") for one in found)):
        guess_lines(orders, _known_lines(orders, guessed.found, desk), guessed, desk)
        found = guessed.found
        orders = guessed.now(orders.table)
    others = [one for one in found if one is not orders]
    flat = _is_flat(orders)
    items = orders if flat else _items(orders, others, desk)
    products, key = _products(items, [one for one in others if one is not items], desk)
    rest = [one for one in others if one not in (items, products)]
    users, more = _users(orders, rest, desk)
    guesses = dict.fromkeys((*guessed.guesses, *_times(orders, users)))
    unread = [one for one in rest if one is not users and one not in more]
    doubts = (
        *guessed.doubts,
        *order_doubts(orders, desk),
        *_unread_times(users),
        *_unlike_users(orders, unread, desk, needed=users is None),
    )
    return Shop(orders, flat, items, products, key, users, more, tuple(guesses), doubts)


def _is_whole(one: Found) -> bool:
    return one.score(*_NEEDED) == len(_NEEDED)


def _known_lines(orders: Found, found: Sequence[Found], desk: Desk) -> Found | None:
    if _is_flat(orders):
        return orders
    items = _items(orders, [one for one in found if one is not orders], desk)
    return None if items is orders else items


def _times(orders: Found, users: Found | None) -> Iterator[Guess]:
    """The times whose names say nothing: a table's only date."""
    for one, what in ((orders, "the order's time"), (users, "the time of the signup")):
        if one is not None and "time" in one.roles and says_nothing(one.roles["time"].name):
            yield Guess(one.table, one.roles["time"], what, "its values are dates")


def _unread_times(users: Found | None) -> Iterator[str]:
    """Dates of users whose names do not say which is the time of the signup."""
    if users is None or users.score("time", "signup"):
        return
    dates = [column for column in users.table.columns if column.kind == "date" and says_nothing(column.name)]
    if len(dates) > 1:
        yield fit_equally(users.table, dates, "the time of the signup")


def _orders(found: Sequence[Found]) -> Found:
    whole = [one for one in found if _is_whole(one)]
    if not whole:
        raise BadWarehouse(_missing(found))

    def fitness(one: Found) -> float:
        subject = subject_of(one.table.name)
        return (
            2 * one.roles["order_id"].unique
            + (subject == "order")
            - (subject == "item")
            + 0.5 * one.roles["user_id"].filled / one.table.rows
        )

    return max(whole, key=fitness)


def _missing(found: Sequence[Found]) -> str:
    if not found:
        return "no table has rows, so nothing can be proposed: give a warehouse with orders"
    best = max(found, key=lambda one: one.score(*_NEEDED))
    has = [
        f"{what} ({printable_cell(best.roles[role].name)})"
        for role, what in _NEEDED.items()
        if role in best.roles
    ]
    lacks = [what for role, what in _NEEDED.items() if role not in best.roles]
    known = (
        f"{printable_cell(best.table.name)} has {' and '.join(has)}, but no column that looks like"
        if has
        else ("no column looks like")
    )
    return (
        f"no table has an order's id, its user and its time, without which there are no orders: {known} "
        f"{' or '.join(lacks)}; the columns are those of "
        f"{'; '.join(_columns(one.table) for one in found[:_MOST_TABLES])}; name the table and its columns "
        "by hand in segue.toml, under [tables] and [columns.orders] (docs/your-data.md)"
    )


def _columns(table: ShopTable) -> str:
    names = [printable_cell(column.name) for column in table.columns]
    more = f" and {len(names) - _MOST_COLUMNS} more" if len(names) > _MOST_COLUMNS else ""
    return f"{printable_cell(table.name)} ({', '.join(names[:_MOST_COLUMNS])}{more})"


def _is_flat(orders: Found) -> bool:
    """Whether an order has several rows, one for each line."""
    order_id = orders.roles["order_id"]
    of_lines = orders.score("product_id", "price", "quantity", "category", "brand") > 0
    repeated = order_id.distinct < 0.98 * order_id.filled
    return repeated or (of_lines and order_id.distinct < order_id.filled)


def _items(orders: Found, others: Sequence[Found], desk: Desk) -> Found | None:
    lines = [
        one
        for one in others
        if "order_id" in one.roles
        and one.score("product_id", "price", "quantity", "brand", "category")
        and _refers(desk, one, one.roles["order_id"], orders, orders.roles["order_id"])
    ]
    if lines:
        return max(lines, key=lambda one: (one.score("product_id", "price", "quantity"), one.table.rows))
    of_lines = orders.score("product_id", "price", "brand", "category")
    return orders if of_lines else None


def _products(
    items: Found | None, others: Sequence[Found], desk: Desk
) -> tuple[Found | None, ShopColumn | None]:
    if items is None:
        return None, None
    stock = next((c for c in items.table.columns if c.name.lower() == "inventory_item_id"), None)
    for key, wanted in ((stock, "inventory_items"), (items.roles.get("product_id"), "")):
        if key is None:
            continue
        for one in sorted(others, key=lambda other: subject_of(other.table.name) != "product"):
            of_product = one.roles.get("product_id")
            named = one.table.name.lower() == wanted if wanted else of_product is not None
            if wanted and named:
                of_product = next((c for c in one.table.columns if c.name.lower() == "id"), None)
            if (
                named
                and of_product is not None
                and of_product.distinct == of_product.filled
                and _refers(desk, items, key, one, of_product)
            ):
                return Found(one.table, {**one.roles, "product_id": of_product}), key
    return None, None


def _users(orders: Found, others: Sequence[Found], desk: Desk) -> tuple[Found | None, tuple[Found, ...]]:
    user_id = orders.roles["user_id"]
    of_users = [
        one
        for one in others
        if "user_id" in one.roles
        and one.roles["user_id"].unique
        and _refers(desk, orders, user_id, one, one.roles["user_id"])
    ]
    if not of_users:
        return None, ()
    best = max(of_users, key=lambda one: (subject_of(one.table.name) == "user", len(one.table.columns)))
    return best, tuple(one for one in of_users if one is not best)


def _unlike_users(orders: Found, others: Sequence[Found], desk: Desk, *, needed: bool) -> Iterator[str]:
    """Say which tables of users are not read because their ids are not those of the orders."""
    for one in others:
        column = one.roles.get("user_id")
        if column is None or not column.unique:
            if column is not None and needed and subject_of(one.table.name) == "user":
                yield (
                    f"{printable_cell(one.table.name)} is not read, as it has {column.distinct:,} different"
                    f" values of {printable_cell(column.name)} in {one.table.rows:,} rows: make one row for"
                    " each user in a query"
                )
            continue
        alike = unlike_ids(orders, orders.roles["user_id"], one, column, desk, needed=needed)
        if alike is not None:
            yield alike


def _refers(desk: Desk, one: Found, of: ShopColumn, other: Found, with_: ShopColumn) -> bool:
    """Whether half of a column's different values are in another table's column; ids as floats are whole.

    Of tables that were read in part the names alone decide.
    """
    if not (one.table.whole and other.table.whole):
        return True
    a, b = (
        f"select distinct {whole_id_sql(in_desk(c))} as v"  # noqa: S608
        f" from {c.place.partition('.')[0]}"
        for c in (of, with_)
    )
    both = desk.one(f"select count(*) from ({a}) as a inner join ({b}) as b using (v)")  # noqa: S608
    return both >= OVERLAP * max(1, desk.one(f"select count(v) from ({a})"))  # noqa: S608
