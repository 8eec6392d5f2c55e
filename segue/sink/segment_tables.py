"""The two tables and the offsets, in SQL that PostgreSQL and DuckDB share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from schemas.errors import BadTopics, Unreachable
from segue.sink.sink_rows import Batch, Row, outlives

CURRENT, HISTORY, OFFSETS = "current_segments", "segment_history", "segue_offsets"
Place = tuple[str, int]
"""A topic and a partition."""

_KINDS = {
    "user_id": "text not null",
    "sequence": "bigint not null",
    "event_id": "text not null",
    "kind": "text not null",
    "previous_segment": "bigint",
    "segment": "bigint not null",
    "segment_name": "text not null",
    "provisional": "boolean not null",
    "model_version": "text not null",
    "activation": "bigint not null",
    "cause": "text not null",
    "occurred_at": "timestamptz not null",
    "emitted_at": "timestamptz not null",
    "valid_from": "timestamptz",
    "valid_to": "timestamptz",
    "since": "timestamptz not null",
    "topic": "text not null",
    "partition": "integer not null",
    "next_offset": "bigint not null",
    "topic_id": "text not null",
}
ANEW = "let `segue sink` begin again in an empty schema or folder"
_CHANGE = Row.__struct_fields__
_IN_CURRENT = [
    "user_id",
    "segment",
    "segment_name",
    "provisional",
    "model_version",
    "activation",
    "since",
    "sequence",
    "event_id",
    "emitted_at",
]
_IN_OFFSETS = ("topic", "partition", "next_offset", "topic_id")
_TABLES = {
    CURRENT: (_IN_CURRENT, "user_id"),
    HISTORY: ((*_CHANGE, "valid_from", "valid_to"), "user_id, sequence"),
    OFFSETS: (_IN_OFFSETS, "topic, partition"),
}
# In one transaction: the new rows, the users with changed rows, the erased rows, the new offsets.
_TEMPORARY = {
    "incoming": _CHANGE,
    "touched": ("user_id",),
    "erased": ("user_id", "sequence"),
    "reached": _IN_OFFSETS,
}

# Several statements, in this order. If a user's sequence number comes again with another id, the user was
# erased in between, and Kafka no longer has the record of it: the second statement deletes the old rows.
_APPLY = """
delete from {history} as stored using erased
where stored.user_id = erased.user_id and stored.sequence = erased.sequence;

delete from {history} where user_id in (
    select incoming.user_id from incoming
    inner join {history} as known on known.user_id = incoming.user_id and known.sequence = incoming.sequence
    where known.event_id <> incoming.event_id
);

insert into {history} ({change})
select {change} from incoming
where not exists (
    select 1 from {history} as known
    where known.user_id = incoming.user_id and known.sequence = incoming.sequence
);

update {history} as stored set valid_from = span.starts, valid_to = span.ends
from (
    select user_id, sequence, starts, lead(starts) over (partition by user_id order by sequence) as ends
    from (
        select user_id, sequence, max(emitted_at) over (
            partition by user_id order by sequence rows between unbounded preceding and current row
        ) as starts
        from {history} where user_id in (select user_id from touched)
    ) as started
) as span
where stored.user_id = span.user_id and stored.sequence = span.sequence and (
    stored.valid_from is distinct from span.starts or stored.valid_to is distinct from span.ends
);

delete from {current} where user_id in (select user_id from touched);

insert into {current} ({current_columns})
select newest.user_id, segment, segment_name, provisional, model_version, activation, entered.since,
    sequence, event_id, emitted_at
from {history} as newest
inner join (
    select user_id, coalesce(max(case when kind = 'moved' then valid_from end), min(valid_from)) as since
    from {history} where user_id in (select user_id from touched) group by user_id
) as entered on entered.user_id = newest.user_id
where newest.valid_to is null;

delete from {offsets} as stored using reached
where stored.topic = reached.topic and stored.partition = reached.partition;

insert into {offsets} ({offset_columns}) select {offset_columns} from reached
"""


class SinkLost(Unreachable):
    """The database does not answer, or it has ended the connection or the transaction: begin again."""


class Position(Struct, frozen=True):
    """How far a partition has been written: the next offset, and the id of its topic."""

    next_offset: int
    topic_id: str


class Database(Protocol):
    """A connection to either database."""

    def rows(self, statement: str) -> list[tuple[Any, ...]]: ...

    def run(self, statement: str) -> None: ...

    def load(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Replace the rows of a temporary table."""

    def transaction(self) -> AbstractContextManager[object]: ...

    def stored(self, user_id: str) -> str:
        """Return an id as this database can hold it, and :meth:`load` writes it."""


class SegmentTables:
    """The tables in one schema of a database.

    Args:
        database: the open connection.
        schema: the schema, which exists.
        prefix: the setting ``topic_prefix``.
        keyed: whether the tables get primary keys, as PostgreSQL needs them to find a user's rows.
    """

    def __init__(self, database: Database, schema: str, prefix: str, *, keyed: bool) -> None:
        self._database = database
        self._schema = schema
        self._prefix = prefix
        self._keyed = keyed
        self._names = {name: f'"{schema}".{name}' for name in _TABLES}
        self._apply = _APPLY.format(
            history=self._names[HISTORY],
            current=self._names[CURRENT],
            offsets=self._names[OFFSETS],
            change=", ".join(_CHANGE),
            current_columns=", ".join(_IN_CURRENT),
            offset_columns=", ".join(_IN_OFFSETS),
        )

    def prepare(self) -> None:
        """Create the tables that are missing, and the temporary tables of this connection."""
        known = {
            name
            for (name,) in self._database.rows(
                "select table_name from information_schema.tables "  # noqa: S608 - a checked name
                f"where table_schema = '{self._schema}'"
            )
        }
        for name, (columns, key) in _TABLES.items():
            if name not in known:
                constraint = f", primary key ({key})" if self._keyed else ""
                self._database.run(f"create table {self._names[name]} ({_typed(columns)}{constraint})")
        for name, names in _TEMPORARY.items():
            self._database.run(f"create temporary table {name} ({_typed(names)})")

    def positions(self) -> dict[Place, Position]:
        """How far each partition has been written; empty at the first start."""
        found = self._database.rows(
            f"select {', '.join(_IN_OFFSETS)} from {self._names[OFFSETS]}"  # noqa: S608 - our own names
        )
        return {(topic, partition): Position(offset, name) for topic, partition, offset, name in found}

    def counts(self) -> tuple[int, int]:
        """The numbers of users and of rows of the history."""
        ((users, rows),) = self._database.rows(
            f"select (select count(*) from {self._names[CURRENT]}), "  # noqa: S608 - our own names
            f"(select count(*) from {self._names[HISTORY]})"
        )
        return users, rows

    def apply(self, batch: Batch, positions: Mapping[Place, Position]) -> None:
        """Write a batch and the offsets behind it, in one transaction. A repeated row changes nothing."""
        stored = self._database.stored
        # Two ids may become the same text in this database: then the last row is kept.
        rows = {
            (stored(row.user_id), row.sequence): msgspec.structs.astuple(row) for row in batch.rows.values()
        }
        touched = sorted({*map(stored, batch.erasures), *(user for user, _ in rows)})
        with self._database.transaction():
            self._database.load("incoming", _CHANGE, list(rows.values()))
            self._database.load("touched", ("user_id",), [(user,) for user in touched])
            self._database.load("erased", ("user_id", "sequence"), self._erased(batch))
            self._database.load(
                "reached",
                _IN_OFFSETS,
                [(*place, at.next_offset, at.topic_id) for place, at in sorted(positions.items())],
            )
            for statement in self._apply.split(";"):
                self._database.run(statement)

    def _erased(self, batch: Batch) -> list[tuple[str, int]]:
        """The stored rows that the batch's erasures remove."""
        if not batch.erasures:
            return []
        found = self._database.rows(
            f"select user_id, sequence, event_id from {self._names[HISTORY]} "  # noqa: S608 - our own names
            "where user_id in (select user_id from touched)"
        )
        rows_of: dict[str, list[tuple[int, str]]] = {}
        for user, sequence, event_id in found:
            rows_of.setdefault(user, []).append((sequence, event_id))
        erased = {
            (stored, sequence)
            for user, at in batch.erasures.items()  # a change's id is made of the id that is not changed
            for stored in (self._database.stored(user),)
            for sequence, event_id in rows_of.get(stored, ())
            if not outlives(self._prefix, user, sequence, event_id, at)
        }
        return sorted(erased)


def check_positions(
    stored: Mapping[Place, Position], topic_ids: Mapping[str, str], begins: Mapping[Place, int], where: str
) -> None:
    """Check that the tables can go on from their offsets.

    Args:
        stored: the tables' offsets; empty at the first start.
        topic_ids: the present topics' ids by name.
        begins: the first offset of each partition.
        where: the tables, for messages.

    Raises:
        BadTopics: the tables follow other topics, or Kafka has deleted records that were not read.
    """
    for (topic, partition), position in stored.items():
        if topic not in topic_ids:
            raise BadTopics(
                f"{where} follows the topic {topic}, not {' and '.join(sorted(topic_ids))}: correct"
                f" topic_prefix, or {ANEW}"
            )
        if topic_ids[topic] != position.topic_id:
            raise BadTopics(f"the topic {topic} was deleted and made anew since {where} was written: {ANEW}")
        begin = begins.get((topic, partition), 0)
        if begin > position.next_offset:
            raise BadTopics(
                f"Kafka has deleted the records {position.next_offset:,} to {begin - 1:,} of {topic},"
                f" partition {partition}, before they were read, and perhaps an erasure with them: {ANEW}"
            )


def types_of(columns: Iterable[str]) -> list[str]:
    """The SQL types of these columns, without constraints."""
    return [_KINDS[name].removesuffix(" not null") for name in columns]


def _typed(columns: Iterable[str]) -> str:
    return ", ".join(f"{name} {_KINDS[name]}" for name in columns)
