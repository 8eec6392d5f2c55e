"""How one of Segue's tables is made from the shop's: by names, or by a query."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from schemas.printable import printable_cell
from trainer.proposal.looks.same_ids import same_id_sql
from trainer.proposal.looks.shop_columns import ShopColumn, ShopTable
from trainer.proposal.looks.sql_names import quoted
from trainer.proposal.looks.sql_values import number_sql, time_sql
from trainer.warehouse.tables.table_layout import TABLES
from trainer.warehouse.tables.table_queries import is_query

ValueKind = Literal["id", "text", "number", "time"]
_MAY_BE_FOUND = ("created_at", "quantity")


@dataclass(frozen=True, slots=True)
class Value:
    """One column of Segue's table.

    Attributes:
        target: Segue's name of the column, or the name of a field of the shop's own.
        column: the shop's column.
        kind: what it holds.
        source: which table has it: 0 the plan's, 1 the first joined one, and so on.
        made: its SQL from that of the column; None: the column, read as its kind.
    """

    target: str
    column: ShopColumn
    kind: ValueKind
    source: int = 0
    made: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """A further table, with at most one row for each row of the plan's table."""

    table: ShopTable
    left: ShopColumn
    right: ShopColumn


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on the rows.

    Attributes:
        column: the column that it is about.
        condition: its SQL, with {x} for the column.
        why: which rows it leaves out, and how many.
    """

    column: ShopColumn
    condition: str
    why: str


@dataclass(frozen=True, slots=True)
class TablePlan:
    """One of Segue's tables.

    Attributes:
        target: Segue's name of the table.
        table: the shop's table.
        values: the columns; the first is the id by which rows are grouped, if they are.
        joins: further tables.
        filters: which rows are read.
        grouped: whether the rows with one id are one row.
    """

    target: str
    table: ShopTable
    values: tuple[Value, ...]
    joins: tuple[Join, ...] = ()
    filters: tuple[Filter, ...] = ()
    grouped: bool = False

    @property
    def needs_query(self) -> bool:
        """Whether names alone cannot say it."""
        return bool(
            self.joins
            or self.filters
            or self.grouped
            or len(self.table.parts) > 1
            or is_query(self.table.name)
            or any(value.made is not None or not self._reads(value) for value in self.values)
        )

    def _reads(self, value: Value) -> bool:
        """Whether the column can be read as it is, or as ``[csv]`` says."""
        if self.table.is_csv:
            date = value.column.date
            return not value.column.number.signs and (date is None or not (date.epoch or date.blanks))
        return sql_of(value, "x", "duckdb") == "x"

    def query(self, dialect: str) -> str:
        """The query that makes the table, in the warehouse's SQL."""
        names = self._aliases()
        values = [self._value(value, number, names, dialect) for number, value in enumerate(self.values)]
        lines = [
            "select",
            ",\n".join(f"  {value}" for value in values),
            f"from {self._from(self.table, names[0], dialect)}",
        ]
        for join, name in zip(self.joins, names[1:], strict=True):
            left, right = _of(names[0], join.left, dialect), _of(name, join.right, dialect)
            on = same_id_sql(left, join.left, right, join.right)
            lines.append(f"left join {self._from(join.table, name, dialect)} on {on}")
        for number, one in enumerate(self.filters):
            # In a query braces of a name must stay.
            condition = one.condition.replace("{x}", _of(names[0], one.column, dialect))
            lines += [f"-- {printable_cell(one.why)}", f"{'and' if number else 'where'} {condition}"]
        if self.grouped:
            lines.append(f"group by {_of(names[0], self.values[0].column, dialect)}")
        return "\n".join(lines)

    def names(self, dialect: str, *, in_folder: bool) -> tuple[str | None, Mapping[str, str]]:
        """The name of the table (None: Segue's own) and those of its columns that differ from Segue's."""
        name = self.table.name if in_folder else quoted(self.table.name, dialect)
        columns: dict[str, str] = {}
        chosen = {value.target: value.column.name for value in self.values}
        known = {column.names[0]: column.names for column in TABLES[self.target]}
        lower = {column.name.lower(): column.name for column in self.table.columns}
        for target, column in chosen.items():
            found = next((lower[n] for n in known.get(target, (target,)) if n in lower), None)
            if found != column:
                columns[target] = column
        for target in known:
            if target in _MAY_BE_FOUND and target not in chosen and target in lower:
                columns[target] = ""
        return (None if name == self.target else name), columns

    def _aliases(self) -> Sequence[str]:
        if not self.joins:
            return [""]
        return ["a", *(f"b{number}" if number > 1 else "b" for number in range(1, len(self.joins) + 1))]

    def _value(self, value: Value, number: int, names: Sequence[str], dialect: str) -> str:
        x = sql_of(value, _of(names[value.source], value.column, dialect), dialect)
        if self.grouped and number:
            # Some warehouses know no smallest boolean or UUID.
            x = (
                f"min(cast({x} as text))"
                if value.column.type.lower() in ("boolean", "uuid", "bool")
                else f"min({x})"
            )
        target = quoted(value.target, dialect)
        alias = names[value.source]
        return x if x in (target, f"{alias}.{target}") else f"{x} as {target}"

    @staticmethod
    def _from(table: ShopTable, alias: str, dialect: str) -> str:
        if len(table.parts) == 1:
            return f"{quoted(table.name, dialect)} as {alias}" if alias else quoted(table.name, dialect)
        union = "\n  union all ".join(
            f"select * from {quoted(part, dialect)}"  # noqa: S608
            for part in table.parts
        )
        return f"(\n  {union}\n) as {alias or 'parts'}"


def sql_of(value: Value, x: str, dialect: str) -> str:
    """A value's SQL from that of its column."""
    if value.made is not None:
        return value.made(x)
    if value.kind == "number" and not value.column.is_typed:
        return number_sql(x, value.column)
    return time_sql(x, value.column, dialect) if value.kind == "time" else x


def _of(alias: str, column: ShopColumn, dialect: str) -> str:
    name = quoted(column.name, dialect)
    return f"{alias}.{name}" if alias else name
