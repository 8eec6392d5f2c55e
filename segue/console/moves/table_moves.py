"""Adds up the rows of the tables of `segue flow`. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

from schemas.topics import Topics
from segue.console.moves.flow_facts import Flow, Hour, Hours, SegmentHour, Way, flow_of, segments_of
from segue.flow.changelog_rows import read_key, read_row
from segue.flow.flow_topics import flow_windows
from segue.flow.moved_row import Row, further
from segue.flow.moved_row import Way as RowWay

_LAST_HOUR_MINUTES = 60


class _Table:
    """The rows of one table, and their sums by window."""

    def __init__(self) -> None:
        self._rows: defaultdict[int, dict[RowWay, Row]] = defaultdict(dict)
        self.sums: defaultdict[int, Counter[Way]] = defaultdict(Counter)

    def take(self, way: RowWay, begin_s: int, row: Row) -> None:
        before = self._rows[begin_s].get(way)
        row = further(before, row)
        self._rows[begin_s][way] = Row(row.moves, row.next, ())  # the ids are of no use here
        self.sums[begin_s][way.previous, way.segment] += row.moves - (0 if before is None else before.moves)

    def forget(self, before_s: float) -> None:
        for begin_s in [each for each in self.sums if each < before_s]:
            del self._rows[begin_s], self.sums[begin_s]


class TableMoves:
    """The moves by hour and by minute; the furthest record of each row counts.

    Args:
        topics: name the tables' changelogs.
    """

    def __init__(self, topics: Topics) -> None:
        self._kept = {topic: window.kept_s for topic, window in flow_windows(topics).items()}
        self._tables = {topic: _Table() for topic in self._kept}
        self._hours, self._minutes = self._tables[topics.flow_hours], self._tables[topics.flow_minutes]

    def take(self, topic: str, key: bytes, value: bytes | None) -> None:
        """Take a record of a changelog; a window that ends is not deleted by a record.

        Raises:
            BadRow: this version cannot read the record.
        """
        if value is not None:
            self._tables[topic].take(*read_key(key), read_row(value))

    def forget(self, now: datetime) -> None:
        """Forget the windows that are no longer kept."""
        for topic, table in self._tables.items():
            table.forget(now.timestamp() - self._kept[topic])

    def flow(self, now: datetime, until: datetime | None) -> Flow | None:
        """Return the moves of the last hour; None if nothing was ever counted.

        Args:
            now: the present time.
            until: how far the tables reach; None if nobody knows.
        """
        if not self._hours.sums:
            return None
        since = now.replace(second=0, microsecond=0) - timedelta(minutes=_LAST_HOUR_MINUTES - 1)
        ways: Counter[Way] = Counter()
        for begin_s, counts in self._minutes.sums.items():
            if begin_s >= since.timestamp():
                ways += counts
        return flow_of(ways, since, "segue flow", until)

    def hours(self, until: datetime | None) -> Hours:
        """Return the moves by hour."""
        found = [
            Hour(
                datetime.fromtimestamp(begin_s, UTC),
                ways.total(),
                tuple(SegmentHour(each.id, each.entered, each.left) for each in segments_of(ways)),
            )
            for begin_s, ways in sorted(self._hours.sums.items(), reverse=True)
        ]
        newest_s = max([*self._hours.sums, *self._minutes.sums], default=None)
        newest = None if newest_s is None else datetime.fromtimestamp(newest_s, UTC)
        return Hours(until, newest, tuple(found))
