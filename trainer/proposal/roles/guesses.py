"""What columns are taken for by their values alone, in sentences for a person who checks them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from schemas.printable import printable_cell
from trainer.proposal.looks.shop_columns import ShopColumn, ShopTable
from trainer.proposal.roles.column_roles import Found, Role, says_nothing
from trainer.warehouse.checks.quoted_values import quoted

_SAMPLES = 3
_MOST_COLUMNS = 4
_Test = Callable[[ShopColumn], bool]


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


@dataclass(slots=True)
class Guessed:
    """The tables with guessed roles beside those that names gave.

    Attributes:
        found: the tables.
        guesses: what was guessed.
        doubts: sentences about columns that fit equally well, so that none of them is read.
    """

    found: list[Found]
    guesses: list[Guess] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def add(self, one: Found, role: Role, column: ShopColumn, what: str, why: str) -> Found:
        """Give a table a role that it lacks; return the table with it."""
        if role in one.roles:
            return one
        more = Found(one.table, {**one.roles, role: column})
        self.found[self.found.index(one)] = more
        self.guesses.append(Guess(one.table, column, what, why))
        return more

    def try_(self, one: Found, role: Role, fits: _Test, what: str, why: str) -> Found:
        """Give a table a role if exactly one column fits whose name says nothing."""
        if role in one.roles:
            return one
        free = [c for c in one.table.columns if c not in one.roles.values() and c.distinct > 1]
        columns = [column for column in free if says_nothing(column.name) and fits(column)]
        if len(columns) > 1:
            self.doubts.append(fit_equally(one.table, columns, what))
        return self.add(one, role, columns[0], what, why) if len(columns) == 1 else one

    def now(self, table: ShopTable) -> Found:
        """The table with the roles that it has by now."""
        return next(one for one in self.found if one.table is table)


def in_words(table: ShopTable, column: ShopColumn) -> str:
    """A column with its table, safe to print."""
    return f"{printable_cell(table.name)}.{printable_cell(column.name)}"


def fit_equally(table: ShopTable, columns: Sequence[ShopColumn], what: str) -> str:
    """Say that several columns could be the same thing, so that none is read as it."""
    few = columns[:_MOST_COLUMNS]
    names = " and ".join(in_words(table, column) for column in few)
    names += f" and {len(columns) - len(few)} more" if len(columns) > len(few) else ""
    return f"{names} fit {what} equally well by their values, so none is read as it: name one by hand"
