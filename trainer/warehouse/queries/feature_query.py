"""Builds the feature query: the steps of ``sql/user_features.sql``, and one step for each declared
feature.
"""

import pyarrow as pa
from sqlglot import exp

from schemas.features import TEXTS, Feature
from schemas.input_events import PROFILE_FIELDS
from trainer.warehouse.queries.parsed_sql import parsed

_EVERYONE, _PROFILES, _SOURCE = "everyone", "profiles", "source_values"


def schema_of(features: tuple[Feature, ...]) -> pa.Schema:
    """The columns of the feature query: ``user_id``, then the features by name."""
    return pa.schema(
        [pa.field("user_id", pa.string(), nullable=False), *((f.name, _type_of(f)) for f in features)]
    )


def feature_query(features: tuple[Feature, ...], *, in_window: bool = False) -> exp.Select:
    """The query that gives one row for every user, with these features in this order, in DuckDB's dialect.

    Args:
        features: the columns after ``user_id``.
        in_window: select only the users of ``sql/window.sql``.
    """
    query = parsed("user_features").copy()
    assert isinstance(query, exp.Select)
    steps = {step.alias: step for step in query.args["with_"].expressions}
    for feature in features:
        name = _step_of(feature)
        if name not in steps:
            steps[name] = exp.CTE(this=_values(feature), alias=exp.TableAlias(this=exp.to_identifier(name)))
        column = feature.source if name == _PROFILES else "value"
        alias = exp.to_identifier(feature.name, quoted=True)
        query.select(exp.alias_(exp.column(column, name), alias), copy=False)
    for name in dict.fromkeys(map(_step_of, features)):
        same_user = exp.column("user_id", _EVERYONE).eq(exp.column("user_id", name))
        query.join(exp.to_table(name), on=same_user, join_type="left", copy=False)
    if in_window:
        query.where(exp.column("user_id", _EVERYONE).isin(query=parsed("window").copy()), copy=False)
    query.args["with_"].set("expressions", _needed(query, steps))
    return query


def _type_of(feature: Feature) -> pa.DataType:
    if feature.counts:
        return pa.int64()
    return pa.float64() if feature.numeric else pa.string()


def _step_of(feature: Feature) -> str:
    return _PROFILES if feature.source in PROFILE_FIELDS else f"{feature.kind}_{feature.source}"


def _values(feature: Feature) -> exp.Query:
    """The query that gives a user id and a value in each row: the feature's kind over its source."""
    kind: str = feature.kind
    if kind == "last":
        kind = "last_text" if feature.source in TEXTS else "last_number"
    query = parsed(f"kinds/{kind}").copy()
    for table in query.find_all(exp.Table):
        assert table.name == _SOURCE
        table.set("this", exp.to_identifier(f"{feature.source}_values"))
    return query


def _needed(query: exp.Select, steps: dict[str, exp.CTE]) -> list[exp.CTE]:
    """The steps that the final select needs, directly or through other steps, in their order."""
    wanted: set[str] = set()
    own = query.copy()
    own.set("with_", None)
    more = {table.name for table in own.find_all(exp.Table)}
    while more:
        wanted |= more
        more = {
            table.name for name in more for table in steps[name].find_all(exp.Table)
        } & steps.keys() - wanted
    return [step for name, step in steps.items() if name in wanted]
