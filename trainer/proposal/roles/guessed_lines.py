"""Finds the lines of orders, their products and their prices by contents, where names show no price."""

from collections.abc import Iterator, Sequence

from trainer.proposal.looks.desk import Desk
from trainer.proposal.looks.shop_columns import ShopColumn
from trainer.proposal.roles.column_roles import Found, says_nothing
from trainer.proposal.roles.guesses import Guessed, in_words
from trainer.proposal.roles.shared_values import (
    are_few,
    has_decimals,
    is_product,
    may_be_id,
    numbers_lines,
    refers,
)


def guess_lines(orders: Found, known: Found | None, guessed: Guessed, desk: Desk) -> None:
    """Guess what the lines of the orders hold: in their own table, else in that of the orders.

    Args:
        orders: the table of orders.
        known: the table of their lines; None if names show none.
        guessed: gets the guesses.
        desk: the copies.
    """
    others = [one for one in guessed.found if one is not orders and not one.is_of_users]
    lines = known or _lines(orders, others, guessed, desk)
    if lines is None:
        return
    products = [one for one in others if one.table is not lines.table]
    if lines is orders:
        # Goods have prices; stores and cities, to which orders refer too, do not.
        products = [one for one in products if any(has_decimals(c, desk) for c in one.table.columns)]
    lines = _product(lines, products, guessed, desk)
    of_orders = guessed.now(orders.table)
    if _price(lines, of_orders, guessed, desk):
        lines, order_id = guessed.now(lines.table), lines.roles["order_id"]
        guessed.try_(
            lines,
            "quantity",
            lambda c: are_few(c, desk) and not numbers_lines(c, order_id, desk),
            "the quantity",
            "its values are small whole numbers",
        )


def _lines(orders: Found, others: Sequence[Found], guessed: Guessed, desk: Desk) -> Found | None:
    order_id = orders.roles["order_id"]
    tables = list(_tables_of_lines(order_id, others, desk))
    if len(tables) > 1:
        tables = [each for each in tables if _has_pieces(each[0], desk)] or tables
    if len(tables) > 1:
        names = " and ".join(in_words(one.table, key) for one, key in tables)
        guessed.doubts.append(f"{names} refer to orders: none is read as order lines: name one by hand")
        return None
    if not tables:
        return orders
    lines, key = tables[0]
    why = f"its values are those of {in_words(orders.table, order_id)}"
    return guessed.add(lines, "order_id", key, "the order's id of a line", why)


def _price(lines: Found, orders: Found, guessed: Guessed, desk: Desk) -> bool:
    """Guess the price of the lines, else that of the products, else the total of the orders.

    Returns:
        Whether there is a price of a piece.
    """
    if _by_product(lines, guessed, desk):
        return True
    keys = ((one, one.roles.get("product_id")) for one in guessed.found if one is not lines)
    products = [one for one, key in keys if key is not None and key.unique]
    why = "its values are numbers with decimals"
    for one in (lines, *products):
        if one.score("price", "total"):
            return True
        if (
            guessed.try_(one, "price", lambda c: has_decimals(c, desk), "the price of a piece", why)
            is not one
        ):
            return True
        if any(has_decimals(c, desk) for c in one.table.columns):
            return False
    if orders.table is not lines.table and not orders.score("total"):
        guessed.try_(orders, "total", lambda c: has_decimals(c, desk), "the total of an order", why)
    return False


def _by_product(lines: Found, guessed: Guessed, desk: Desk) -> bool:
    """Guess price and quantity if their product is another column, the total of the line."""
    free = [c for c in lines.table.columns if c not in lines.roles.values() and says_nothing(c.name)]
    amounts = [column for column in free if has_decimals(column, desk)]
    pieces = [lines.roles["quantity"]] if "quantity" in lines.roles else free
    found = [
        (price, quantity, total)
        for quantity in pieces
        if are_few(quantity, desk)
        for price in amounts
        for total in amounts
        if price is not total and is_product(total, price, quantity, desk)
    ]
    if len(found) != 1:
        return False
    price, quantity, total = found[0]
    times = f"{in_words(lines.table, price)} times {in_words(lines.table, quantity)}"
    why = f"{times} is {in_words(lines.table, total)}"
    lines = guessed.add(lines, "price", price, "the price of a piece", why)
    guessed.add(lines, "quantity", quantity, "the quantity", why)
    return True


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
