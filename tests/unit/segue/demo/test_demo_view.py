"""The demo's view: drawn as fast as it can be while two threads count, and plain where nothing can move."""

from __future__ import annotations

import io
import threading
import time
from collections import Counter

import pytest
from rich.console import Console

from segue.demo import demo_view
from segue.demo.demo_view import View
from segue.demo.tally import Tally
from tests.support.inputs.made_change import a_change
from tests.support.servers.terminals import Terminal

TIMES = 10
PICTURES = 5
DEADLINE_S = 30


def a_tally() -> Tally:
    tally = Tally({segment: f"segment {segment}" for segment in range(5)})
    tally.populated(Counter(dict.fromkeys(range(5), 100)))
    return tally


def test_the_picture_lives_while_two_threads_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_view, "_PICTURES_A_SECOND", 10_000)
    for _ in range(TIMES):
        with Terminal() as terminal, View(terminal.console, a_tally(), 1_000_000) as view:
            assert view._live is not None
            drawing = view._live._refresh_thread
            assert drawing is not None
            stop = threading.Event()

            def send(view: View = view, stop: threading.Event = stop) -> None:
                events = 0
                while not stop.is_set():
                    view.sent(events := events + 1)

            sending = threading.Thread(target=send)
            sending.start()
            end, number = time.monotonic() + DEADLINE_S, 0
            # The segments are ever others: the counts grow while they are drawn.
            while terminal.drawn().count("the latest changes") < PICTURES and time.monotonic() < end:
                for number in range(number, number + 1_000):  # noqa: B020 - it goes on where it was
                    view.change(a_change(previous_segment=number, segment=number + 1))
                if not drawing.is_alive():
                    break  # what it died of is the test's error, as pytest sees to
            stop.set()
            sending.join()
            assert drawing.is_alive()
        assert terminal.drawn().count("the latest changes") >= PICTURES


@pytest.mark.parametrize(
    "console",
    [
        Console(file=io.StringIO(), width=80),
        Console(file=io.StringIO(), width=80, force_terminal=True),  # as FORCE_COLOR makes a pipe
    ],
    ids=["a pipe", "a pipe with colours"],
)
def test_where_nothing_can_move_changes_are_lines(console: Console) -> None:
    with View(console, a_tally(), 2) as view:
        view.change(a_change(user_id="7"))
        view.change(a_change(user_id="8"))
        view.dead_letter("age: 212 is outside 0..150")

    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue()
    assert "user 7" in told
    assert "user 8" not in told  # one a second
    assert "dead letter: age: 212 is outside 0..150\n" in told
    assert "\x1b[?25l" not in told


def test_a_terminal_without_a_cursor_to_move_gets_lines() -> None:
    with Terminal() as terminal:
        console = Console(file=terminal.console.file, _environ={"TERM": "dumb"})
        with View(console, a_tally(), 1) as view:
            view.change(a_change())

    assert "user 7 moved" in terminal.drawn()
    assert "\x1b" not in terminal.drawn()
