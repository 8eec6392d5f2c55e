"""The setting ``[csv]``: one form for all CSV files that are read by name."""

from collections.abc import Collection, Iterable, Sequence

from trainer.proposal.looks.desk import Desk, in_desk
from trainer.proposal.looks.shop_columns import ShopColumn
from trainer.proposal.number_checks import marked
from trainer.proposal.table_plan import TablePlan, Value
from trainer.proposal.written.date_forms import ISO_FORMS
from trainer.warehouse.tables.reading_rules import Csv
from trainer.warehouse.tables.sql_literals import literal

Setting = dict[str, str | list[str]]


def csv_setting(
    form: Csv, plans: Sequence[TablePlan], used: Iterable[ShopColumn], values: Collection[str], desk: Desk
) -> tuple[Setting, set[str]]:
    """Find the setting, and which tables must be queries because they are written in another form.

    Args:
        form: the separator and the encoding.
        plans: the tables.
        used: the columns that are read, for their words that mean nothing.
        values: the texts that are values in some column: the setting would empty it.
        desk: the copies, to look at all values.

    Returns:
        The setting, and the tables that must be queries.
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
    return found, queries


def _numbers(plan: TablePlan) -> list[ShopColumn]:
    return [value.column for value in plan.values if value.kind == "number"]


def _decimal(column: ShopColumn, desk: Desk) -> str | None:
    """The decimal mark of a column; None for whole numbers, which have none."""
    if column.number.decimal == "," or column.number.thousands:
        return column.number.decimal
    return "." if marked(column, ".", desk) else None


def _clash(forms: Sequence[str], others: Sequence[str]) -> bool:
    """Whether a text could be of a form of both, with its parts exchanged."""
    firsts = {form[:2] for form in (*forms, *others)} & {"%y", "%m", "%d"}
    return len(firsts) > 1


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
