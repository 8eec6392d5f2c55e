"""The tables hold what was decided, however far each topic is read, and whatever compaction removed."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.errors import BadTopics
from schemas.outputs.segment_change import change_id
from schemas.topics import Topics
from segue.sink.merge_lane import LaneMerge
from segue.sink.parquet_sink import ParquetSink
from segue.sink.segment_tables import Position, check_positions
from segue.sink.sink_rows import Entry, Erased, Row, batch_of, read_entry
from streamer.interfaces.lane_interfaces import OutRecord
from tests.support.worlds.decided_log import DecidedLog, Transaction

TOPICS = Topics("eu.")


def entries(records: Iterable[OutRecord]) -> list[Entry]:
    found = (read_entry(r.key, r.value, r.headers, offset) for offset, r in enumerate(records))
    return [entry for entry in found if entry is not None]


def steps_of(log: DecidedLog, batches: int) -> list[Row | Erased]:
    return [entry.step for entry in entries(r for t in log.batches(batches) for r in t.records)]


def compacted(transactions: list[Transaction], chance: random.Random) -> list[Transaction]:
    """Without some records of `user-segments` that a newer one follows, and without some nulls."""
    kept, newer = [], set()
    for transaction in reversed(transactions):
        records = []
        for record in reversed(transaction.records):
            superseded = record.topic == TOPICS.users and (record.key in newer or record.value is None)
            if not superseded or chance.random() < 0.5:
                records.append(record)
            if record.topic == TOPICS.users:
                newer.add(record.key)
        kept.append(Transaction(transaction.lane, tuple(reversed(records))))
    return kept[::-1]


def visible(transactions: list[Transaction], chance: random.Random) -> Iterator[list[Entry]]:
    """What the merge of one lane gives, while transactions are written and its topics are read in pieces."""
    logs: tuple[list[Entry], list[Entry]] = ([], [])
    lane, asked, read, ends = LaneMerge(), 0, [0, 0], [0, 0]
    queues = (lane.changes, lane.users)
    todo = deque(transactions)

    def some_are_written() -> None:
        for _ in range(min(len(todo), chance.randint(0, 3))):
            records = todo.popleft().records
            for log, topic in zip(logs, (TOPICS.changes, TOPICS.users), strict=True):
                log.extend(entries(r for r in records if r.topic == topic))

    def read_one(one: int) -> None:
        queues[one].append((asked, logs[one][read[one]]))
        read[one] += 1

    while todo or any(len(log) > done for log, done in zip(logs, read, strict=True)) or len(lane):
        some_are_written()
        for one in (0, 1):
            for _ in range(min(len(logs[one]) - read[one], chance.randint(0, 9))):
                read_one(one)
        if lane.is_one_sided:
            asked += 1
            ends = [len(log) for log in logs]
            some_are_written()
            full, empty = (0, 1) if lane.changes else (1, 0)
            while read[full] < len(logs[full]) and chance.random() < 0.5:
                read_one(full)
            while not queues[empty] and read[empty] < ends[empty]:
                read_one(empty)
        at_end = [done >= end for done, end in zip(read, ends, strict=True)]
        yield lane.take(asked, changes_at_end=at_end[0], users_at_end=at_end[1])


def stored(sink: ParquetSink) -> tuple[dict[tuple[str, int], str], dict[str, tuple[int, int]]]:
    history = sink.rows("select user_id, sequence, event_id from segment_history")
    current = sink.rows("select user_id, segment, sequence from current_segments")
    assert len({row[:2] for row in history}) == len(history)
    assert len({row[0] for row in current}) == len(current)
    return {(u, s): e for u, s, e in history}, {u: (segment, s) for u, segment, s in current}


@pytest.mark.parametrize("seed", range(3))
def test_the_tables_are_what_was_decided(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    log = DecidedLog(seed, TOPICS)
    transactions = compacted([*log.bootstrap(), *log.batches(40)], chance)
    assert log.erasures > 2
    sink = ParquetSink(tmp_path / "sink", TOPICS.prefix)
    for taken in visible(transactions, chance):
        sink.apply(batch_of((entry.step for entry in taken), TOPICS.prefix), {})
    history, current = stored(sink)
    # What compaction removed of a bootstrap is nowhere any more.
    missing = log.history().keys() - history.keys()
    assert all(log.history()[key].cause.type == "bootstrap" for key in missing)
    assert history == {key: c.event_id for key, c in log.history().items() if key not in missing}
    assert current == {user: (c.segment, c.sequence) for user, c in log.current().items()}
    spans = sink.rows(
        "select user_id, sequence, valid_from, valid_to from segment_history order by user_id, sequence"
    )
    for (user, _, start, end), (next_user, _, next_start, _) in pairwise(spans):
        assert start is not None
        assert end == (next_start if next_user == user else None)
        assert end is None or end >= start
    sink.close()


@pytest.mark.parametrize("seed", range(6))
def test_no_moment_shows_a_change_from_before_an_erasure(seed: int, tmp_path: Path) -> None:
    """Though one topic may be far behind the other."""
    chance = random.Random(seed)
    log = DecidedLog(seed, TOPICS, users=3)
    transactions = list(log.batches(40))
    gone: set[str] = set()
    seen: dict[str, set[str]] = {}
    for taken in visible(transactions, chance):
        for entry in taken:
            if isinstance(entry.step, Row):
                assert entry.step.event_id not in gone
                seen.setdefault(entry.step.user_id, set()).add(entry.step.event_id)
            else:
                gone |= seen.pop(entry.step.user_id, set())
    assert gone


def row(log: DecidedLog, user: str, sequence: int) -> Row:
    return next(
        step
        for step in steps_of(log, 50)
        if isinstance(step, Row) and (step.user_id, step.sequence) == (user, sequence)
    )


def test_a_repeat_changes_nothing(tmp_path: Path) -> None:
    log = DecidedLog(1, TOPICS)
    steps = steps_of(log, 30)
    sink = ParquetSink(tmp_path / "sink", TOPICS.prefix)
    sink.apply(batch_of(steps, TOPICS.prefix), {})
    before = stored(sink)
    last = [step for step in steps if isinstance(step, Row) and (step.user_id, step.sequence) in before[0]]
    sink.apply(
        batch_of([s for s in last if before[0][s.user_id, s.sequence] == s.event_id], TOPICS.prefix), {}
    )
    assert stored(sink) == before
    sink.close()


def test_a_number_that_is_given_again_means_an_erasure_that_nobody_saw(tmp_path: Path) -> None:
    one = row(DecidedLog(3, TOPICS), "u0-0", 1)
    two = row(DecidedLog(3, TOPICS), "u0-0", 2)
    again = msgspec.structs.replace(one, event_id="f" * 32)
    sink = ParquetSink(tmp_path / "sink", TOPICS.prefix)
    sink.apply(batch_of([one, two], TOPICS.prefix), {})
    sink.apply(batch_of([again], TOPICS.prefix), {})
    assert stored(sink)[0] == {("u0-0", 1): "f" * 32}
    sink.close()


class WithoutNul(ParquetSink):
    """Holds ids as PostgreSQL can."""

    def stored(self, user_id: str) -> str:
        return user_id.replace("\0", "␀")

    def load(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        texts = [tuple(self.stored(v) if isinstance(v, str) else v for v in row) for row in rows]
        super().load(table, columns, texts)


def test_an_erasure_that_comes_twice_leaves_the_user_who_came_back_with_another_id_in_the_table(
    tmp_path: Path,
) -> None:
    user, before = "a\0b", row(DecidedLog(3, TOPICS), "u0-0", 1)
    erased = Erased(user, before.emitted_at)
    back = change_id(TOPICS.prefix, user, erased.at, 1)
    gone, there = (msgspec.structs.replace(before, user_id=user, event_id=each) for each in ("a" * 32, back))
    sink = WithoutNul(tmp_path / "sink", TOPICS.prefix)
    for step in (gone, erased, there, erased):
        sink.apply(batch_of([step], TOPICS.prefix), {})
    assert stored(sink)[0] == {("a␀b", 1): back}
    sink.close()


def test_two_ids_that_are_stored_as_one_neither_fail_nor_survive_an_erasure(tmp_path: Path) -> None:
    one = row(DecidedLog(3, TOPICS), "u0-0", 1)
    rows = [msgspec.structs.replace(one, user_id=user, event_id=user * 8) for user in ("a\0b", "a␀b")]
    sink = WithoutNul(tmp_path / "sink", TOPICS.prefix)
    sink.apply(batch_of(rows, TOPICS.prefix), {})
    assert len(stored(sink)[0]) == 1
    sink.apply(batch_of([Erased("a\0b", one.emitted_at)], TOPICS.prefix), {})
    assert stored(sink)[0] == {}
    sink.close()


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ({("us.segment-changes", 0): Position(4, "x")}, "follows the topic us.segment-changes, not"),
        ({("eu.segment-changes", 0): Position(4, "y")}, "was deleted and made anew"),
        ({("eu.segment-changes", 0): Position(4, "x")}, "deleted the records 4 to 8 of"),
    ],
)
def test_tables_that_cannot_go_on(stored: dict[tuple[str, int], Position], words: str) -> None:
    begins = {("eu.segment-changes", 0): 9, ("eu.user-segments", 0): 0}
    ids = {"eu.segment-changes": "x", "eu.user-segments": "z"}
    with pytest.raises(BadTopics, match=words):
        check_positions(stored, ids, begins, "schema segue")
    check_positions({("eu.segment-changes", 0): Position(9, "x")}, ids, begins, "schema segue")
