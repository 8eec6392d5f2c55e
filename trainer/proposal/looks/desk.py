"""A copy of the shop's tables, as text, in a database in memory:
questions about them need no care for names.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Self

import duckdb
import pyarrow as pa

from schemas.errors import BadWarehouse
from trainer.proposal.looks.name_words import TIME, words_of
from trainer.proposal.looks.shop_columns import ShopColumn, kind_of_type, kind_of_values
from trainer.proposal.looks.sql_values import bare_sql, number_sql
from trainer.proposal.written.date_forms import ISO_FORMS, DateForm
from trainer.proposal.written.date_order import DATE
from trainer.proposal.written.number_forms import PLAIN, number_form
from trainer.warehouse.checks.inspection import NULL_WORDS
from trainer.warehouse.kinds.duckdb_warehouse import connection_settings
from trainer.warehouse.tables.column_types import Form, form_of
from trainer.warehouse.tables.sql_literals import literal

MOST_ROWS = 1_000_000
"""How many rows of a table are looked at."""
A_VALUE = "a value"
"""What stands in a copy for a value of a type without a text, such as a list or JSON."""
_VALUES = 1_000
_SAMPLES = 5
# NA is Namibia, and None may be an answer.
_TEXT_NULLS = tuple(word for word in NULL_WORDS if word not in ("na", "none"))


class Desk:
    """The copies. The columns of a table are c0, c1 and so on; a value is text, and blank text is null."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(":memory:", config=connection_settings())
        self._count = 0

    def add(self, batches: pa.Table) -> str:
        """Copy the columns of an Arrow table, all of text, and return the copy's name."""
        place = self._next()
        renamed = batches.rename_columns([f"c{number}" for number in range(batches.num_columns)])
        self._connection.register("incoming", renamed)
        self._connection.execute(f"create table {place} as select * from incoming")  # noqa: S608 - our names
        self._connection.unregister("incoming")
        self._blanks_to_null(place, batches.num_columns)
        return place

    def read(self, reader: str, columns: int) -> str:
        """Copy what a call of a table function reads, and return the copy's name.

        Args:
            reader: the call.
            columns: how many columns it gives.

        Raises:
            BadWarehouse: it cannot be read. The message is DuckDB's first line.
        """
        place = self._next()
        names = ", ".join(f"c{number}" for number in range(columns))
        try:
            self._connection.execute(
                f"create table {place} as select {names} from {reader}"  # noqa: S608 - our own call, quoted
                f" as file ({names}) limit {MOST_ROWS + 1}"
            )
            self._blanks_to_null(place, columns)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise BadWarehouse(str(error).splitlines()[0]) from None
        return place

    def types_of(self, reader: str) -> Mapping[str, str]:
        """The names and types of the columns that a call of a table function gives.

        Raises:
            BadWarehouse: it cannot be read.
        """
        try:
            described = self._connection.execute(f"describe select * from {reader}").fetchall()  # noqa: S608
        except (duckdb.Error, OSError) as error:
            raise BadWarehouse(str(error).splitlines()[0]) from None
        return {str(row[0]): str(row[1]) for row in described}

    def united(self, places: Sequence[str]) -> str:
        """Copy several tables with the same columns into one, and return its name."""
        place = self._next()
        parts = " union all ".join(f"select * from {one}" for one in places)  # noqa: S608 - our names
        self._connection.execute(f"create table {place} as {parts}")
        return place

    def rows(self, place: str) -> int:
        """How many rows a copy has."""
        return int(self.one(f"select count(*) from {place}"))  # noqa: S608

    def one(self, query: str) -> int:
        """The single whole number that a query gives; 0 for null."""
        found = self._connection.execute(query).fetchall()
        return int(found[0][0] or 0) if found else 0

    def text(self, query: str) -> str | None:
        """The single text that a query gives."""
        found = self._connection.execute(query).fetchall()
        return None if not found or found[0][0] is None else str(found[0][0])

    def values(self, column: ShopColumn) -> list[str]:
        """The different values of a column, the most frequent first; at most a thousand."""
        table, x = column.place.split(".")
        found = self._connection.execute(
            f"select {x} from {table} where {x} is not null group by 1"  # noqa: S608
            f" order by count(*) desc, {x} limit {_VALUES}"
        ).fetchall()
        return [str(row[0]) for row in found if str(row[0]) not in column.null_words]

    def column(self, place: str, number: int, name: str, kind: str, rows: int) -> ShopColumn:
        """Look at one column of a copy.

        Args:
            place: the copy.
            number: the column's number.
            name: its name in the shop.
            kind: the warehouse's type; empty in CSV.
            rows: how many rows the copy has.
        """
        x = f"c{number}"
        if kind and form_of(kind) is Form.NONE:
            filled = self.one(f"select count({x}) from {place}")  # noqa: S608 - our names
            return ShopColumn(name, "unreadable", rows, filled, 0, type=kind, place=f"{place}.{x}")
        typed = kind_of_type(kind) if kind else None
        top = self._connection.execute(
            f"select {x}, count(*) from {place} where {x} is not null"  # noqa: S608
            f" group by 1 order by 2 desc, md5({x}) limit {_VALUES}"
        ).fetchall()
        values = [str(row[0]) for row in top]
        all_words = tuple(value for value in values if value.lower() in NULL_WORDS)
        named_as_time = bool(words_of(name) & TIME)
        kept = [value for value in values if value not in all_words]
        found, date, form = kind_of_values(
            kept, named_as_time=named_as_time, count_dates=partial(self._dates, place, x)
        )
        if found == "number" and len(values) == _VALUES:
            form = number_form([*kept, *self._marked(place, x)]) or form
        if found == "text":
            all_words = tuple(word for word in all_words if word.lower() in _TEXT_NULLS)
        given = ", ".join(map(literal, all_words))
        a_value = f"case when {x} not in ({given}) then {x} end" if all_words else x
        (counted,) = self._connection.execute(
            f"select count(v), count(distinct v), avg(length(v)),"  # noqa: S608
            f" count(case when regexp_matches(v, '^-?[0-9]+\\.0+$') then 1 end)"
            f" from (select {a_value} as v from {place})"
        ).fetchall()
        kept = [value for value in values if value not in all_words]
        # Whole numbers may be seconds since 1970, as the values and the name say.
        if typed is not None and not (typed == "number" and date is not None and date.epoch):
            found, date, form = typed, DateForm() if typed == "date" else None, PLAIN
        return ShopColumn(
            name,
            found if counted[0] or typed == "unreadable" else "empty",
            rows,
            int(counted[0]),
            int(counted[1]),
            tuple(kept[:_SAMPLES]),
            kind,
            date,
            form,
            all_words if not kind or typed is None else (),
            int(counted[3]),
            float(counted[2] or 0.0),
            f"{place}.{x}",
        )

    def _dates(self, place: str, x: str) -> dict[str, int]:
        """How often each date such as 31/01/2016 occurs, without its clock, the most frequent first."""
        found = self._connection.execute(
            f"select regexp_extract({x}, '{DATE}', 1) as date, count(*)"  # noqa: S608 - our names
            f" from {place} where regexp_matches({x}, '{DATE}') group by 1 order by 2 desc, 1"
        ).fetchall()
        return {str(date): int(count) for date, count in found}

    def _marked(self, place: str, x: str) -> list[str]:
        """A value with each use of a comma or a point: a rare value decides which is the decimal mark."""
        patterns = ["[1-9][0-9]{3,}"]
        for mark in ",.":
            uses = ("[0-9]{3}", "([0-9]{1,2}|[0-9]{4,})", f"[0-9]{{3}}[{mark}][0-9]{{3}}")
            patterns += [f"[0-9.,]*[{mark}]{digits}" for digits in uses] + [f"0[{mark}][0-9]+"]
        found = (
            self.text(
                f"select min({x}) from {place}"  # noqa: S608 - our names
                f" where regexp_matches({bare_sql(x)}, '^[+-]?{pattern}$')"
            )
            for pattern in patterns
        )
        return [value for value in found if value is not None]

    def _blanks_to_null(self, place: str, columns: int) -> None:
        """Make blank text null."""
        if columns:
            values = ", ".join(
                f"case when trim(c{n}, chr(32) || chr(9) || chr(160)) <> '' then c{n} end as c{n}"
                for n in range(columns)
            )
            self._connection.execute(
                f"create or replace table {place} as select {values} from {place}"  # noqa: S608
                f" limit {MOST_ROWS}"
            )

    def _next(self) -> str:
        self._count += 1
        return f"t{self._count}"

    def close(self) -> None:
        """Forget the copies."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def in_desk(column: ShopColumn) -> str:
    """A column in a query over the desk: c0. Its table is the part of ``place`` before the point."""
    return column.place.partition(".")[2]


def number_in_desk(column: ShopColumn) -> str:
    """A column of numbers as doubles, in a query over the desk."""
    return f"try_cast({number_sql(in_desk(column), column)} as double)"


def time_in_desk(column: ShopColumn) -> str:
    """A column of dates as timestamps, in a query over the desk."""
    x = f"trim({in_desk(column)})"
    if column.date is None or not column.date.forms:
        return (
            f"coalesce(try_cast({x} as timestamp), try_strptime({x}, ['{ISO_FORMS[0]}', '{ISO_FORMS[1]}']))"
        )
    if column.date.epoch:
        factor = 1000 if "milli" not in column.date.forms[0] else 1
        return f"epoch_ms(try_cast({x} as bigint) * {factor})"
    forms = ", ".join("'" + form + "'" for form in column.date.forms)
    return f"try_strptime({x}, [{forms}])"
