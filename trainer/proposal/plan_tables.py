"""Plans Segue's tables from the shop's."""

from collections.abc import Callable, Iterator, Sequence

from schemas.counted import counted
from schemas.printable import printable_cell
from trainer.proposal.found_fields import FieldFound, last_day
from trainer.proposal.gender_values import gender_sql, spellings
from trainer.proposal.line_filters import line_filters
from trainer.proposal.looks.desk import Desk, in_desk, number_in_desk
from trainer.proposal.looks.shop_columns import ShopColumn
from trainer.proposal.looks.sql_names import quoted
from trainer.proposal.looks.sql_values import age_sql, double_sql, has_short_years
from trainer.proposal.propose_features import Chosen
from trainer.proposal.proposed_settings import Proposal
from trainer.proposal.roles.column_roles import Found
from trainer.proposal.roles.shop_roles import Shop
from trainer.proposal.table_plan import Filter, Join, TablePlan, Value, ValueKind

_MOST_STATUSES = 6
# How the words for orders that were cancelled or returned begin.
_NOT_SOLD = (
    "cancel", "return", "refund", "stornier", "storno", "declin", "reject", "fail", "unavailable", "void",
    "annul", "geannul", "retour", "anul", "zwrot", "zwróc",
)  # fmt: skip


def plan_tables(shop: Shop, chosen: Chosen, desk: Desk, dialect: str, proposal: Proposal) -> list[TablePlan]:
    """Plan the tables that the chosen features read.

    Args:
        shop: the shop's tables and the roles of their columns.
        chosen: the fields that the features read.
        desk: copies of the tables, to look at their values.
        dialect: the warehouse's dialect of SQL.
        proposal: takes a sentence for each decision; changed in place.

    Returns:
        The users if a feature reads one of their fields, the orders, and the items if a feature reads them.
    """
    filters = (
        line_filters(shop.items, desk, dialect, flat=shop.flat)
        if shop.items and (chosen.items or shop.flat)
        else ()
    )
    plans = (
        [_users(shop, chosen, desk, dialect, proposal, filters if shop.flat else ())] if chosen.user else []
    )
    plans.append(_orders(shop, chosen, desk, proposal, filters if shop.flat else ()))
    if chosen.items and shop.items is not None:
        plans.append(_items(shop, shop.items, chosen, desk, dialect, filters, proposal))
    return plans


def _users(
    shop: Shop, chosen: Chosen, desk: Desk, dialect: str, proposal: Proposal, filters: tuple[Filter, ...]
) -> TablePlan:
    table = shop.users or shop.orders
    user_id = table.roles["user_id"]
    person = table.roles.get("person_id") if shop.users is not None else None
    values = [Value("user_id", person or user_id, "id")]
    # Only the tables with a chosen field are joined.
    numbers = sorted({found.source for found in chosen.user.values() if found.source})
    more = [shop.more_users[number - 1] for number in numbers]
    joins = tuple(Join(one.table, user_id, one.roles["user_id"]) for one in more)
    for name, found in chosen.user.items():
        source = numbers.index(found.source) + 1 if found.source else 0
        values.append(_user_value(name, found, source, shop, desk, dialect, proposal))
    signup = table.roles.get("signup") or table.roles.get("time")
    grouped = shop.users is None or person is not None
    if signup is not None and (shop.users is None or person is None):
        values.append(Value("created_at", signup, "time"))
    if shop.users is None:
        proposal.say(
            "tables.users", "There is no table of users: they are those of the orders, with their first time."
        )
    if person is not None:
        proposal.say(
            "tables.users",
            f"A user is a {printable_cell(person.name)}: the other id is another one in each order.",
        )
    return TablePlan("users", table.table, tuple(values), joins, filters, grouped)


def _user_value(
    name: str, found: FieldFound, source: int, shop: Shop, desk: Desk, dialect: str, proposal: Proposal
) -> Value:
    column = found.column
    if found.role == "birth":
        day = last_day(shop.orders, desk) or "2000-01-01"
        proposal.say(
            "tables.users",
            f"age is that on {day}, the day of the last order, from {printable_cell(column.name)}: with a "
            "later export set a later day.",
        )
        if has_short_years(column):
            proposal.warnings.append(
                f"{printable_cell(column.name)}: its years have two digits (such as"
                f" {printable_cell(column.samples[0])}): a birthday after {day} counts as 100 years earlier,"
                " so every age is below 100"
            )
        return Value(name, column, "number", source, lambda x: age_sql(x, column, day, dialect))
    if found.role == "gender":
        known = spellings(desk.values(column))
        if known:
            proposal.say("tables.users", "gender is spelled in several ways: other spellings are no value.")
            return Value(name, column, "text", source, lambda x: gender_sql(x, known))
    kind: ValueKind = "number" if column.kind == "number" and found.role in (None, "age") else "text"
    return Value(name, column, kind, source)


def _orders(
    shop: Shop, chosen: Chosen, desk: Desk, proposal: Proposal, filters: tuple[Filter, ...]
) -> TablePlan:
    roles, table = shop.orders.roles, shop.orders.table
    person = shop.users.roles.get("person_id") if shop.users is not None and chosen.user else None
    joins: tuple[Join, ...] = ()
    user = Value("user_id", roles["user_id"], "id")
    if person is not None and shop.users is not None:
        joins = (Join(shop.users.table, roles["user_id"], shop.users.roles["user_id"]),)
        user = Value("user_id", person, "id", 1)
    values = [Value("order_id", roles["order_id"], "id"), user, Value("created_at", roles["time"], "time")]
    if "status" in roles:
        values.append(Value("status", roles["status"], "text"))
        _offer_statuses(roles["status"], desk, proposal)
    if chosen.total is not None:
        values.append(Value(chosen.total[0], chosen.total[1], "number"))
    if shop.flat:
        proposal.say("tables.orders", *_about_lines(shop.orders, desk))
    return TablePlan("orders", table, tuple(values), joins, filters, shop.flat)


def _offer_statuses(status: ShopColumn, desk: Desk, proposal: Proposal) -> None:
    """Offer to exclude the orders that were cancelled or returned."""
    values = desk.values(status)
    # WooCommerce writes "wc-cancelled".
    found = [value for value in values if value.lower().removeprefix("wc-").startswith(_NOT_SOLD)]
    proposal.say("exclude_statuses", f"Orders of every status ({printable_cell(status.name)}) count.")
    if found:
        proposal.say("exclude_statuses", "To leave some out:")
        proposal.offer("exclude_statuses", f"exclude_statuses = [{_quoted(found)}]")
    elif values:
        proposal.say(
            "exclude_statuses",
            f"exclude_statuses leaves some out; there are {_quoted(values[:_MOST_STATUSES])}"
            f"{' and others' if len(values) > _MOST_STATUSES else ''}.",
        )


def _quoted(values: Sequence[str]) -> str:
    texts = (printable_cell(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return ", ".join(f'"{text}"' for text in texts)


def _about_lines(orders: Found, desk: Desk) -> Iterator[str]:
    order, user, time = (in_desk(orders.roles[role]) for role in ("order_id", "user_id", "time"))
    times = desk.one(
        f"select count(*) from (select 1 from {orders.table.place} where {user} is not null"  # noqa: S608
        f" group by {order} having count(distinct {time}) > 1)"
    )
    yield "Each row is a line of an order, so the lines with one id are one order."
    if times:
        yield f"{counted(times, 'order')} with lines of several times: each has its first."


def _items(
    shop: Shop,
    lines: Found,
    chosen: Chosen,
    desk: Desk,
    dialect: str,
    filters: tuple[Filter, ...],
    proposal: Proposal,
) -> TablePlan:
    values = [Value("order_id", lines.roles["order_id"], "id")]
    products, key = shop.products, shop.product_key
    stocked = products is not None and key is not None and key.name.lower() == "inventory_item_id"
    of_products = any(found.source for found in chosen.item.values()) or (
        "price" not in lines.roles and "total" not in lines.roles
    )
    joins: tuple[Join, ...] = ()
    if products is not None and key is not None and of_products and not stocked:
        joins = (Join(products.table, key, products.roles["product_id"]),)
    if "product_id" in lines.roles:
        values.append(Value("product_id", lines.roles["product_id"], "id"))
    for name, found in chosen.item.items():
        if not (stocked and found.source):
            values.append(Value(name, found.column, "text", found.source))
    quantity = lines.roles.get("quantity")
    if quantity is not None:
        values.append(Value("quantity", quantity, "number"))
    if chosen.spend:
        values += _price(lines, products, quantity, dialect, proposal, joined=bool(joins))
    free = _free_lines(lines, desk)
    if free:
        proposal.say("tables.order_items", free)
    return TablePlan("order_items", lines.table, tuple(values), joins, filters)


def _price(
    lines: Found,
    products: Found | None,
    quantity: ShopColumn | None,
    dialect: str,
    proposal: Proposal,
    *,
    joined: bool,
) -> Iterator[Value]:
    if "price" in lines.roles:
        yield Value("price", lines.roles["price"], "number")
    elif "total" in lines.roles:
        total = lines.roles["total"]
        name = printable_cell(total.name)
        if quantity is None:
            proposal.say("tables.order_items", f"The price is {name}, taken for that of the whole line.")
            yield Value("price", total, "number")
            return
        proposal.say(
            "tables.order_items",
            f"The price of a piece is {name}, taken for that of the whole line, divided by the quantity. If "
            "it is already that of a piece, take the division out.",
        )
        yield Value("price", total, "number", 0, _divided(total, quantity, dialect, joined=joined))
    elif products is not None and "price" in products.roles and joined:
        proposal.say("tables.order_items", f"The price is that of {printable_cell(products.table.name)}.")
        yield Value("price", products.roles["price"], "number", 1)


def _divided(total: ShopColumn, quantity: ShopColumn, dialect: str, *, joined: bool) -> Callable[[str], str]:
    pieces = f"{'a.' if joined else ''}{quoted(quantity.name, dialect)}"
    return lambda x: f"{double_sql(x, total, dialect)} / nullif({double_sql(pieces, quantity, dialect)}, 0)"


def _free_lines(lines: Found, desk: Desk) -> str | None:
    price = lines.roles.get("price")
    if price is None:
        return None
    count = desk.one(
        f"select count(*) from {lines.table.place}"  # noqa: S608
        f" where {number_in_desk(price)} <= 0"
    )
    return f"{count:,} lines have a price of 0 or less; they stay." if count else None
