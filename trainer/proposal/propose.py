"""Proposes settings for a shop's tables."""

from collections.abc import Collection, Iterable, Sequence

from schemas.printable import printable_cell
from trainer.proposal.csv_settings import csv_setting
from trainer.proposal.looks.desk import Desk
from trainer.proposal.looks.open_tables import ShopTables
from trainer.proposal.looks.shop_columns import ShopColumn, ShopTable
from trainer.proposal.number_checks import number_checks
from trainer.proposal.plan_tables import plan_tables
from trainer.proposal.propose_features import choose
from trainer.proposal.proposed_settings import Proposal
from trainer.proposal.roles.column_roles import Role
from trainer.proposal.roles.personal_data import unfit
from trainer.proposal.roles.shop_roles import Shop, find_shop
from trainer.proposal.table_plan import TablePlan
from trainer.warehouse.tables.column_types import Form, form_of

_KEYS: tuple[Role, ...] = ("order_id", "user_id", "product_id")
_MOST_STATUSES = 12


def propose(found: ShopTables, desk: Desk) -> Proposal:
    """Propose settings for the tables of a warehouse.

    Args:
        found: the tables.
        desk: their copies.

    Raises:
        BadWarehouse: no table has an order's id, its user and its time, or nothing can be a feature.
    """
    shop = find_shop(found.tables, desk)
    proposal = Proposal(used=_uses(found, shop))
    chosen = choose(shop, desk, proposal)
    plans = plan_tables(shop, chosen, desk, found.dialect, proposal)
    columns = [value.column for plan in plans for value in plan.values]
    columns += [column for plan in plans for join in plan.joins for column in (join.left, join.right)]
    _unread(shop, columns, proposal)
    texts = {value for column in columns if column.kind == "text" for value in desk.values(column)}
    held = sorted({word for column in columns for word in column.null_words} & texts)
    for word in held:
        proposal.warnings.append(
            f"{word} means nothing in one column and is a value of another: it stays a value"
        )
    csv, queries = csv_setting(found.form, plans, columns, texts, desk)
    if csv:
        proposal.settings["csv"] = csv
    ids = [value.column for plan in plans for value in plan.values if value.kind == "id"]
    if floats := [column for column in ids if column.float_ids or form_of(column.type) is Form.NUMBER]:
        names = ", ".join(dict.fromkeys(printable_cell(column.name) for column in floats))
        proposal.settings["whole_ids"] = True
        proposal.say(
            "whole_ids", f"Ids of {names} are whole numbers that are written with a point, as 17850.0."
        )
    _tables(plans, queries, found, proposal)
    proposal.warnings += [guess.sentence() for guess in shop.guesses if guess.column in columns]
    proposal.warnings += shop.doubts
    _check_dates(columns, proposal)
    numbers = [value.column for plan in plans for value in plan.values if value.kind == "number"]
    proposal.warnings += number_checks(numbers, desk)
    if any(not one.table.whole for one in shop.used):
        proposal.say("", "Of some tables only the first rows were looked at.")
    return proposal


def _tables(plans: Sequence[TablePlan], queries: set[str], found: ShopTables, proposal: Proposal) -> None:
    tables: dict[str, str] = {}
    columns: dict[str, dict[str, str]] = {}
    in_folder = found.dialect == "duckdb" and any(table.files for table in found.tables)
    planned = {plan.target for plan in plans}
    for plan in plans:
        proposal.reads[plan.target] = {value.target: value.column.name for value in plan.values}
        if plan.needs_query or plan.target in queries:
            tables[plan.target] = plan.query(found.dialect)
        else:
            name, named = plan.names(found.dialect, in_folder=in_folder)
            if name is not None:
                tables[plan.target] = name
            if named:
                columns[plan.target] = dict(named)
        if plan.target == "users" and all(value.target != "created_at" for value in plan.values):
            columns.setdefault("users", {})["created_at"] = ""
    if "users" not in planned:
        tables["users"] = ""
        proposal.say("tables.users", "No feature reads a field of the user, so no table of users is read.")
    if tables:
        proposal.settings["tables"] = tables
    if columns:
        proposal.settings["columns"] = columns


def _unread(shop: Shop, read: Sequence[ShopColumn], proposal: Proposal) -> None:
    """Name the columns of the tables that nothing reads and for which no reason is given yet."""
    places = {column.place for column in read}
    for one in shop.used:
        by_column = proposal.left_out.setdefault(printable_cell(one.table.name), {})
        has_key = {one.roles[role].place for role in _KEYS if role in one.roles}
        for column in one.table.columns:
            if column.place not in places and column.place not in has_key:
                why = unfit(column, of_users=False) or "nothing reads it"
                by_column.setdefault(printable_cell(column.name), why)
    if "status" not in shop.orders.roles and not shop.flat:
        _offer_as_status(shop.orders.table, places, proposal)


def _offer_as_status(orders: ShopTable, read: Collection[str], proposal: Proposal) -> None:
    """Say which columns of the orders have so few texts that they may be the status."""
    for column in orders.columns:
        few = column.kind == "text" and 2 <= column.distinct <= _MOST_STATUSES
        if few and column.place not in read and unfit(column, of_users=False) is None:
            name = printable_cell(column.name)
            samples = ", ".join(printable_cell(sample) for sample in column.samples)
            proposal.say(
                "exclude_statuses",
                f"{name} has few texts ({samples}). If it is the status of an order, name it as status under"
                " [columns.orders] or in the query of the orders; then exclude_statuses leaves out the orders"
                " of the statuses in its list.",
            )


def _uses(found: ShopTables, shop: Shop) -> dict[str, str]:
    """What each table is for, in words."""
    return {table.name: _use(table, shop) for table in found.tables}


def _use(table: ShopTable, shop: Shop) -> str:
    if table is shop.orders.table:
        return "order lines, with their orders" if shop.flat else "orders"
    if shop.items is not None and table is shop.items.table:
        return "order lines"
    if shop.products is not None and table is shop.products.table:
        return "products"
    if shop.users is not None and table is shop.users.table:
        return "users"
    if any(table is one.table for one in shop.more_users):
        return "more about the users"
    return "not read"


def _check_dates(columns: Iterable[ShopColumn], proposal: Proposal) -> None:
    """Say where no date decides whether the day or the month stands first."""
    for column in dict.fromkeys(columns):
        name = printable_cell(column.name)
        if column.date is not None and column.date.other:
            sample = printable_cell(column.samples[0])
            proposal.warnings.append(
                f"{name}: no value says whether the day or the month stands first (such as {sample}); it is "
                f"read as {column.date.forms[0]}, so correct it to {column.date.other[0]} where that is wrong"
            )
        if column.date is not None and column.date.doubt:
            proposal.warnings.append(f"{name}: {column.date.doubt}")
