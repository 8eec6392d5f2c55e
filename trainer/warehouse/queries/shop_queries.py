"""The queries of ``sql/`` for one warehouse: with its dialect, its column names and the parameters.

There is only one definition of a fact. Events, rejected rows and counts use the steps of
``user_features.sql`` with another final select; both are joined as syntax trees.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

import sqlglot
from sqlglot import exp

from schemas.days import UTC_NAME
from schemas.features import Feature
from schemas.inputs.fields_read import EVERY_FIELD, FieldsRead
from trainer.warehouse.queries.csv_values import as_declared, kind_of
from trainer.warehouse.queries.dialects import adapt, decoded, tried
from trainer.warehouse.queries.feature_query import feature_query
from trainer.warehouse.queries.own_fields import add_own_events, add_own_fields, add_own_wrongs
from trainer.warehouse.queries.parsed_sql import WRITTEN_IN, filled, parsed
from trainer.warehouse.tables.column_types import Form
from trainer.warehouse.tables.reading_rules import Csv
from trainer.warehouse.tables.table_layout import TABLES, Layout, is_id, is_read
from trainer.warehouse.tables.table_references import aliased

Ordering = Literal["time", "user"]
Parameter = datetime | date | int | tuple[str, ...] | None

# An id written as a float, as a whole number. Of a column of numbers only whole ids are left: others were
# refused before.
_WHOLE_TEXT = "regexp_replace(cast(x as text), '^(-?[0-9]+)\\.0+$', '\\1')"
_WHOLE_NUMBER = "case when abs(x) <= 9007199254740992 then cast(cast(x as decimal(38, 0)) as text) end"
_READS = "reads_"


@dataclass(frozen=True, slots=True)
class Queries:
    """The queries as text, for one warehouse.

    Attributes:
        dialect: sqlglot's name of the warehouse's dialect.
        tables: the reference to each table in SQL, by Segue's name of the table. A table that is missing here
            has no rows.
        layout: the warehouse's names of the columns.
        forms: how the values of a column become text; the default is ``TEXT``.
        whole_ids: whether an id such as ``17850.0`` is read as 17850.
        read: the fields that are read: in any other field a wrong value rejects no row.
        latest: the latest time of a fact (``$latest``), for queries without ``as_of``. None: any time; the
            reason that ``$bounded`` guards is then left out.
        csv: how the CSV file of a table is written, by Segue's name of the table.
        time_zone: the name of the zone in which a time becomes a date.
    """

    dialect: str
    tables: Mapping[str, str]
    layout: Layout
    forms: Mapping[tuple[str, str], Form] = field(default_factory=dict)
    whole_ids: bool = False
    read: FieldsRead = EVERY_FIELD
    latest: datetime | None = None
    csv: Mapping[str, Csv] = field(default_factory=dict)
    time_zone: str = UTC_NAME

    def features(
        self,
        as_of: datetime | None,
        exclude_statuses: tuple[str, ...],
        features: tuple[Feature, ...],
        *,
        day: date | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        bounded: bool = True,
    ) -> str:
        """The query for the features of every user; see :mod:`trainer.warehouse.queries.feature_query`.

        Args:
            as_of: only facts strictly before this time; None: all facts.
            exclude_statuses: orders with one of these statuses do not count.
            features: the columns after ``user_id``.
            day: the day of features of time; None only if there are none.
            start: only users with a counted order at or after this time; None: no bound.
            end: only users with a counted order before this time; None: no bound.
            bounded: whether to apply ``latest``. Without it, the text of the query does not depend on the
                time.
        """
        return self._text(
            feature_query(
                features, self.read, self.time_zone, day, in_window=start is not None or end is not None
            ),
            {"as_of": as_of, "exclude_statuses": exclude_statuses, "day": day, "start": start, "end": end},
            bounded=bounded,
        )

    def events(self, as_of: datetime | None, since: datetime | None, ordered: Ordering) -> str:
        """The query for the facts, with one row for each item of an order; see ``sql/events.sql``."""
        query = self._over_steps("events")
        add_own_events(query, self.read)
        if ordered == "user":
            terms = query.args["order"].expressions
            terms.sort(key=lambda term: term.name != "user_id")
        return self._text(query, {"as_of": as_of, "since": since, "exclude_statuses": ()})

    def followup(self, since: datetime, until: datetime, exclude_statuses: tuple[str, ...]) -> str:
        """The query for the users' orders in a window; see ``sql/followup.sql``."""
        return self._text(
            self._over_steps("followup"),
            {"as_of": until, "since": since, "exclude_statuses": exclude_statuses},
        )

    def bought(self, since: datetime, until: datetime, exclude_statuses: tuple[str, ...]) -> str:
        """The query for the orders of a window, one by one; see ``sql/bought.sql``."""
        return self._text(
            self._over_steps("bought"),
            {"as_of": until, "since": since, "exclude_statuses": exclude_statuses},
        )

    def rejected(self, as_of: datetime | None, examples: int) -> str:
        """The query for the rows left out, at most ``examples`` for each table and reason; see
        ``sql/rejected.sql``.
        """
        query = self._over_steps("rejected")
        add_own_wrongs(query, self.read)
        return self._text(query, {"as_of": as_of, "examples": examples, "exclude_statuses": ()})

    def counts(self, as_of: datetime | None) -> str:
        """The query for one row of totals; see ``sql/counts.sql``."""
        return self._text(self._over_steps("counts"), {"as_of": as_of, "exclude_statuses": ()})

    def overlap(self, as_of: datetime | None, examples: int) -> str:
        """The query for the ids that should match; see ``sql/overlap.sql``."""
        return self._text(
            self._over_steps("overlap"), {"as_of": as_of, "examples": examples, "exclude_statuses": ()}
        )

    def statuses(self, as_of: datetime | None, exclude_statuses: tuple[str, ...], examples: int) -> str:
        """The query for the statuses of the orders; see ``sql/statuses.sql``."""
        return self._text(
            self._over_steps("statuses"),
            {"as_of": as_of, "exclude_statuses": exclude_statuses, "examples": examples},
        )

    def look(self, table: str, values: Iterable[str], where: str = "true") -> str:
        """A query for values over one table, without changes to its ids.

        Args:
            table: Segue's name of the table.
            values: the expressions to select, in DuckDB's dialect.
            where: the condition, in DuckDB's dialect.
        """
        text = f"select {', '.join(values)} from {table} where {where}"  # noqa: S608 - all of it is ours
        query = sqlglot.parse_one(text, read=WRITTEN_IN)
        assert isinstance(query, exp.Query)
        return self._text(query, {}, as_they_stand=True)

    def _text(
        self,
        query: exp.Query,
        parameters: Mapping[str, Parameter],
        *,
        as_they_stand: bool = False,
        bounded: bool = True,
    ) -> str:
        latest = self.latest if bounded and parameters.get("as_of") is None else None
        # One walk through the tree for all three, since a walk takes as long as writing the text.
        parts = list(query.find_all(exp.Column, exp.Table, exp.Placeholder))
        for part in parts:
            if isinstance(part, exp.Column) and part.table in TABLES:
                part.replace(self._column(part, as_it_stands=as_they_stand))
            elif isinstance(part, exp.Table) and part.name in TABLES:
                part.replace(self._table(part.name))
        for part in parts:
            if isinstance(part, exp.Placeholder):
                self._replace(part, {**parameters, "latest": latest})
        adapt(query, self.dialect)
        # The tree is already a copy; a second copy would take as long as all the rest.
        text = query.sql(self.dialect, pretty=True, copy=False, unsupported_level=sqlglot.ErrorLevel.RAISE)
        return text + "\n"

    def _replace(self, parameter: exp.Placeholder, values: Mapping[str, Parameter]) -> None:
        if parameter.name.startswith(_READS):
            name = parameter.name.removeprefix(_READS)
            _choose(parameter, kept=self.read.items if name == "items" else name in self.read.known)
        elif parameter.name == "bounded":
            _choose(parameter, kept=values["latest"] is not None)
        elif parameter.name == "cents":
            parameter.replace(parsed("cents").selects[0].unalias().copy())
        else:
            _fill(parameter, values[parameter.name])

    def _over_steps(self, name: str) -> exp.Query:
        query = parsed(name).copy()
        query.set("with_", parsed("user_features").args["with_"].copy())
        add_own_fields(query, self.read, None)
        return query

    def _table(self, table: str) -> exp.Expression:
        reference = self.tables.get(table)
        return _no_rows(table) if reference is None else aliased(reference, table, self.dialect)

    def _column(self, column: exp.Column, *, as_it_stands: bool) -> exp.Expression:
        name = self.layout[column.table, column.name]
        if name is None:
            return exp.null()
        own: exp.Expression = exp.column(exp.to_identifier(name, quoted=True), column.table)
        form = self.forms.get((column.table, column.name), Form.TEXT)
        if form is Form.BYTES:
            own = decoded(own, self.dialect)
            own = own if is_read(column.table, column.name, self.read) else tried(own)
        if column.table in self.csv and not as_it_stands:
            own = as_declared(own, kind_of(column.name, self.read), self.csv[column.table])
        whole = self.whole_ids and is_id(column.table, column.name) and not as_it_stands
        if whole and form in (Form.TEXT, Form.BYTES):
            return filled(_WHOLE_TEXT, own)
        return filled(_WHOLE_NUMBER, own) if whole and form is Form.NUMBER else own


def _no_rows(table: str) -> exp.Expression:
    """A table without rows. BigQuery allows no condition without a table, so there is one with one row."""
    query = sqlglot.parse_one("select 1 as one from (select 1 as one) as one where false", read=WRITTEN_IN)
    assert isinstance(query, exp.Query)
    return query.subquery(table)


def _choose(parameter: exp.Placeholder, *, kept: bool) -> None:
    """Replace ``$reads_… and (…)`` by its condition if ``kept``, else remove the branch of the case."""
    condition = parameter.parent
    assert isinstance(condition, exp.And)
    if kept:
        condition.replace(condition.expression.unnest())
        return
    branch = parameter.find_ancestor(exp.If)
    assert branch is not None
    case = branch.parent
    assert isinstance(case, exp.Case)
    branch.pop()
    if not case.args["ifs"]:
        case.replace(exp.cast(exp.null(), "text"))


def _fill(parameter: exp.Placeholder, value: Parameter) -> None:
    """Replace a parameter by its value; a tuple of texts fills the list of ``in (…)``."""
    if isinstance(value, tuple):
        texts = [exp.Literal.string(text) for text in value]
        members = parameter.parent
        assert isinstance(members, exp.In)
        members.set("expressions", texts or [exp.cast(exp.null(), "text")])
    elif isinstance(value, int):
        parameter.replace(exp.Literal.number(value))
    elif isinstance(value, date) and not isinstance(value, datetime):
        parameter.replace(exp.cast(exp.Literal.string(value.isoformat()), "date", dialect=WRITTEN_IN))
    else:
        parameter.replace(exp.cast(_time(value), "timestamp", dialect=WRITTEN_IN))


def _time(at: datetime | None) -> exp.Expression:
    if at is None:
        return exp.null()
    utc = at.astimezone(UTC) if at.tzinfo is not None else at
    return exp.Literal.string(utc.replace(tzinfo=None).isoformat(sep=" "))
