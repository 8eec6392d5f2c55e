import gc
from collections.abc import Iterator
from typing import ClassVar

import pytest

from streamer.worker.garbage_collection import collect_less


@pytest.fixture
def collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


class Cycle:
    """An object that only the collector can free."""

    ended: ClassVar[list[str]] = []

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        self.ended.append("one")


def test_what_is_built_is_left_out_and_new_cycles_still_go(collector: None) -> None:
    collect_less()
    assert gc.get_freeze_count() > 10_000
    assert gc.isenabled()
    Cycle.ended.clear()
    Cycle()
    # Objects that stay. Another thread may free objects meanwhile, so they are more than begin a collection.
    kept = [[number] for number in range(3 * gc.get_threshold()[0])]
    assert kept
    assert Cycle.ended == ["one"]
