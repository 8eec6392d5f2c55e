"""Whether a dead letter stands is known without a read up to the ends for each."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from schemas.outputs.headers import REASON
from segue.config.settings import Settings
from segue.triggers.lane_transaction import TRIGGER
from segue.triggers.service import dead_letters
from segue.triggers.service.dead_letters import DeadLetters, standing_by_trigger

Record = tuple[bytes, bytes | None]


class _Message:
    def __init__(self, key: bytes, value: bytes | None) -> None:
        self._key, self._value = key, value

    def key(self) -> bytes:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def partition(self) -> int:
        return 0

    def headers(self) -> list[tuple[str, bytes]]:
        return [(TRIGGER, b"t"), (REASON, b"no")]


class _Reader:
    """A topic in memory; ``late`` records come only to a read up to the ends."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.late: list[Record] = []
        self.asked = 0

    def ends(self) -> int:
        self.asked += 1
        self.records += self.late
        self.late = []
        return 0

    def has_reached(self, _: int) -> bool:
        return not self.records

    def poll(self, _: float) -> _Message | None:
        return _Message(*self.records.pop(0)) if self.records else None

    def close(self) -> None:
        pass


def test_what_was_removed_is_known_at_once_if_kafka_has_sent_it_and_else_after_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader, now_s = _Reader(), [0.0]
    monkeypatch.setattr(dead_letters, "CommittedReader", lambda *_, **__: reader)
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    letters = DeadLetters(Settings())
    reader.records = [(b"%d" % n, b"{}") for n in range(1_000)]
    assert len(letters.read()) == 1_000
    assert reader.asked == 1

    reader.records = [(b"7", None)]
    assert not letters.stands("7")
    assert all(letters.stands(f"{n}") for n in range(1_000) if n != 7)
    assert reader.asked == 1

    reader.late = [(b"8", None)]
    assert letters.stands("8")
    now_s[0] = 1.0
    assert not letters.stands("8")
    assert reader.asked == 2


def test_to_count_the_standing_needs_no_memory_for_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = _Reader()
    value = b"{}" * 5_000
    reader.records = [(b"%d" % number, value) for number in range(1_000)]
    reader.records += [(b"7", None), (b"8", value)]
    monkeypatch.setattr(dead_letters, "CommittedReader", lambda *_, **__: reader)
    monkeypatch.setattr(_Message, "value", lambda each: each._value and bytearray(each._value))
    tracemalloc.start()
    try:
        assert standing_by_trigger(Settings()) == {"t": 999}
        # All values take ten times as much. Other threads of the tests take some, too.
        assert tracemalloc.get_traced_memory()[1] < 100 * len(value)
    finally:
        tracemalloc.stop()
