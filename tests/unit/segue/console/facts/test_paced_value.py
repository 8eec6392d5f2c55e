from __future__ import annotations

import threading
import weakref
from traceback import extract_tb

import pytest

from schemas.errors import Unreachable
from segue.console.facts.paced_value import PacedValue


class Slow:
    """Counts its computations; each takes some seconds of a clock that the test owns."""

    def __init__(self, takes_s: float) -> None:
        self.now_s = 0.0
        self.takes_s = takes_s
        self.count = 0
        self.error: Unreachable | None = None

    def __call__(self) -> int:
        self.count += 1
        self.now_s += self.takes_s
        if self.error is not None:
            raise self.error
        return self.count


def test_a_value_rests_twenty_times_as_long_as_it_took() -> None:
    slow = Slow(3.0)
    paced = PacedValue(slow, 5.0, lambda: slow.now_s)
    assert paced.get() == 1
    slow.now_s += 59.0
    assert paced.get() == 1
    slow.now_s += 1.0
    assert paced.get() == 2


def test_a_fast_value_is_kept_for_the_least_time() -> None:
    fast = Slow(0.0)
    paced = PacedValue(fast, 5.0, lambda: fast.now_s)
    assert [paced.get(), paced.get()] == [1, 1]
    fast.now_s += 5.0
    assert paced.get() == 2


def test_an_error_is_kept_for_the_least_time_so_that_a_silent_server_is_asked_once() -> None:
    slow = Slow(0.5)
    slow.error = Unreachable("Redis at localhost does not answer")
    paced = PacedValue(slow, 1.0, lambda: slow.now_s)
    for _ in range(3):
        with pytest.raises(Unreachable, match="does not answer"):
            paced.get()
    assert slow.count == 1
    slow.error = None
    slow.now_s += 1.0
    assert paced.get() == 2


def test_a_kept_error_neither_grows_nor_holds_what_the_computation_had() -> None:
    held: list[weakref.ref[Slow]] = []

    def fail() -> int:
        letters = Slow(0.0)
        held.append(weakref.ref(letters))
        try:
            return [][letters.count]
        except IndexError as error:
            raise Unreachable("Kafka at localhost does not answer") from error

    paced = PacedValue(fail, 5.0, lambda: 0.0)
    raised = []
    for _ in range(3):
        with pytest.raises(Unreachable) as caught:
            paced.get()
        raised.append(len(extract_tb(caught.value.__traceback__)))
    assert raised[1] == raised[2]
    assert held[0]() is None


def test_while_one_thread_computes_the_others_get_the_last_value() -> None:
    began, may_end = threading.Event(), threading.Event()
    values = iter((1, 2))

    def compute() -> int:
        value = next(values)
        if value == 2:
            began.set()
            may_end.wait()
        return value

    now_s = 0.0
    paced = PacedValue(compute, 1.0, lambda: now_s)
    assert paced.get() == 1
    now_s = 2.0
    got: list[int] = []
    thread = threading.Thread(target=lambda: got.append(paced.get()))
    thread.start()
    began.wait()
    assert paced.get() == 1
    may_end.set()
    thread.join()
    assert (got, paced.get()) == ([2], 2)


def test_a_value_is_asked_for_again_in_time_if_one_answer_was_slow() -> None:
    slow = Slow(174.0)
    paced = PacedValue(slow, 5.0, lambda: slow.now_s, most_s=60.0)
    assert paced.get() == 1
    slow.now_s += 60.0
    assert paced.get() == 2
