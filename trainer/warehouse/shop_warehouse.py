"""A shop's warehouse: features of the users, the facts behind them, and the rows that were left out."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import pyarrow as pa

from schemas.days import date_in, zone_of
from schemas.errors import BadSetting, BadSource, BadWarehouse
from schemas.features import FEATURES, Feature, of_time
from schemas.input_events import Order, Signup
from schemas.inputs.fields_read import fields_read
from trainer.warehouse import fact_rows
from trainer.warehouse.checks import warehouse_reports
from trainer.warehouse.checks.excluded_statuses import unknown_statuses
from trainer.warehouse.checks.inspection import Inspection
from trainer.warehouse.checks.left_out_rows import AHEAD, LeftOut
from trainer.warehouse.checks.nobody_left import cause_of, sides_of
from trainer.warehouse.checks.warehouse_reports import Counts, Rejections
from trainer.warehouse.kinds import (
    bigquery_warehouse,
    duckdb_warehouse,
    folder_warehouse,
    postgres_warehouse,
    snowflake_warehouse,
)
from trainer.warehouse.kinds.warehouse_source import Source
from trainer.warehouse.queries.feature_query import schema_of
from trainer.warehouse.queries.shop_queries import Ordering, Queries
from trainer.warehouse.read_layout import read_layout
from trainer.warehouse.tables.reading_rules import Reading
from trainer.warehouse.tables.table_layout import STOCK, field_of
from trainer.warehouse.tables.table_names import Names

FOLLOWUP_SCHEMA = pa.schema(
    [pa.field("user_id", pa.string(), nullable=False), ("orders", pa.int64()), ("cents", pa.float64())]
)

_UNDATED = (
    "table {} has no column created_at, so its rows count as written in 1970, and any later signup wins over"
    " them; if it has such a time, name it in segue.toml, under [columns.users] created_at; if not, set that"
    ' to ""'
)
_DIALECTS = {"duckdb": "DuckDB", "postgres": "PostgreSQL", "snowflake": "Snowflake", "bigquery": "BigQuery"}
_EXAMPLES_A_REASON = 100
_IDS_A_SIDE = 3
_STATUSES_NAMED = 8


class Warehouse:
    """An open warehouse, for reading only. Times without an offset are UTC.

    Every method raises :class:`~schemas.errors.BadWarehouse` if the warehouse fails during a query.
    """

    def __init__(self, source: Source, names: Names, reading: Reading | None = None) -> None:
        """Check the tables.

        Args:
            source: the open warehouse.
            names: the shop's names of tables and columns.
            reading: the rules for reading rows; None: a wrong value in any field rejects its row.

        Raises:
            BadWarehouse: a table or a column is missing, a column cannot be read, ids are fractions or were
                written as floats, or there are no users.
            BadSetting: the table does not have a column that the settings name.
        """
        self._source = source
        self._names = names
        reading = reading or Reading()
        found = read_layout(source, names, reading)
        whose = "users" if reading.fields.profile else "orders"
        self._read, self._columns = reading.fields, found.columns
        self._zone, self._today = zone_of(reading.time_zone), reading.today
        self._has_status = found.columns["orders", "status"] is not None
        self._undated = (
            "users" in found.tables
            and found.columns["users", "created_at"] is None
            and not names.lacks("users", "created_at")
        )
        self._queries = Queries(
            source.dialect,
            found.tables,
            found.columns,
            found.forms,
            reading.whole_ids,
            reading.fields,
            reading.latest,
            dict.fromkeys(source.csv_files, reading.csv),
            reading.time_zone,
        )
        if next(source.rows(self._queries.look(whose, ["1"]) + " limit 1"), None) is None:
            raise BadWarehouse(f"table {names.describe(whose)} of {source.name} has no rows")
        self._inspection = Inspection(source, self._queries, found.columns, found.forms, reading, names)
        self._inspection.check()
        self._left_out = LeftOut(found.columns, source.csv_files, reading, names)
        self._rejected: dict[datetime | None, Rejections] = {}
        self._counts: dict[datetime | None, Counts] = {}

    @property
    def name(self) -> str:
        """The name of the warehouse in messages; without secrets."""
        return self._source.name

    def has(self, feature: Feature) -> bool:
        """Whether the warehouse has all that a feature reads, by the rules for reading rows."""
        wanted = fields_read((feature,), statuses=False)
        if any(field not in self._read.own for field in wanted.own) or (
            wanted.items and not self._read.items
        ):
            return False
        columns = {field for (_, name), own in self._columns.items() if own and (field := field_of(name))}
        return wanted.known - {"quantity"} <= columns

    def features(
        self,
        as_of: datetime | None = None,
        exclude_statuses: tuple[str, ...] = (),
        features: tuple[Feature, ...] = FEATURES,
        *,
        day: date | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> pa.Table:
        """The features of every user, from the facts before ``as_of``.

        Args:
            as_of: only facts strictly before this time count; None: all facts.
            exclude_statuses: orders with one of these statuses do not count.
            features: the columns after ``user_id``.
            day: the day of features of time; None: the last day before ``as_of``, else the present day.
            start: only users with a counted order at or after this time (and before ``end``); None: no bound.
            end: only users with a counted order before this time (and not before ``start``); None: no bound.

        Returns:
            A table with :func:`schema_of` these features: one row for every user with a valid row in users or
            orders, in the order of the user id's UTF-8 bytes.

        Raises:
            BadSource: statuses should be excluded, but orders have no status.
        """
        query = self.feature_query(as_of, exclude_statuses, features, day=day, start=start, end=end)
        schema = schema_of(features)
        return pa.Table.from_batches(self._source.batches(query, schema), schema)

    def feature_query(
        self,
        as_of: datetime | None = None,
        exclude_statuses: tuple[str, ...] = (),
        features: tuple[Feature, ...] = FEATURES,
        *,
        day: date | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> str:
        """The query that :meth:`features` runs for the same arguments, in the warehouse's dialect, after a
        comment that names the dialect and what the session needs.

        Args:
            as_of: as for :meth:`features`.
            exclude_statuses: likewise.
            features: likewise.
            day: likewise.
            start: likewise.
            end: likewise.

        Raises:
            BadSource: statuses should be excluded, but orders have no status.
        """
        if exclude_statuses and not self._has_status:
            raise BadSource(
                f"table {self._names.describe('orders')} of {self.name} has no column status, so "
                f"exclude_statuses ({', '.join(exclude_statuses)}) cannot be applied: add the column or "
                "exclude nothing"
            )
        bounded = self._is_bounded(as_of) and any(r == AHEAD for _, r in self.rejected(as_of).counts)
        return _head(self._source) + self._queries.features(
            as_of,
            exclude_statuses,
            features,
            day=self._day(as_of, day) if of_time(features) else None,
            start=start,
            end=end,
            bounded=bounded,
        )

    def events(
        self, as_of: datetime | None = None, since: datetime | None = None, ordered: Ordering = "time"
    ) -> Iterator[Signup | Order]:
        """Yield the facts at or after ``since`` and before ``as_of`` as events.

        There is a signup for each row of users, and an order with all its items for each order of a user.

        Args:
            as_of: only facts strictly before this time; None: no bound.
            since: only facts at or after this time; None: no bound.
            ordered: ``time``: by time; at equal times signups first, then by user id and order id. ``user``:
                all facts of a user together, each user's facts in the order above.
        """
        return fact_rows.events_of(self._source.rows(self._queries.events(as_of, since, ordered)), self._read)

    def followup(self, since: datetime, until: datetime, exclude_statuses: tuple[str, ...] = ()) -> pa.Table:
        """The orders of each user at or after ``since`` and before ``until``, as :data:`FOLLOWUP_SCHEMA`.

        There is one row for every user with such an order, in the order of the user id's UTF-8 bytes. Orders
        with a status in ``exclude_statuses`` do not count. ``cents`` is the price of the orders in hundredths
        of the warehouse's currency, rounded for each item; null if no item has a price.
        """
        query = self._queries.followup(since, until, exclude_statuses)
        return pa.Table.from_batches(self._source.batches(query, FOLLOWUP_SCHEMA), FOLLOWUP_SCHEMA)

    def bought(
        self, since: datetime, until: datetime, exclude_statuses: tuple[str, ...] = ()
    ) -> Iterator[tuple[str, datetime, float | None]]:
        """Yield the orders at or after ``since`` and before ``until``, as :meth:`followup` counts them.

        Each is the user, the order's time and its price in hundredths of the warehouse's currency (None: no
        item has a price). A user's orders come together.
        """
        query = self._queries.bought(since, until, exclude_statuses)
        for row in self._source.rows(query):
            user_id, _, at, cents = cast("tuple[str, str, datetime, float | None]", row)
            yield user_id, at.replace(tzinfo=UTC), cents

    def rejected(self, as_of: datetime | None = None) -> Rejections:
        """The rows left out: at most 100 for each table and reason, and the total numbers.

        Rows with a known time at or after ``as_of`` are not included. The query runs once for each ``as_of``.
        """
        if as_of not in self._rejected:
            rows = self._source.rows(self._queries.rejected(as_of, _EXAMPLES_A_REASON))
            self._rejected[as_of] = warehouse_reports.rejections_of(rows)
        return self._rejected[as_of]

    def notes(self, as_of: datetime | None = None, exclude_statuses: tuple[str, ...] = ()) -> list[str]:
        """Sentences for people: why rows are left out, which CSV columns have words such as ``null``, and
        which excluded statuses no order has.
        """
        left_out = self._left_out.sentences(self.rejected(as_of))
        undated = [_UNDATED.format(self._names.describe("users"))] if self._undated else []
        return [
            *(f"left out: {sentence}" for _, sentence in left_out),
            *undated,
            *self._inspection.null_words(),
            *self._unknown_statuses(as_of, exclude_statuses),
        ]

    def _unknown_statuses(self, as_of: datetime | None, excluded: tuple[str, ...]) -> list[str]:
        if not excluded:
            return []
        query = self._queries.statuses(as_of, excluded, len(excluded) + _STATUSES_NAMED + 1)
        found = [cast(str, row[0]) for row in self._source.rows(query)]
        return unknown_statuses(excluded, found, _STATUSES_NAMED)

    def cause(self, as_of: datetime | None = None) -> str | None:
        """Why no user can be trained on, if the rows are the cause; else None."""
        rows = self._source.rows(self._queries.overlap(as_of, _IDS_A_SIDE))
        left_out = list(self._left_out.sentences(self.rejected(as_of)))
        return cause_of(
            sides_of(rows),
            left_out,
            self.rejected(as_of),
            self.counts(as_of),
            self._names,
            stock_read=not self._read.known.isdisjoint(STOCK),
        )

    def counts(self, as_of: datetime | None = None) -> Counts:
        """The numbers of users and facts before ``as_of``. The query runs once for each ``as_of``."""
        if as_of not in self._counts:
            rows = self._source.rows(self._queries.counts(as_of))
            self._counts[as_of] = warehouse_reports.counts_of(next(rows))
        return self._counts[as_of]

    def _day(self, as_of: datetime | None, day: date | None) -> date:
        """The day of features of time."""
        if day is None and as_of is not None:
            day = date_in(as_of - timedelta(microseconds=1), self._zone)
        day = day or self._today
        if day is None:
            raise BadSetting("as_of", None, "features of time are declared: name the day of their values")
        return day

    def _is_bounded(self, as_of: datetime | None) -> bool:
        """Whether rows may be left out because their time lies in the future."""
        return as_of is None and self._queries.latest is not None

    def close(self) -> None:
        """Close the connection."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def open_warehouse(
    path_or_url: str | Path, names: Names | None = None, reading: Reading | None = None
) -> Warehouse:
    """Open a folder of Parquet or CSV files, a DuckDB file, or a ``postgresql://``, ``snowflake://`` or
    ``bigquery://`` URL.

    Args:
        path_or_url: the path or URL of the warehouse.
        names: the shop's names of tables and columns; None: Segue's names.
        reading: the rules for reading rows; None: CSV with commas, and a wrong value in any field rejects its
            row.

    Raises:
        BadWarehouse: the warehouse does not exist, cannot be read, or its tables cannot be used.
        BadSetting: the warehouse does not have a table or column in ``names``.
    """
    called = names or Names()
    how = reading or Reading()
    source = _source(path_or_url, called, how)
    try:
        return Warehouse(source, called, how)
    except BaseException:
        source.close()
        raise


def _head(source: Source) -> str:
    """The comment before a query for people who run it again."""
    needs = "; these statements come first in its session:" if source.session else ""
    lines = [f"The query is in the dialect of {_DIALECTS[source.dialect]}{needs or '.'}"]
    lines += [f"  {statement};" for statement in source.session]
    return "".join(f"-- {line}\n" for line in lines)


def _source(path_or_url: str | Path, names: Names, reading: Reading) -> Source:
    text = str(path_or_url)
    if text.startswith(postgres_warehouse.SCHEMES):
        return postgres_warehouse.PostgresSource(text, names)
    if text.startswith(f"{snowflake_warehouse.SCHEME}://"):
        return snowflake_warehouse.SnowflakeSource(text, names)
    if text.startswith(f"{bigquery_warehouse.SCHEME}://"):
        return bigquery_warehouse.BigQuerySource(text, names)
    if "://" in text:
        raise BadSource(
            f"a {text.partition('://')[0]}:// warehouse cannot be read: name a folder of Parquet or CSV "
            f"files, a DuckDB file, or a postgresql://, snowflake:// or bigquery:// URL"
        )
    path = existing_path(text)
    try:
        if path.is_dir():
            return folder_warehouse.FolderSource(path, names, reading.csv)
        return duckdb_warehouse.open_file(path, names)
    except OSError as error:
        raise BadWarehouse(f"warehouse {path} cannot be read: {error.strerror}") from None


def existing_path(text: str) -> Path:
    """Return the folder or the file that the address of a warehouse names.

    Raises:
        BadSource: there is none, or the address is meant for PostgreSQL. No message quotes a password.
        BadWarehouse: the login may not see whether it is there.
    """
    postgres_warehouse.check_no_keywords(text)
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise BadSource(f"warehouse {text} cannot be found: the user behind ~ has no home folder") from None
    try:
        if path.exists():
            return path
    except OSError as error:
        raise BadWarehouse(f"warehouse {path} cannot be read: {error.strerror}") from None
    if "@" in text and ":" in text:
        # Most likely a mistyped URL that contains a password, so the message does not show it.
        raise BadSource(
            "the warehouse is neither a path that exists nor a URL: write a URL as"
            " postgresql://user@host:5432/database"
        )
    raise BadSource(f"warehouse {path} does not exist: name a folder, a DuckDB file or a URL")
