"""Adds the fields of a shop's own to the steps of ``sql/user_features.sql``, each as one more column.

A field's column goes the way of the known ones: from its table as text, over the check of its value, to the
facts, the profiles and the values of features.
"""

from datetime import date

import sqlglot
from sqlglot import exp

from schemas.event_fields import Field
from schemas.inputs.fields_read import FieldsRead
from trainer.warehouse.queries.local_dates import local_date
from trainer.warehouse.queries.parsed_sql import WRITTEN_IN, filled

_SOURCES = {"user": ("users",), "order": ("orders",), "item": ("order_items", "inventory_items")}
_CHECKED = {"user": "users_checked", "order": "orders_checked", "item": "items_checked"}
# By level, the alias of the row in its step of checks.
_ROW = {"user": "u", "order": "o", "item": "i"}
# By level, a column in the case of sql/rejected.sql that shows the wrong value, and the alias of its rows.
_WRITTEN = {
    "user": ("age_written", None),
    "order": ("o.created_written", "o"),
    "item": ("price_written", None),
}
# By type, the step that reads the texts.
_STEPS = {"number": "numbers", "date": "times"}
TRUE, FALSE = ("true", "t", "1", "yes", "y"), ("false", "f", "0", "no", "n")
"""The texts of a boolean, in any case."""
NO_BOOLEAN = " is neither true nor false"
"""The end of the reason of a row with another text."""


def column_of(field: Field, read: FieldsRead) -> str:
    """The name of a field's column in the steps: a path may be longer than a name in a warehouse."""
    return f"own_{read.own.index(field) + 1}"


def wrong_value(field: Field) -> str:
    """The reason of a row whose value of this field is wrong."""
    name = f"an item's {field.column}" if field.level == "item" else field.column
    match field.type:
        case "text":
            return f"{name} has more than 1,024 bytes"
        case "number":
            return f"{name} is not a finite number"
        case "boolean":
            return f"{name}{NO_BOOLEAN}"
        case "date":
            return f"{name} is neither a date nor a time"


def add_own_fields(query: exp.Query, read: FieldsRead, day: date | None) -> None:
    """Add the columns of all own fields to the steps of a query, in place.

    A column of dates has texts such as 2024-01-31: with ``day`` of a time the date in the zone, as in
    :func:`local_date`, without it the time in UTC as it stands.
    """
    steps = {step.alias: step for step in query.args["with_"].expressions}
    for field in read.own:
        _add(steps, field, column_of(field, read), read.time_zone, day)
    if read.order:
        _break_ties(steps["valid_orders"], read)


def add_own_events(query: exp.Query, read: FieldsRead) -> None:
    """Add the own values to each row of ``sql/events.sql``, in the order of :attr:`FieldsRead.own`."""
    signups, lines = query.args["this"], query.args["expression"]
    for field in read.own:
        column, of_user = column_of(field, read), field.level == "user"
        number = field.type == "number"
        kind = ("double" if of_user else "bigint") if number else "text"
        absent = f"cast(null as {kind}) as {column}"
        written = f"cast({column} as bigint) as {column}" if number and not of_user else column
        signups.select(_expression(written if of_user else absent), copy=False)
        lines.select(_expression(absent if of_user else written), copy=False)
        query.args["order"].append("expressions", exp.Ordered(this=exp.column(column)))


def add_own_wrongs(query: exp.Query, read: FieldsRead) -> None:
    """Add the wrong own values to the rows of ``sql/rejected.sql``; a text that is too long is not shown."""
    for field in read.own:
        if field.type == "text":
            continue
        known, row = _WRITTEN[field.level]
        case = next(case for case in query.find_all(exp.Case) if known in case.sql())
        reason = exp.column("reason", row).eq(exp.Literal.string(wrong_value(field)))
        case.append("ifs", exp.If(this=reason, true=exp.column(f"{column_of(field, read)}_written", row)))


def values_step(field: Field, column: str) -> exp.CTE:
    """The step that gives the values of an order's or an item's own field, with their weights."""
    items = field.level == "item"
    weight = "1" if not items else "pieces" if field.type != "number" else "cast(pieces as bigint)"
    counted = f"{column} is not null" + (" and pieces <= 1000000" if items and field.type == "number" else "")
    query = _query(
        f"select user_id, order_id, created_at, {column} as value,"  # noqa: S608 - all of it is ours
        f" {weight} as weight from {'counted_items' if items else 'counted_orders'} where {counted}"
    )
    return exp.CTE(this=query, alias=exp.TableAlias(this=exp.to_identifier(f"{column}_values")))


def as_number(column: exp.Expression) -> exp.Expression:
    """A boolean's text as the number of a training row: 1 or 0."""
    return filled("case x when 'true' then cast(1 as double) when 'false' then cast(0 as double) end", column)


def _add(steps: dict[str, exp.CTE], field: Field, column: str, time_zone: str, day: date | None) -> None:
    for table in _SOURCES[field.level]:
        _select(steps[f"{table}_source"], f'cast({table}."{field.name}" as text) collate "C" as {column}')
        blank = f"case when s.{column} between '!' and '~' or trim(s.{column}, blank.characters) <> ''"
        _select(steps[f"{table}_read"], f"{blank} then s.{column} end as {column}")
    if field.level == "item":
        _add_stock(steps, column)
    if field.type == "number":
        for table in _SOURCES[field.level]:
            _add_written(steps["numbers_written"], column, f"{table}_read")
    if field.type == "date":
        for table in _SOURCES[field.level]:
            _add_written(steps["times_written"], column, f"{table}_read")
    _add_check(steps[_CHECKED[field.level]], field, column, time_zone, day)
    for step, text in _CARRIED[field.level]:
        _select(steps[step], text.format(column))
    if field.level == "order":
        _select(_inner(steps["valid_orders"]), column)


# The steps that carry the column on, and how.
_CARRIED: dict[str, tuple[tuple[str, str], ...]] = {
    "user": (
        ("signups", "{0}"),
        (
            "profiles",
            (
                "first_value({0}) over (partition by user_id order by"
                " case when {0} is null then 1 else 0 end, created_at desc, {0} desc) as {0}"
            ),
        ),
    ),
    "order": (("valid_orders", "ranked.{0}"), ("valid_items", "o.{0}"), ("counted_orders", "{0}")),
    "item": (("valid_items", "i.{0}"), ("counted_items", "{0}")),
}


def _add_stock(steps: dict[str, exp.CTE], column: str) -> None:
    inventory = steps["inventory"]
    _select(inventory, f"ranked.{column}")
    inner = _inner(inventory)
    _select(inner, column)
    window = inner.find(exp.Window)
    assert window is not None
    window.args["order"].append("expressions", _ordered(f"{column} nulls last"))
    _select(steps["items_known"], f"coalesce(i.{column}, inventory.{column}) as {column}")


def _add_written(step: exp.CTE, column: str, source: str) -> None:
    more = _query(f"select {column} as written from {source} where {column} is not null")  # noqa: S608 - ours
    step.set("this", exp.union(step.this, more, copy=False))


def _add_check(step: exp.CTE, field: Field, column: str, time_zone: str, day: date | None) -> None:
    row, select = f"{_ROW[field.level]}.{column}", step.this
    joined = f"{column}_{'time' if field.type == 'date' else 'number'}"
    if field.type in _STEPS:
        select.join(
            exp.alias_(exp.to_table(_STEPS[field.type]), joined, table=True),
            on=_expression(f"{row} = {joined}.written"),
            join_type="left",
            copy=False,
        )
    if field.type == "date":
        value, wrong = _date_and_wrong(row, f"{joined}.at", time_zone, day)
    else:
        value, wrong = _value_and_wrong(field, row, f"{joined}.value")
    _select(step, f"{value} as {column}")
    _select(step, f"{row} as {column}_written")
    reason = next(each for each in select.expressions if each.alias == "reason")
    text = exp.Literal.string(wrong_value(field))
    reason.this.append("ifs", exp.If(this=_expression(wrong), true=text))


def _value_and_wrong(field: Field, row: str, number: str) -> tuple[str, str]:
    """The value of a field, and the condition under which its text is wrong.

    Args:
        field: the field.
        row: the text.
        number: the text as a number.
    """
    match field.type:
        case "text":
            return f"case when strlen({row}) <= 1024 then {row} end", f"strlen({row}) > 1024"
        case "number":
            value = number if field.level == "user" else _MILLIONTHS.format(number)
            return value, f"{row} is not null and {number} is null"
        case _:  # boolean; for a date see _date_and_wrong
            text = f"lower({row})"
            value = f"case when {text} in {TRUE} then 'true' when {text} in {FALSE} then 'false' end"
            return value, f"{text} not in {TRUE + FALSE}"


def _date_and_wrong(row: str, at: str, time_zone: str, day: date | None) -> tuple[str, str]:
    """The same for a date; ``at`` is the text as a time, midnight for a date."""
    written = at if day is None else local_date(at, time_zone, day)
    value = f"case when length({row}) = 10 then {row} when {at} is not null then cast({written} as text) end"
    return value, f"{row} is not null and {at} is null"


# A number beyond a million millions adds nothing, so that no sum can overflow (schemas.inputs.amounts).
_MILLIONTHS = (
    "case when {0} between -1000000000000 and 1000000000000"
    " then cast(cast(floor({0} * 1000000 + 0.5) as bigint) as decimal(19, 0)) end"
)


def _break_ties(step: exp.CTE, read: FieldsRead) -> None:
    """Order two rows of one order with equal times by their own values as the event's JSON would.

    There the own values come before the status, and an order without any is larger.
    """
    columns = [(field, column_of(field, read)) for field in read.order]
    absent = " and ".join(f"{column} is null" for _, column in columns)
    parts = []
    for field, column in columns:
        quoted = f"'\"' || replace(replace({column}, '\\', '\\\\'), '\"', '\\\"') || '\"'"
        written = f"cast({column} as text)" if field.type == "number" else quoted
        name = field.name.replace("'", "''")
        parts.append(f"case when {column} is null then '' else ',\"{name}\":' || {written} end")
    window = _inner(step).find(exp.Window)
    assert window is not None
    terms = window.args["order"].expressions
    more = [f"case when {absent} then 1 else 0 end desc", f"{' || '.join(parts)} || '}}' desc"]
    window.args["order"].set("expressions", [terms[0], *map(_ordered, more), *terms[1:]])


def _inner(step: exp.CTE) -> exp.Select:
    """The select inside a step that ranks rows and keeps the first."""
    inner = step.this.args["from_"].this.this
    assert isinstance(inner, exp.Select)
    return inner


def _select(step: exp.CTE | exp.Select, text: str) -> None:
    query = step.this if isinstance(step, exp.CTE) else step
    query.select(_expression(text), copy=False)


def _ordered(text: str) -> exp.Expression:
    order = _query(f"select 1 order by {text}").args["order"]
    term = order.expressions[0]
    assert isinstance(term, exp.Expression)
    return term


def _query(text: str) -> exp.Query:
    query = sqlglot.parse_one(text, read=WRITTEN_IN)
    assert isinstance(query, exp.Query)
    return query


def _expression(text: str) -> exp.Expression:
    expression = _query(f"select {text}").expressions[0]
    assert isinstance(expression, exp.Expression)
    return expression
