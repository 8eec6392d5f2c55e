"""Whether two ways put every user into the same segment."""

from __future__ import annotations

from benchmarks.stage.read_results import Results


def compare_users(theirs: Results, ours: Results) -> str:
    """A sentence on the last segments of all users.

    >>> compare_users(Results({"1": 0, "2": 3}), Results({"1": 0, "2": 4, "3": 1}))
    '2 of 3 users differ from Segue'
    """
    users = theirs.segments.keys() | ours.segments.keys()
    differ = sum(theirs.segments.get(user) != ours.segments.get(user) for user in users)
    if differ:
        return f"{differ:,} of {len(users):,} users differ from Segue"
    return f"all {len(users):,} users as Segue"
