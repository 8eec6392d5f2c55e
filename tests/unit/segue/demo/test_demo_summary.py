"""The counts after a demo."""

from __future__ import annotations

from datetime import date
from io import StringIO

from rich.console import Console

from schemas.outputs.segment_change import Cause
from segue.demo.demo_summary import explanation, summary
from segue.demo.stage import Played
from segue.demo.tally import Tally
from tests.support.inputs.made_change import a_change


def test_large_latencies_have_commas_as_other_numbers_have() -> None:
    tally, played = Tally({0: "a"}), Played(events=1, seconds=1.0, latencies_ms=[1904.4])
    page = StringIO()
    Console(file=page, width=100).print(summary(tally, played, "from order to change", 100))
    assert "median 1,904 ms, 95% within 1,904 ms, from order to change" in page.getvalue()


def test_users_moved_by_time_have_their_own_line_and_no_event() -> None:
    tally = Tally({0: "a", 1: "b"})
    moved = a_change(user_id="7", cause=Cause(type="time", day=date(2024, 3, 1)), features={"recency": 31})
    tally.change(moved)
    tally.change(a_change(user_id="8"))
    page = StringIO()
    console = Console(file=page, width=80)

    console.print(summary(tally, Played(), "", 80))
    console.print(explanation(moved, tally.names, {"recency": 1}))

    told = " ".join(page.getvalue().split())
    assert "changes 2: 1 moved by time, 1 moved time 1 user moved because time passed" in told
    assert "why by the day 2024-03-01, no event recency 1 → 31" in told
