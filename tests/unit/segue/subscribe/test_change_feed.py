"""What the feed keeps, and in which order, without a Kafka."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.outputs.segment_change import Change
from schemas.outputs.wire import encode_change
from segue.subscribe import change_feed
from segue.subscribe.change_feed import ChangeFeed
from segue.subscribe.reader_memory import Reached, ReaderMemory
from segue.subscribe.subscription import Subscription
from tests.support.inputs.made_change import a_change
from tests.support.worlds.made_up_release import a_release


class Record:
    """A record of one partition, as Kafka's client gives it."""

    def __init__(self, offset: int, change: Change) -> None:
        self._offset, self._value = offset, encode_change(change)

    def topic(self) -> str:
        return "segment-changes"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def value(self) -> bytes:
        return self._value


class Source:
    """Gives these records of one partition, and keeps what is stored for the group."""

    def __init__(self, records: list[Record], memory: ReaderMemory, on_begin: Callable[..., None]) -> None:
        self._records, self._memory, self._on_begin = records, memory, on_begin
        self._next, self._end = 0, len(records) + 1  # behind the last record lies its transaction's marker
        self.stored: list[int] = []
        self.stored_at_poll: list[list[int]] = []
        on_begin({0: Reached(0)})

    def poll(self, timeout_s: float) -> Record | None:
        self.stored_at_poll.append(list(self.stored))
        if not self._records:
            self._next = self._end
            return None
        self._next += 1
        return self._records.pop(0)

    def reached(self) -> dict[int, int]:
        return {0: self._next}

    def store(self, partition: int, offset: int) -> None:
        assert not self._memory._sql.in_transaction, "the memory is not saved"
        self.stored.append(offset)

    def rebalance(self) -> None:
        self._on_begin({})

    def close(self) -> None:
        self.rebalance()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[ChangeFeed, Source]]:
    def find_topics(admin: object, wanted: list[str], client: object) -> Mapping[str, Any]:
        return {topic: SimpleNamespace(topic_id="a", partitions=1) for topic in wanted}

    def open_feed(*changes: Change, **options: Any) -> tuple[ChangeFeed, Source]:
        records = [Record(offset, change) for offset, change in enumerate(changes)]
        made: list[Source] = []

        def make_source(
            *_: object, memory: ReaderMemory, on_begin: Callable[..., None], **__: object
        ) -> Source:
            made.append(Source(records, memory, on_begin))
            return made[0]

        monkeypatch.setattr(change_feed, "PartitionSource", make_source)
        monkeypatch.setattr(change_feed, "check_group_use", lambda *_: None)
        return ChangeFeed(Subscription("localhost:9", group="shop", **options)), made[0]

    monkeypatch.setattr(change_feed, "Admin", lambda *_: None)
    monkeypatch.setattr(change_feed, "find_topics", find_topics)
    monkeypatch.setattr(change_feed, "read_current_release", lambda *_: a_release())
    return open_feed


def moves(count: int) -> list[Change]:
    return [a_change(event_id=f"{number}", user_id=f"{number}") for number in range(count)]


def test_a_run_of_unwanted_changes_is_stored_once_a_second_and_never_before_the_memory(
    opened: Callable[..., tuple[ChangeFeed, Source]], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter((100.0, 100.5, 101.0, 101.5))
    monkeypatch.setattr(change_feed, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    feed, source = opened(*moves(4), segment=99)
    assert feed.take(0) is None
    assert source.stored_at_poll == [[], [1], [1], [1, 3], [1, 3]]
    assert source.stored == [1, 3, 5]
    feed.close()


def test_a_handled_change_is_stored_when_the_next_is_taken(
    opened: Callable[..., tuple[ChangeFeed, Source]],
) -> None:
    feed, source = opened(*moves(2))
    for handled in ([], [1], [1, 2, 3]):
        feed.take(0)
        assert source.stored == handled
    feed.close()


def test_what_was_passed_over_is_stored_before_partitions_go_and_before_the_end(
    opened: Callable[..., tuple[ChangeFeed, Source]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_feed, "time", SimpleNamespace(monotonic=lambda: 0.5))  # less than a second
    feed, source = opened(*moves(3), a_change(event_id="a", segment=99), segment=99)
    assert feed.take(0) is not None
    assert source.stored == []
    source.rebalance()
    assert source.stored == [3]
    feed.handled()
    feed.close()
    assert source.stored == [3, 4]
