"""The tables hold what was decided, however far each topic is read, and whatever compaction removed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from schemas.errors import BadTopics
from schemas.topics import Topics
from segue.sink.merge_lane import LaneMerge
from segue.sink.parquet_sink import ParquetSink
from segue.sink.segment_tables import Position, check_positions
from segue.sink.sink_rows import Entry, Erased, Row, batch_of, read_entry
from streamer.interfaces.lane_interfaces import OutRecord
from tests.support.worlds.decided_log import DecidedLog

TOPICS = Topics("eu.")


def entries(records: list[OutRecord]) -> list[Entry]:
    found = (read_entry(r.key, r.value, r.headers, offset) for offset, r in enumerate(records))
    return [entry for entry in found if entry is not None]


def compacted(records: list[OutRecord], chance: random.Random) -> list[OutRecord]:
    """Without some records that a newer one of their key follows, and without some nulls."""
    kept, newer = [], set()
    for record in reversed(records):
        superseded = record.key in newer or record.value is None
        if not superseded or chance.random() < 0.5:
            kept.append(record)
        newer.add(record.key)
    return kept[::-1]


def visible(changes: list[Entry], users: list[Entry], chance: random.Random) -> Iterator[list[Entry]]:
    """What one lane's merge gives, while its topics are read in pieces and asked for their ends."""
    lane, asked, read = LaneMerge(), 0, {"changes": 0, "users": 0}
    logs = {"changes": (changes, lane.changes), "users": (users, lane.users)}
    while any(read[name] < len(log) for name, (log, _) in logs.items()) or len(lane):
        for name, (log, queue) in logs.items():
            until = min(len(log), read[name] + chance.randint(0, 9))
            queue.extend((asked, entry) for entry in log[read[name] : until])
            read[name] = until
        if lane.is_one_sided:
            asked += 1  # the end of these logs is their end
            other = "users" if lane.changes else "changes"
            log, queue = logs[other]
            while not queue and read[other] < len(log):
                queue.append((asked, log[read[other]]))
                read[other] += 1
        at_end = {name: read[name] == len(log) for name, (log, _) in logs.items()}
        yield lane.take(asked, changes_at_end=at_end["changes"], users_at_end=at_end["users"])


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
    written = [r for t in (*log.bootstrap(), *log.batches(40)) for r in t.records]
    changes = entries([r for r in written if r.topic == TOPICS.changes])
    users = entries(compacted([r for r in written if r.topic == TOPICS.users], chance))
    assert log.erasures > 2
    sink = ParquetSink(tmp_path / "sink", TOPICS.prefix)
    for taken in visible(changes, users, chance):
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
    written = [r for t in log.batches(40) for r in t.records]
    changes = entries([r for r in written if r.topic == TOPICS.changes])
    users = entries([r for r in written if r.topic == TOPICS.users])
    gone: set[str] = set()
    seen: dict[str, set[str]] = {}
    for taken in visible(changes, users, chance):
        for entry in taken:
            if isinstance(entry.step, Row):
                assert entry.step.event_id not in gone
                seen.setdefault(entry.step.user_id, set()).add(entry.step.event_id)
            else:
                gone |= seen.pop(entry.step.user_id, set())
    assert gone


def row(log: DecidedLog, user: str, sequence: int) -> Row:
    return next(
        e.step
        for e in entries([r for t in log.batches(50) for r in t.records])
        if isinstance(e.step, Row) and (e.step.user_id, e.step.sequence) == (user, sequence)
    )


def test_a_repeat_changes_nothing(tmp_path: Path) -> None:
    log = DecidedLog(1, TOPICS)
    steps = [e.step for e in entries([r for t in log.batches(30) for r in t.records])]
    sink = ParquetSink(tmp_path / "sink", TOPICS.prefix)
    sink.apply(batch_of(steps, TOPICS.prefix), {})
    before = stored(sink)
    last = [step for step in steps if isinstance(step, Row) and (step.user_id, step.sequence) in before[0]]
    sink.apply(
        batch_of([s for s in last if before[0][s.user_id, s.sequence] == s.event_id], TOPICS.prefix), {}
    )
    assert stored(sink) == before
    sink.close()


def test_an_erasure_that_comes_late_leaves_the_user_who_came_back() -> None:
    log = DecidedLog(2, TOPICS, users=1)
    steps = [e.step for e in entries([r for t in log.batches(40) for r in t.records])]
    erased = next(step for step in steps if isinstance(step, Erased))
    after = steps[steps.index(erased) + 2]  # both records of the erasure
    assert isinstance(after, Row)
    batch = batch_of([after, erased], TOPICS.prefix)
    assert list(batch.rows) == [(after.user_id, after.sequence)]
    assert batch_of([after, Erased(erased.user_id, None)], TOPICS.prefix).rows == {}


def test_a_number_that_is_given_again_means_an_erasure_that_nobody_saw(tmp_path: Path) -> None:
    one = row(DecidedLog(3, TOPICS), "u0-0", 1)
    two = row(DecidedLog(3, TOPICS), "u0-0", 2)
    again = msgspec.structs.replace(one, event_id="f" * 32)
    assert batch_of([one, two, again], TOPICS.prefix).rows == {("u0-0", 1): again}
    sink = ParquetSink(tmp_path / "sink", TOPICS.prefix)
    sink.apply(batch_of([one, two], TOPICS.prefix), {})
    sink.apply(batch_of([again], TOPICS.prefix), {})
    assert stored(sink)[0] == {("u0-0", 1): "f" * 32}
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
