"""The tables of a shop and their columns, as they were found."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from trainer.proposal.written.date_forms import DateForm, date_form
from trainer.proposal.written.number_forms import PLAIN, NumberForm, number_form
from trainer.warehouse.tables.column_types import Form, form_of

Kind = Literal["number", "date", "boolean", "text", "empty", "unreadable"]

_BOOLEANS = frozenset({"true", "false", "t", "f", "yes", "no", "y", "n"})


@dataclass(frozen=True, slots=True)
class ShopColumn:
    """A column and what its values look like.

    Attributes:
        name: its name in the shop.
        type: the warehouse's type; empty in CSV, where everything is text.
        kind: what the values are.
        rows: how many rows the table has.
        filled: in how many the value is neither blank nor a word for nothing.
        distinct: how many different values there are; 0 for a type without a text, such as a list.
        samples: the most frequent values, at most five.
        date: how dates are written; None if they are none.
        number: how numbers are written.
        null_words: words for nothing among the values, such as ``NULL``.
        float_ids: in how many rows a whole number is written as ``17850.0``.
        length: the mean length of the values.
        place: where the column is found again (:class:`trainer.proposal.looks.desk.Desk`).
    """

    name: str
    kind: Kind
    rows: int
    filled: int
    distinct: int
    samples: tuple[str, ...] = ()
    type: str = ""
    date: DateForm | None = None
    number: NumberForm = PLAIN
    null_words: tuple[str, ...] = ()
    float_ids: int = 0
    length: float = 0.0
    place: str = ""

    @property
    def empty_share(self) -> float:
        """The share of rows without a value."""
        return 1 - self.filled / self.rows if self.rows else 1.0

    @property
    def unique(self) -> bool:
        """Whether nearly every row has a value of its own."""
        return self.filled > 0 and self.distinct >= 0.98 * self.filled and self.filled >= 0.9 * self.rows

    @property
    def is_typed(self) -> bool:
        """Whether the warehouse itself says that it is a number, a time or a boolean."""
        return bool(self.type) and form_of(self.type) in (Form.WHOLE, Form.NUMBER, Form.OTHER)


@dataclass(frozen=True, slots=True)
class ShopTable:
    """A table of the shop, or several with the same columns, such as one a year.

    Attributes:
        name: its name in the shop; of several tables, of the first.
        parts: the names of all of them.
        rows: how many rows were looked at.
        whole: whether these are all.
        columns: the columns.
        place: where it is found again.
        files: the names of its files; empty in a database.
        is_csv: whether it is read from CSV, where everything is text.
    """

    name: str
    parts: tuple[str, ...]
    rows: int
    columns: tuple[ShopColumn, ...]
    place: str = ""
    whole: bool = True
    files: tuple[str, ...] = ()
    is_csv: bool = False


def kind_of_values(
    values: Sequence[str],
    *,
    named_as_time: bool = False,
    count_dates: Callable[[], Mapping[str, int]] | None = None,
) -> tuple[Kind, DateForm | None, NumberForm]:
    """Find what texts are.

    Args:
        values: different values of a column, none of them blank or a word for nothing.
        named_as_time: whether the column's name speaks of a time.
        count_dates: says how often each date occurs in all rows
            (:func:`trainer.proposal.written.date_forms.date_form`).

    >>> kind_of_values(["yes", "No"])[0], kind_of_values(["1", "0"])[0], kind_of_values([])[0]
    ('boolean', 'number', 'empty')
    """
    if not values:
        return "empty", None, PLAIN
    date = date_form(values, named_as_time=named_as_time, count_dates=count_dates)
    if date is not None:
        return "date", date, PLAIN
    if len(values) <= 4 and all(value.lower() in _BOOLEANS for value in values):
        return "boolean", None, PLAIN
    number = number_form(values)
    return ("text", None, PLAIN) if number is None else ("number", None, number)


def kind_of_type(kind: str) -> Kind | None:
    """Find what a type of the warehouse holds; None for text, where the values say it.

    >>> kind_of_type("BIGINT"), kind_of_type("timestamp with time zone"), kind_of_type("VARCHAR")
    ('number', 'date', None)
    """
    form = form_of(kind)
    if form in (Form.WHOLE, Form.NUMBER):
        return "number"
    if form is Form.OTHER:
        lower = kind.lower()
        return (
            "boolean"
            if lower.startswith("bool")
            else "unreadable"
            if lower.startswith("time ") or lower == "time"
            else "date"
        )
    return "unreadable" if form in (Form.NONE, Form.BYTES) else None
