"""The counts after a demo."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from segue.demo.demo_summary import summary
from segue.demo.stage import Played
from segue.demo.tally import Tally


def test_large_latencies_have_commas_as_other_numbers_have() -> None:
    tally, played = Tally({0: "a"}), Played(events=1, seconds=1.0, latencies_ms=[1904.4])
    page = StringIO()
    Console(file=page, width=100).print(summary(tally, played, "from order to change", 100))
    assert "median 1,904 ms, 95% within 1,904 ms, from order to change" in page.getvalue()
