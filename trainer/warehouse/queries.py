"""The queries of ``sql/`` for the warehouse at hand: its dialect, its column names, the parameters.

There is one definition of what is a fact: events, rejected rows and counts are other final selects over
the steps of ``user_features.sql``, joined with them as syntax trees.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import sqlglot
from sqlglot import exp

from schemas.features import Feature
from trainer.warehouse.dialects import adapt
from trainer.warehouse.feature_query import feature_query
from trainer.warehouse.layout import TABLES, Layout
from trainer.warehouse.parsed import WRITTEN_IN, parsed

Ordering = Literal["time", "user"]
Parameter = datetime | int | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Queries:
    """The queries as text, for one warehouse.

    Attributes:
        dialect: sqlglot's name of the warehouse's dialect.
        tables: by Segue's name of a table, how its SQL refers to it.
        layout: how its columns are called.
    """

    dialect: str
    tables: Mapping[str, str]
    layout: Layout

    def features(
        self,
        as_of: datetime | None,
        exclude_statuses: tuple[str, ...],
        features: tuple[Feature, ...],
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> str:
        """One row for every user, or for those of ``sql/window.sql``; see
        :mod:`trainer.warehouse.feature_query`.
        """
        return self._text(
            feature_query(features, in_window=start is not None or end is not None),
            {"as_of": as_of, "exclude_statuses": exclude_statuses, "start": start, "end": end},
        )

    def events(self, as_of: datetime | None, since: datetime | None, ordered: Ordering) -> str:
        """The facts, an order as one row an item; see ``sql/events.sql``."""
        query = _over_steps("events")
        if ordered == "user":
            terms = query.args["order"].expressions
            terms.sort(key=lambda term: term.name != "user_id")
        return self._text(query, {"as_of": as_of, "since": since, "exclude_statuses": ()})

    def followup(self, since: datetime, until: datetime, exclude_statuses: tuple[str, ...]) -> str:
        """What users bought in a window; see ``sql/followup.sql``."""
        return self._text(
            _over_steps("followup"), {"as_of": until, "since": since, "exclude_statuses": exclude_statuses}
        )

    def rejected(self, as_of: datetime | None, examples: int) -> str:
        """The rows left out, at most ``examples`` a table and reason; see ``sql/rejected.sql``."""
        return self._text(
            _over_steps("rejected"), {"as_of": as_of, "examples": examples, "exclude_statuses": ()}
        )

    def counts(self, as_of: datetime | None) -> str:
        """One row of totals; see ``sql/counts.sql``."""
        return self._text(_over_steps("counts"), {"as_of": as_of, "exclude_statuses": ()})

    def _text(self, query: exp.Query, parameters: Mapping[str, Parameter]) -> str:
        for column in list(query.find_all(exp.Column)):
            if column.table in TABLES:
                column.replace(self._column(column))
        for table in list(query.find_all(exp.Table)):
            if table.name in TABLES:
                table.replace(self._table(table.name))
        for parameter in list(query.find_all(exp.Placeholder)):
            _fill(parameter, parameters[parameter.name])
        adapt(query, self.dialect)
        # The tree is a copy already; a second one would take as long as all the rest.
        text = query.sql(self.dialect, pretty=True, copy=False, unsupported_level=sqlglot.ErrorLevel.RAISE)
        return text + "\n"

    def _table(self, table: str) -> exp.Table:
        reference = exp.to_table(self.tables[table], dialect=self.dialect)
        if reference.name != table:
            reference.set("alias", exp.TableAlias(this=exp.to_identifier(table)))
        return reference

    def _column(self, column: exp.Column) -> exp.Expression:
        name = self.layout[column.table, column.name]
        return exp.null() if name is None else exp.column(exp.to_identifier(name, quoted=True), column.table)


def _over_steps(name: str) -> exp.Query:
    query = parsed(name).copy()
    query.set("with_", parsed("user_features").args["with_"].copy())
    return query


def _fill(parameter: exp.Placeholder, value: Parameter) -> None:
    """Put a value in a parameter's place; a list of texts has one, as the only member of ``in (…)``."""
    if isinstance(value, tuple):
        texts = [exp.Literal.string(text) for text in value]
        members = parameter.parent
        assert isinstance(members, exp.In)
        members.set("expressions", texts or [exp.cast(exp.null(), "text")])
    elif isinstance(value, int):
        parameter.replace(exp.Literal.number(value))
    else:
        parameter.replace(exp.cast(_time(value), "timestamp", dialect=WRITTEN_IN))


def _time(at: datetime | None) -> exp.Expression:
    if at is None:
        return exp.null()
    utc = at.astimezone(UTC) if at.tzinfo is not None else at
    return exp.Literal.string(utc.replace(tzinfo=None).isoformat(sep=" "))
