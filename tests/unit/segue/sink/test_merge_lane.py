"""Records of both topics come in the order of the decisions, and none before its place is certain."""

from __future__ import annotations

from segue.sink.merge_lane import LaneMerge
from segue.sink.sink_rows import Entry, Erased


def entry(at: int) -> Entry:
    return Entry(at, 10 * at, Erased(f"u{at}", None))


def lane(changes: list[int], users: list[int], asked: int = 0) -> LaneMerge:
    """A lane whose records have these places, and arrived when the ends had been asked for so often."""
    found = LaneMerge()
    found.changes.extend((asked, entry(at)) for at in changes)
    found.users.extend((asked, entry(at)) for at in users)
    return found


def taken(
    merge: LaneMerge, asked: int = 0, *, changes_at_end: bool = False, users_at_end: bool = False
) -> list[int]:
    found = merge.take(asked, changes_at_end=changes_at_end, users_at_end=users_at_end)
    return [each.at for each in found]


def test_both_topics_are_merged_by_place_until_one_has_no_record() -> None:
    merge = lane([1, 4, 6], [1, 3, 4, 5])
    assert taken(merge) == [1, 1, 3, 4, 4, 5]
    assert [each.at for _, each in merge.changes] == [6]
    assert len(merge) == 1


def test_of_two_records_of_one_decision_the_change_is_first() -> None:
    merge = LaneMerge()
    change, state = Entry(3, 1, Erased("7", None)), Entry(3, 2, Erased("7", None))
    merge.changes.append((0, change))
    merge.users.append((0, state))
    assert merge.take(1, changes_at_end=True, users_at_end=True) == [change, state]


def test_a_record_alone_waits_for_the_end_of_the_other_topic() -> None:
    """And for an end that was asked for after it: the other record may have been written in between."""
    for merge, at_end in ((lane([2], []), "users_at_end"), (lane([], [2]), "changes_at_end")):
        other = {"users_at_end": "changes_at_end", "changes_at_end": "users_at_end"}[at_end]
        assert merge.is_one_sided
        assert taken(merge, 1) == []
        assert taken(merge, 1, **{other: True}) == []
        assert taken(merge, 0, **{at_end: True}) == []
        assert taken(merge, 1, **{at_end: True}) == [2]


def test_a_later_record_waits_though_an_earlier_one_is_certain() -> None:
    merge = lane([2], [])
    merge.changes.append((1, entry(5)))
    assert taken(merge, 1, users_at_end=True) == [2]
    assert taken(merge, 2, users_at_end=True) == [5]


def test_an_empty_lane_and_a_full_one_are_not_one_sided() -> None:
    assert not lane([], []).is_one_sided
    assert not lane([1], [1]).is_one_sided
