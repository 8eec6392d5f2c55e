"""What columns are taken for by their values alone, in sentences for a person who checks them."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.printable import printable_cell
from trainer.proposal.looks.shop_columns import ShopColumn, ShopTable
from trainer.warehouse.checks.quoted_values import quoted

_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Guess:
    """A column whose name says nothing, and what it is taken for.

    Attributes:
        table: its table.
        column: the column.
        what: what it is taken for.
        why: what its values show.
    """

    table: ShopTable
    column: ShopColumn
    what: str
    why: str

    def sentence(self) -> str:
        """The guess with its reason and samples, to be checked."""
        samples = ", ".join(quoted(value) for value in self.column.samples[:_SAMPLES])
        return (
            f"{in_words(self.table, self.column)} is taken for {self.what} by its values alone: {self.why},"
            f" such as {samples}; correct it where that is wrong"
        )


def in_words(table: ShopTable, column: ShopColumn) -> str:
    """A column with its table, safe to print."""
    return f"{printable_cell(table.name)}.{printable_cell(column.name)}"


def fit_equally(table: ShopTable, columns: Iterable[ShopColumn], what: str) -> str:
    """Say that several columns could be the same thing, so that none is read as it."""
    names = " and ".join(in_words(table, column) for column in columns)
    return f"{names} fit {what} equally well by their values, so none is read as it: name one by hand"
