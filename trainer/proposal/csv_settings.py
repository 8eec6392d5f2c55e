"""The setting ``[csv]``: one form for all CSV files that are read by name."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from schemas.printable import printable_cell
from trainer.proposal.looks.desk import Desk, in_desk
from trainer.proposal.looks.shop_columns import ShopColumn
from trainer.proposal.table_plan import TablePlan, Value
from trainer.proposal.written.date_forms import ISO_FORMS
from trainer.warehouse.tables.reading_rules import Csv
from trainer.warehouse.tables.sql_literals import literal

Setting = dict[str, str | list[str]]


def csv_setting(
    form: Csv, plans: Sequence[TablePlan], used: Iterable[ShopColumn], values: Collection[str], desk: Desk
) -> tuple[Setting, set[str], list[str]]:
    """Find the setting, and which tables must be queries because they are written in another form.

    Args:
        form: the separator and the encoding.
        plans: the tables.
        used: the columns that are read, for their words that mean nothing.
        values: the texts that are values in some column: the setting would empty it.
        desk: the copies, to look at all values.

    Returns:
        The setting; the tables that must be queries; sentences about what no value decides.
    """
    found: Setting = {}
    if form.separator != Csv().separator:
        found["separator"] = form.separator
    if form.encoding != Csv().encoding:
        found["encoding"] = form.encoding
    decimal: str | None = None
    thousands, dates, queries = False, list[str](), set[str]()
    by_name = [plan for plan in plans if plan.table.is_csv and not plan.needs_query]
    for plan in by_name:
        numbers = _numbers(plan)
        marks = {mark for column in numbers if (mark := _decimal(column, desk)) is not None}
        forms = {
            value.column.date.forms for value in plan.values if value.kind == "time" and value.column.date
        }
        mine = [one for several in sorted(forms) for one in several]
        if len(marks | {decimal} - {None}) > 1 or _clash(dates, mine) or (() in forms and mine):
            queries.add(plan.target)
            continue
        decimal = next(iter(marks), decimal)
        thousands = thousands or any(c.number.thousands and c.number.decimal == "." for c in numbers)
        dates += [one for one in mine if one not in dates]
    if dates:
        # They replace the forms that Segue reads by itself.
        queries |= {plan.target for plan in by_name if any(_needs_iso(v, desk) for v in plan.values)}
        if any(_is_iso(v) for plan in by_name if plan.target not in queries for v in plan.values):
            dates += ISO_FORMS
    if decimal == ",":
        found["decimal"] = ","
    elif thousands:
        found["thousands"] = ","
    if dates:
        found["dates"] = dates
    nulls = sorted({word for column in used for word in column.null_words}.difference(values))
    if nulls:
        found["nulls"] = nulls
    return found, queries, list(_doubts(plans, desk))


def _numbers(plan: TablePlan) -> list[ShopColumn]:
    return [value.column for value in plan.values if value.kind == "number"]


def _decimal(column: ShopColumn, desk: Desk) -> str | None:
    """The decimal mark of a column; None for whole numbers, which have none."""
    if column.number.decimal == "," or column.number.thousands:
        return column.number.decimal
    return "." if desk.text(_with_point(column, "true")) else None


def _doubts(plans: Sequence[TablePlan], desk: Desk) -> Iterator[str]:
    """Say which columns have a point that could stand between thousands, as in 600.600, beside commas."""
    all_ = dict.fromkeys(c for plan in plans if plan.table.is_csv for c in _numbers(plan) if not c.is_typed)
    if all(column.number.decimal != "," for column in all_):
        return
    for column in all_:
        if column.number.decimal == "," or column.number.thousands:
            continue
        sample = desk.text(_with_point(column, "true"))
        clear = _with_point(
            column, "not regexp_matches({x}, '(^|[^0-9.])[1-9][0-9]{{0,2}}[.][0-9]{{3}}($|[^0-9])')"
        )
        if sample is not None and desk.text(clear) is None:
            yield (
                f"{printable_cell(column.name)}: no value says whether the point stands before decimals or"
                f" thousands (such as {printable_cell(sample)}), and other columns have a decimal comma; it"
                " is read as decimals, so take it out by replace(…, '.', '') in a query where that is wrong"
            )


def _with_point(column: ShopColumn, condition: str) -> str:
    """The query for a value with a point for which a condition on {x} holds."""
    x, table = in_desk(column), column.place.partition(".")[0]
    return (
        f"select min({x}) from {table}"  # noqa: S608 - our names
        f" where regexp_matches({x}, '[.][0-9]') and {condition.format(x=x)}"
    )


def _clash(forms: Sequence[str], others: Sequence[str]) -> bool:
    """Whether a text could be of a form of both, with day and month exchanged."""
    month_first = {form.startswith("%m") for form in (*forms, *others) if form[:2] in ("%m", "%d")}
    return len(month_first) > 1


def _is_iso(value: Value) -> bool:
    return value.kind == "time" and value.column.date is not None and not value.column.date.forms


def _needs_iso(value: Value, desk: Desk) -> bool:
    """Whether a time of events is in neither form for the setting: with T, a fraction or an offset."""
    if not _is_iso(value):
        return False
    x, table = in_desk(value.column), value.column.place.partition(".")[0]
    forms = ", ".join(map(literal, ISO_FORMS))
    count = desk.one(
        f"select count(*) from {table}"  # noqa: S608 - our names
        f" where regexp_matches({x}, '^[0-9]{{4}}-[0-9]') and try_strptime({x}, [{forms}]) is null"
    )
    return count > 0
