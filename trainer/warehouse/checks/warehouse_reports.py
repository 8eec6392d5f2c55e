"""Reports about a warehouse: how many rows were read, and which rows were left out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import overload

from trainer.warehouse.kinds.warehouse_source import Row
from trainer.warehouse.queries.csv_values import as_written


@dataclass(frozen=True, slots=True)
class Rejected:
    """One row that was left out.

    Attributes:
        table: Segue's name of the table.
        row_id: the id of the row, at most 256 characters; None if it has no id.
        reason: why the row was left out.
        wrong: the wrong value, at most 256 characters; None if it is missing or too long.
    """

    table: str
    row_id: str | None
    reason: str
    wrong: str | None = None


@dataclass(frozen=True, slots=True)
class Rejections(Sequence[Rejected]):
    """The rows left out: examples for each table and reason, and the numbers.

    Attributes:
        rows: the examples.
        counts: the number of rows by (table, reason), including rows that are not in ``rows``.
    """

    rows: tuple[Rejected, ...]
    counts: Mapping[tuple[str, str], int]

    @property
    def total(self) -> int:
        """The number of rows left out."""
        return sum(self.counts.values())

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Rejected: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Rejected, ...]: ...

    def __getitem__(self, index: int | slice) -> Rejected | tuple[Rejected, ...]:
        return self.rows[index]


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers of users and facts, and the times (UTC) of the first and last fact; None without facts."""

    users: int
    signups: int
    orders: int
    items: int
    first_at: datetime | None
    last_at: datetime | None


def rejections_of(rows: Iterable[Row]) -> Rejections:
    """The rejections, from the rows of ``sql/rejected.sql``."""
    listed: list[Rejected] = []
    counts: dict[tuple[str, str], int] = {}
    for table, row_id, reason, wrong, total in rows:
        assert isinstance(table, str)
        assert isinstance(reason, str)
        assert isinstance(total, int)
        listed.append(Rejected(table, _text(row_id), reason, _written(wrong)))
        counts[table, reason] = total
    return Rejections(tuple(listed), counts)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _written(value: object) -> str | None:
    return None if value is None else as_written(str(value))


def counts_of(row: Row) -> Counts:
    """The counts, from the single row of ``sql/counts.sql``."""
    users, signups, orders, items, first_at, last_at = row
    assert isinstance(users, int)
    assert isinstance(signups, int)
    assert isinstance(orders, int)
    assert isinstance(items, int)
    return Counts(users, signups, orders, items, _utc(first_at), _utc(last_at))


def _utc(at: object) -> datetime | None:
    return at.replace(tzinfo=UTC) if isinstance(at, datetime) else None
