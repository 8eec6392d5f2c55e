"""The setting ``[csv]``: one form for all CSV files that are read by name."""

from collections.abc import Collection, Iterable, Sequence

from trainer.proposal.looks.date_forms import ISO_FORMS
from trainer.proposal.looks.shop_columns import ShopColumn
from trainer.proposal.table_plan import TablePlan
from trainer.warehouse.tables.reading_rules import Csv

Setting = dict[str, str | list[str]]


def csv_setting(
    form: Csv, plans: Sequence[TablePlan], used: Iterable[ShopColumn], values: Collection[str]
) -> tuple[Setting, set[str]]:
    """Find the setting, and which tables must be queries because they are written in another form.

    Args:
        form: the separator and the encoding.
        plans: the tables.
        used: the columns that are read, for their words that mean nothing.
        values: the texts that are values in some column: the setting would empty it.
    """
    found: Setting = {}
    if form.separator != Csv().separator:
        found["separator"] = form.separator
    if form.encoding != Csv().encoding:
        found["encoding"] = form.encoding
    decimal: str | None = None
    thousands, dates, queries = False, list[str](), set[str]()
    for plan in plans:
        if plan.needs_query or not plan.table.is_csv:
            continue
        numbers = [value.column for value in plan.values if value.kind == "number"]
        marks = {mark for column in numbers if (mark := _decimal(column)) is not None}
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
    if dates and _reads_iso(plans, queries):
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


def _decimal(column: ShopColumn) -> str | None:
    """The decimal mark of a column; None for whole numbers, which have none."""
    if column.number.decimal == "," or column.number.thousands:
        return column.number.decimal
    return "." if any("." in value for value in column.samples) else None


def _clash(forms: Sequence[str], others: Sequence[str]) -> bool:
    """Whether a text could be of a form of both, with day and month exchanged."""
    month_first = {form.startswith("%m") for form in (*forms, *others) if form[:2] in ("%m", "%d")}
    return len(month_first) > 1


def _reads_iso(plans: Sequence[TablePlan], queries: set[str]) -> bool:
    return any(
        value.kind == "time" and value.column.date is not None and not value.column.date.forms
        for plan in plans
        if not plan.needs_query and plan.table.is_csv and plan.target not in queries
        for value in plan.values
    )
