"""Sentences about the rows left out: how many, up to three examples, and what to do."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from schemas.event_fields import short_name
from schemas.features import FEATURE_NAMES
from trainer.warehouse.checks.csv_advice import numbers_advice, times_advice
from trainer.warehouse.checks.inspection import NULL_WORDS
from trainer.warehouse.checks.quoted_values import quoted
from trainer.warehouse.checks.warehouse_reports import Rejected, Rejections
from trainer.warehouse.kinds.csv_files import lines_of
from trainer.warehouse.queries.own_fields import FALSE, NO_BOOLEAN, TRUE
from trainer.warehouse.tables.reading_rules import Csv, Reading
from trainer.warehouse.tables.table_layout import LEVELS, TABLES, Layout
from trainer.warehouse.tables.table_names import Names

_EXAMPLES = 3
_FIELD = re.compile(r"(?:an item's |no order has its )?(?P<field>\S+)(?: is| has|$)")
_IDS = {"users": "user_id", "orders": "order_id", "order_items": "order_id"}
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9.]*[0-9],[0-9]+")
_NOT_ABOVE_0 = re.compile(r"-[0-9][0-9., ]*|0+([.,]0+)?")
# The same texts as in sql/user_features.sql.
_NO_PIECES = "an item's quantity is not a whole number of at least 1"
AHEAD = "created_at is ahead of now by more than max_ahead"
_AHEAD = "correct the time, or set max_ahead to a longer time"
_TIMES = "a time is written as 2024-01-31, 2024-01-31 09:30, 2024-01-31 09:30:00 or 2024-01-31T09:30:00+01:00"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Makes sentences about the rows that were left out.

    Attributes:
        layout: the warehouse's names of the columns.
        files: the CSV file of each table, by Segue's name of the table.
        reading: the rules for reading rows.
        names: the shop's names of the tables.
    """

    layout: Layout
    files: Mapping[str, Path]
    reading: Reading
    names: Names

    def sentences(self, rejections: Rejections) -> Iterator[tuple[str, str]]:
        """Yield the table and a sentence for each table and reason; the reason with most rows first."""
        by_reason = {
            key: _different(list(rows))
            for key, rows in groupby(rejections.rows, key=lambda row: (row.table, row.reason))
        }
        for (table, reason), count in sorted(rejections.counts.items(), key=lambda item: -item[1]):
            rows = by_reason.get((table, reason), [])
            examples = [one for one in self._examples(rows) if one]
            parts = [f"{count:,} {'row' if count == 1 else 'rows'} of {self.names.describe(table)}: {reason}"]
            if examples:
                parts.append(f", for example {_joined(examples)}")
            form = self._form("order_items" if reason.startswith("an item") else table)
            advice = self._advice(table, reason, [row.wrong for row in rows if row.wrong is not None], form)
            parts += [f"; {advice}"] if advice else []
            yield table, "".join(parts)

    def _examples(self, rows: Sequence[Rejected]) -> Iterator[str]:
        if not rows:
            return
        table, wanted = self._wanted(rows)
        path = self.files.get(table)
        lines = (
            [None] * len(rows)
            if path is None
            else lines_of(path, self.reading.csv, wanted, self._whole(table))
        )
        for row, line in zip(rows, lines, strict=True):
            wrong = quoted(row.wrong) if row.wrong is not None else ""
            if line is not None and path is not None:
                yield f"{wrong} ({path.name}, line {line})" if wrong else f"line {line} of {path.name}"
            elif row.table == "order_items":
                yield f"order_id {wrong}" if wrong else ""
            elif row.row_id is not None:
                who = f"{_IDS[row.table]} {quoted(row.row_id)}"
                yield f"{wrong} ({who})" if wrong else who
            else:
                yield wrong

    def _wanted(self, rows: Sequence[Rejected]) -> tuple[str, list[dict[str, str | None]]]:
        """The table that has the wrong values, and for each row the values of its columns in that table."""
        table, field = rows[0].table, _field(rows[0].reason)
        if rows[0].reason.startswith("an item") and self._own("order_items", field) is not None:
            table = "order_items"
        wanted = []
        for row in rows:
            values = {_IDS[row.table]: row.row_id} if row.table != "order_items" else {}
            if row.wrong is not None or row.reason.endswith("is missing"):
                values[field] = row.wrong
            own = {self._own(table, name): value for name, value in values.items()}
            wanted.append({name: value for name, value in own.items() if name is not None})
        return table, wanted

    def _whole(self, table: str) -> frozenset[str]:
        if not self.reading.whole_ids:
            return frozenset()
        own = (self._own(table, column.names[0]) for column in TABLES[table] if column.is_id)
        return frozenset(name for name in own if name is not None)

    def _own(self, table: str, name: str) -> str | None:
        keys = (name, f"{LEVELS[table]}.{name}") if table in TABLES else ()
        return next((own for key in keys if (own := self.layout.get((table, key))) is not None), None)

    def _only_purchases(self) -> str:
        column = self._own("order_items", "quantity") or "quantity"
        name = column if column.isidentifier() else quoted(column)
        pieces = f"try_cast({name} as double)" if "order_items" in self.files else name
        return (
            "a line of no purchase, such as a refund, is left out by a query for order_items under [tables] "
            f"in segue.toml: where coalesce({pieces}, 1) > 0"
        )

    def _form(self, table: str) -> Csv | None:
        """How the file of a table is written; None for a table that is no CSV file."""
        return self.reading.csv if table in self.files else None

    def _advice(self, table: str, reason: str, examples: Sequence[str], form: Csv | None) -> str:
        field = _field(reason)
        if reason == "created_at is not a time":
            return _TIMES if form is None else times_advice(form, _TIMES)
        if reason == AHEAD:
            return _AHEAD
        advice = []
        if self.files and (words := sorted({one for one in examples if one.lower() in NULL_WORDS})):
            texts = ", ".join(map(quoted, words))
            advice.append(f"where {texts} means nothing, set nulls = [{texts}] under [csv] in segue.toml")
        if reason.endswith(NO_BOOLEAN):
            advice.append(
                f"{', '.join(TRUE)} are true and {', '.join(FALSE)} false; translate other words by a query "
                f"under [tables]: case {field} when '…' then 'true' when '…' then 'false' end"
            )
        if reason == _NO_PIECES and any(map(_NOT_ABOVE_0.fullmatch, examples)):
            advice.append(self._only_purchases())
            examples = [one for one in examples if not _NOT_ABOVE_0.fullmatch(one)]
            if not examples:
                return "; ".join(advice)
        comma = any(_DECIMAL_COMMA.fullmatch(one) for one in examples)
        if "number" in reason and (numbers := numbers_advice(form, comma=comma)):
            advice.append(numbers)
        level = "item" if reason.startswith("an item") else LEVELS[table]
        readers = self.reading.readers(short_name(f"{level}.{field}"))
        settings = {"features" if name in FEATURE_NAMES else "declare" for name in readers}
        if readers:
            thing = "it" if len(examples) == 1 else "them"
            advice.append(
                f"correct {thing}, or leave {_joined(readers)} out of the setting {_joined(sorted(settings))}"
            )
        return "; ".join(advice)


def _different(rows: list[Rejected]) -> list[Rejected]:
    """Up to three of the rows; rows with different values come first."""
    firsts = {row.wrong: row for row in reversed(rows)}
    return sorted(rows, key=lambda row: firsts[row.wrong] is not row)[:_EXAMPLES]


def _field(reason: str) -> str:
    """The field in a reason, by Segue's name of the column; empty if the reason names no field.

    >>> _field("an item's price is not a finite number"), _field("user_id is missing")
    ('price', 'user_id')
    >>> _field("no order has its order_id")
    'order_id'
    """
    found = _FIELD.match(reason)
    return found["field"] if found is not None else ""


def _joined(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
