"""The rows of `segue flow` count each change once, whatever is read again."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from segue.flow.moved_row import MOST_IDS, Row, further, with_change

# The ids of the changes of one partition, by offset. A mirror may repeat one close by.
IDS = st.lists(st.integers(0, 1_000), max_size=60, unique=True).flatmap(
    lambda ids: st.lists(st.booleans(), min_size=len(ids), max_size=len(ids)).map(
        lambda again: [each for id_, twice in zip(ids, again, strict=True) for each in [id_] * (1 + twice)]
    )
)


def way_of(id_: int) -> int:
    return id_ % 3


def count(rows: dict[int, Row], ids: list[int], begin: int, end: int) -> None:
    """What one process does until it is killed: it reads from an offset on, and each row is one record."""
    for offset in range(begin, end):
        row = with_change(rows.get(way_of(ids[offset])), offset, str(ids[offset]))
        if row is not None:
            rows[way_of(ids[offset])] = row


@given(IDS, st.data())
def test_each_id_counts_once_whatever_is_read_again(ids: list[int], data: st.DataObject) -> None:
    rows: dict[int, Row] = {}
    reached = 0
    while reached < len(ids):
        begin = data.draw(st.integers(0, reached))
        end = data.draw(st.integers(reached + 1, len(ids)))
        count(rows, ids, begin, end)
        reached = end
    assert {way: row.moves for way, row in rows.items()} == Counter(way_of(each) for each in set(ids))
    assert all(len(row.ids) <= MOST_IDS for row in rows.values())


@given(IDS, st.data())
def test_records_of_a_row_in_any_order_give_the_furthest(ids: list[int], data: st.DataObject) -> None:
    """Two processes may write the same row: the one that lost the partition may be late."""
    history: list[Row] = []
    for offset, id_ in enumerate(ids):
        row = with_change(history[-1] if history else None, offset, str(id_))
        history += [] if row is None else [row]
    assert all(one.next < other.next and one.moves + 1 == other.moves for one, other in pairwise(history))
    found: Row | None = None
    for row in data.draw(st.permutations(history)):
        found = further(found, row)
    assert found == (history[-1] if history else None)
