"""Builds the feature query: the steps of ``sql/user_features.sql``, and one step for each declared
feature.
"""

from datetime import date

import pyarrow as pa
import sqlglot
from sqlglot import exp

from schemas.features import FIRST_ORDER, LAST_ORDER, SIGNUP, Feature
from schemas.inputs.fields_read import FieldsRead
from trainer.warehouse.queries.local_dates import local_date
from trainer.warehouse.queries.own_fields import add_own_fields, as_number, column_of, values_step
from trainer.warehouse.queries.parsed_sql import WRITTEN_IN, filled, parsed

_EVERYONE, _PROFILES, _SOURCE = "everyone", "profiles", "source_values"
# By the source of `days_since`: the file in sql/kinds, and the step whose times it reads.
_DATES = {
    LAST_ORDER: ("days_since_last", "counted_orders"),
    FIRST_ORDER: ("days_since_first", "counted_orders"),
    SIGNUP: ("days_since_first", "signups"),
}
_DAYS_SINCE_FIELD = "case when cast(x as date) <= $day then date_diff('day', cast(x as date), $day) end"


def schema_of(features: tuple[Feature, ...]) -> pa.Schema:
    """The columns of the feature query: ``user_id``, then the features by name."""
    return pa.schema(
        [pa.field("user_id", pa.string(), nullable=False), *((f.name, _type_of(f)) for f in features)]
    )


def feature_query(
    features: tuple[Feature, ...],
    read: FieldsRead,
    time_zone: str,
    day: date | None,
    *,
    in_window: bool = False,
) -> exp.Select:
    """The query that gives one row for every user, with these features in this order, in DuckDB's dialect.

    Args:
        features: the columns after ``user_id``.
        read: the fields that are read; at least those of the features.
        time_zone: the name of the zone in which a time becomes a date.
        day: the day of features of time; None only if there are none.
        in_window: select only the users of ``sql/window.sql``.
    """
    query = parsed("user_features").copy()
    assert isinstance(query, exp.Select)
    add_own_fields(query, read, day)
    steps = {step.alias: step for step in query.args["with_"].expressions}
    for field in (*read.order, *read.item):
        own = values_step(field, column_of(field, read))
        steps[own.alias] = own
    for feature in features:
        name = _step_of(feature, read)
        if feature.window is not None:
            values = _window_step(feature, read, time_zone, day)
            steps[values.alias] = values
        if name not in steps:
            kind = exp.CTE(
                this=_values(feature, read, time_zone, day),
                alias=exp.TableAlias(this=exp.to_identifier(name)),
            )
            steps[name] = kind
        value: exp.Expression = exp.column(_source(feature, read) if name == _PROFILES else "value", name)
        if feature.boolean:
            value = as_number(value)
        if name == _PROFILES and feature.kind == "days_since":
            value = filled(_DAYS_SINCE_FIELD, value)
        query.select(exp.alias_(value, exp.to_identifier(feature.name, quoted=True)), copy=False)
    for name in dict.fromkeys(_step_of(feature, read) for feature in features):
        same_user = exp.column("user_id", _EVERYONE).eq(exp.column("user_id", name))
        query.join(exp.to_table(name), on=same_user, join_type="left", copy=False)
    if in_window:
        query.where(exp.column("user_id", _EVERYONE).isin(query=parsed("window").copy()), copy=False)
    query.args["with_"].set("expressions", _needed(query, steps))
    return query


def _type_of(feature: Feature) -> pa.DataType:
    if feature.counts or feature.kind == "days_since":
        return pa.int64()
    return pa.float64() if feature.numeric else pa.string()


def _source(feature: Feature, read: FieldsRead) -> str:
    """The name of the source in the steps: a column of the profiles, or the beginning of a step's name."""
    return (
        column_of(feature.field, read) if feature.field is not None and feature.field.own else feature.source
    )


def _step_of(feature: Feature, read: FieldsRead) -> str:
    if feature.field is not None and feature.field.level == "user":
        return _PROFILES
    window = "" if feature.window is None else f"_{feature.window}d"
    return f"{feature.kind}_{_source(feature, read)}{window}"


def _values_of(feature: Feature, read: FieldsRead) -> str:
    """The name of the step with the values that a feature is made from."""
    window = "" if feature.window is None else f"_{feature.window}d"
    return f"{_source(feature, read)}_values{window}"


def _window_step(feature: Feature, read: FieldsRead, time_zone: str, day: date | None) -> exp.CTE:
    """The step that keeps the values of a feature's window."""
    assert day is not None
    assert feature.window is not None
    begin = date.fromordinal(max(day.toordinal() - feature.window + 1, 1))
    on_day = local_date("created_at", time_zone, day, begin)
    query = sqlglot.parse_one(
        f"select * from (select *, {on_day} as on_day from {_source(feature, read)}_values) as dated"  # noqa: S608
        f" where on_day <= $day and on_day >= cast('{begin}' as date)",
        read=WRITTEN_IN,
    )
    return exp.CTE(this=query, alias=exp.TableAlias(this=exp.to_identifier(_values_of(feature, read))))


def _values(feature: Feature, read: FieldsRead, time_zone: str, day: date | None) -> exp.Query:
    """The query that gives a user id and a value in each row: the feature's kind over its source."""
    if feature.kind == "days_since":
        assert day is not None
        return _days_since(feature, time_zone, day)
    kind: str = feature.kind
    if kind == "last":
        kind = "last_number" if feature.field is None or feature.field.type == "number" else "last_text"
    query = parsed(f"kinds/{kind}").copy()
    for table in query.find_all(exp.Table):
        assert table.name == _SOURCE
        table.set("this", exp.to_identifier(_values_of(feature, read)))
    return query


def _days_since(feature: Feature, time_zone: str, day: date) -> exp.Query:
    kind, step = _DATES[feature.source]
    query = parsed(f"kinds/{kind}").copy()
    for table in query.find_all(exp.Table):
        table.set("this", exp.to_identifier(step))
    for parameter in list(query.find_all(exp.Placeholder)):
        if parameter.name == "local_day":
            parameter.replace(filled(local_date("x", time_zone, day), exp.column("created_at")))
    return query


def _needed(query: exp.Select, steps: dict[str, exp.CTE]) -> list[exp.CTE]:
    """The steps that the final select needs, directly or through other steps, in their order."""
    wanted: set[str] = set()
    all_steps = query.args["with_"].pop()
    more = {table.name for table in query.find_all(exp.Table)}
    query.set("with_", all_steps)
    while more:
        wanted |= more
        more = {
            table.name for name in more for table in steps[name].find_all(exp.Table)
        } & steps.keys() - wanted
    return [step for name, step in steps.items() if name in wanted]
