"""Checks before a warehouse is read: bytes that are not text, ids written as floats, words such as
``null``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from schemas.errors import BadWarehouse
from trainer.warehouse.checks.quoted_values import quoted
from trainer.warehouse.kinds.csv_files import lines_of
from trainer.warehouse.kinds.warehouse_source import Source
from trainer.warehouse.queries.shop_queries import Queries
from trainer.warehouse.tables.column_types import Form
from trainer.warehouse.tables.reading_rules import Reading
from trainer.warehouse.tables.table_layout import TABLES, Layout, columns_of, is_read
from trainer.warehouse.tables.table_names import A_VIEW, Names

Forms = Mapping[tuple[str, str], Form]

# In small letters. They are probably not values, but NA is Namibia: so they are reported and still read as
# text.
NULL_WORDS = ("null", "nan", "n/a", "na", "none", "\\n", "#n/a", "<na>", "nat")
_EXAMPLES = 5
_FLOAT_TEXT = "regexp_matches(cast({0} as text), '^-?[0-9]+\\.0+$')"
# A double beyond 2^53 may stand for several whole numbers. NaN is how pandas writes a missing id.
_NO_WHOLE = "({0} <> floor({0}) or abs({0}) > 9007199254740992) and lower(cast({0} as text)) <> 'nan'"


@dataclass(frozen=True, slots=True)
class Inspection:
    """The checks of an open warehouse.

    Attributes:
        source: the warehouse.
        queries: the queries for this warehouse.
        layout: the warehouse's names of the columns.
        forms: how the values of each column become text.
        reading: the rules for reading rows.
        names: the shop's names of the tables.
    """

    source: Source
    queries: Queries
    layout: Layout
    forms: Forms
    reading: Reading
    names: Names

    def check(self) -> None:
        """Check that bytes are text and that ids are whole.

        Raises:
            BadWarehouse: a column has other bytes or ids; the message names the column.
        """
        for table, columns in TABLES.items():
            self._check_bytes(table)
            self._check_ids(table, [c.key for c in columns if c.is_id and self._is_read(table, c.key)])

    def null_words(self) -> Iterator[str]:
        """Yield a sentence for each CSV column that has words for a missing value, such as ``null``."""
        for table, path in self.source.csv_files.items():
            all_of_table = columns_of(table, self.reading.fields)
            columns = [column.key for column in all_of_table if self._is_read(table, column.key)]
            if not columns:
                continue
            words = ", ".join("'" + word + "'" for word in NULL_WORDS)
            counts = self._look(
                table, [f'count(case when lower({table}."{c}") in ({words}) then 1 end)' for c in columns]
            )
            for column, count in zip(columns, counts, strict=True):
                if count:
                    texts = ", ".join(quoted(word) for word in self._words(table, column, words))
                    yield (
                        f"{path.name}: {self.layout[table, column]} is {texts} in {count:,} "
                        f"{'row' if count == 1 else 'rows'}, which is text; where it means nothing, set "
                        f"nulls = [{texts}] under [csv] in segue.toml"
                    )

    def _is_read(self, table: str, name: str) -> bool:
        return self.layout[table, name] is not None and is_read(table, name, self.reading.fields)

    def _words(self, table: str, column: str, words: str) -> list[str]:
        name = f'{table}."{column}"'
        query = self.queries.look(table, [f"distinct {name} as word"], f"lower({name}) in ({words})")
        return sorted(str(row[0]) for row in self.source.rows(query))[:_EXAMPLES]

    def _check_bytes(self, table: str) -> None:
        for (of, name), form in self.forms.items():
            if of == table and form is Form.BYTES and self._is_read(table, name):
                try:
                    self._look(table, [f'count({table}."{name}")'])
                except BadWarehouse as error:
                    readers = ", ".join(self.reading.readers(name))
                    leave = f"leave {readers} out of the features, or " if readers else ""
                    column = self._column(table, name)
                    raise BadWarehouse(
                        f"column {column} of {self.source.name} is bytes that are not all UTF-8: "
                        f"{leave}decode them {A_VIEW} ({error})"
                    ) from None

    def _column(self, table: str, name: str) -> str:
        own = self.layout[table, name]
        assert own is not None
        return self.names.column(table, own)

    def _check_ids(self, table: str, names: list[str]) -> None:
        """Check all ids of a table in one query."""
        values: list[str] = []
        for name in names:
            column, condition = f"{table}.{name}", self._wrong_id(table, name)
            text = f"cast({column} as text)"
            wrong = f"case when {condition.format(column)} then" if condition else None
            values += (
                [f"count({column})", f"count({wrong} 1 end)", f"min({wrong} {text} end)"]
                if wrong
                else ["0"] * 3
            )
        if all(value == "0" for value in values):
            return
        found = self._look(table, values)
        for place, name in enumerate(names):
            count, wrong_count, example = found[3 * place : 3 * place + 3]
            if wrong_count:
                raise BadWarehouse(
                    self._wrong_ids(table, name, f"{wrong_count:,} of {count:,}", str(example))
                )

    def _wrong_id(self, table: str, name: str) -> str | None:
        form = self.forms[table, name]
        if form in (Form.TEXT, Form.BYTES):
            return None if self.reading.whole_ids else _FLOAT_TEXT
        return _NO_WHOLE if form is Form.NUMBER else None

    def _wrong_ids(self, table: str, name: str, count: str, example: str) -> str:
        own = self.layout[table, name]
        assert own is not None
        path = self.source.csv_files.get(table)
        column = f"column {self._column(table, name)} of {self.source.name}"
        where = ""
        if path is not None:
            (line,) = lines_of(path, self.reading.csv, [{own: example}])
            column = f"column {own} of {path}"
            where = f" in line {line}" if line is not None else ""
        if self.forms[table, name] is Form.NUMBER:
            return f"{column}: {count} ids are no whole numbers up to 2^53, for example {example}"
        return (
            f"{column}: {count} ids are whole numbers written as floats, for example "
            f"{quoted(example)}{where}, and the stream would know {quoted(example.partition('.')[0])}: write "
            "them whole, or set whole_ids = true in segue.toml"
        )

    def _look(self, table: str, values: list[str]) -> tuple[object, ...]:
        return next(iter(self.source.rows(self.queries.look(table, values))))
