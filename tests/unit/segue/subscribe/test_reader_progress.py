"""A group's offset never lasts before the memory does."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.subscribe.change_filter import Known
from segue.subscribe.reader_memory import Reached, ReaderMemory
from segue.subscribe.reader_progress import ReaderProgress


class Group:
    """Keeps the stored offsets, and checks that the memory was saved before."""

    def __init__(self, memory: ReaderMemory) -> None:
        self.memory, self.stored = memory, {0: 0}

    def store(self, partition: int, offset: int) -> None:
        assert not self.memory._sql.in_transaction, "the memory is not saved"
        self.stored[partition] = offset


@pytest.fixture
def group(tmp_path: Path) -> Group:
    return Group(ReaderMemory(tmp_path / "memory.db", {}))


def test_an_offset_waits_for_the_memory(group: Group) -> None:
    progress = ReaderProgress(group.memory, group.store)
    group.memory.learn(0, "7", Known("ab", 3))
    progress.reach(0, 5)
    progress.reach(1, 2)
    progress.reach(0, 6)
    assert group.stored == {0: 0}
    progress.save()
    assert group.stored == {0: 6, 1: 2}
    assert group.memory.reached(0) == Reached(6)
    group.memory.close()


def test_a_long_run_is_saved_once_a_second(group: Group) -> None:
    progress = ReaderProgress(group.memory, group.store)
    seen = []
    for offset, now_s in enumerate((100.0, 100.4, 100.9, 101.0, 101.9, 102.5), start=1):
        progress.reach(0, offset)
        progress.save_each_second(now_s)
        seen.append(group.stored[0])
    assert seen == [1, 1, 1, 4, 4, 6]
    group.memory.close()
