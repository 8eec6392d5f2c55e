from __future__ import annotations

from segue.console.viewers.recent_changes import KEPT, RecentChanges
from tests.support.inputs.made_change import a_change


def test_the_newest_come_first_and_the_oldest_go() -> None:
    recent = RecentChanges()
    changes = [a_change(user_id=str(number)) for number in range(KEPT + 2)]
    recent.add(changes, 0.0)
    assert [change.user_id for change in recent.newest()] == [str(n) for n in range(KEPT + 1, 1, -1)]


def test_only_the_last_minute_is_counted() -> None:
    recent = RecentChanges()
    recent.add([a_change()] * 3, 100.1)
    recent.add([a_change()] * 2, 100.9)
    recent.add([a_change()], 130.0)
    assert recent.in_last_minute(159.9) == 6
    assert recent.in_last_minute(160.0) == 1
    assert recent.in_last_minute(190.0) == 0
