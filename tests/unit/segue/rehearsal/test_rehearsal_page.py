"""The page, its notes, and the gate."""

from __future__ import annotations

import io

import msgspec
import pytest
from rich.console import Console

from segue.rehearsal.rehearsal_gate import refusal
from segue.rehearsal.rehearsal_page import rehearsal_json, rehearsal_notes, rehearsal_page
from segue.rehearsal.rehearse_log import Rehearsal
from tests.support.worlds.made_up_rehearsal import a_rehearsal


def lines_of(rehearsal: Rehearsal) -> list[str]:
    console = Console(width=80, file=io.StringIO(), color_system=None)
    console.print(rehearsal_page(rehearsal))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_a_page_is_80_columns_wide_and_one_page_long() -> None:
    for segments in (5, 40):
        lines = lines_of(a_rehearsal(segments=segments))
        assert max(map(len, lines)) <= 80
        assert len(lines) <= 48
        assert not any("…" in line for line in lines if "segment with" not in line)
        assert any(line.startswith("20 more: --json") for line in lines) == (segments == 40)


def test_the_page_says_both_releases_side_by_side() -> None:
    page = "\n".join(" ".join(line.split()) for line in lines_of(a_rehearsal()))
    assert "now: 227e3b7a56b8 new: 2ff907b8a07b" in page
    assert "users who move 0 1,234,567" in page
    assert "users who flap 0 (0.0%) 60 (6.0%)" in page
    assert "The switch moves 2 of 100 users (2.0%), by cause model." in page
    assert "The switch sends 2 webhooks: welcome 2." in page
    assert "users who move 1,000 980 950 500" in page
    assert "Suggested min_margin: 0.1 (5 flaps instead of 80; 95.0% of users still move)." in page


def test_json_has_the_same_numbers() -> None:
    fields = msgspec.json.decode(msgspec.json.encode(rehearsal_json(a_rehearsal())))
    assert fields["new"]["moves"] == {"order": 2_345_678, "signup": 12}
    assert fields["new"]["segments"]["0"] == {"new": 1_234_567, "entered": 1_234_567, "left": 1_234_567}
    assert fields["switch"]["moved"][0] == {"user_id": "7", "previous_segment": 0, "segment": 1}
    assert [one["user_id"] for one in fields["switch"]["moved"]] == ["7", "8"]
    assert fields["switch"]["webhooks"]["welcome"]["by_day"] == {"2024-03-31": 2}
    assert fields["suggested_min_margin"] == 0.1
    assert [trial["flaps"] for trial in fields["margins"]] == [80, 22, 5, 0]


def test_the_gate() -> None:
    assert refusal(a_rehearsal(), max_moved=0.02, max_flaps=0.06) is None
    moved = refusal(a_rehearsal(), max_moved=0.019, max_flaps=0.01)
    assert moved is not None
    assert "would now move 2 of 100 users (2.0%) to another segment, and the limit is 1.9%" in moved
    flaps = refusal(a_rehearsal(), max_moved=1, max_flaps=0.05)
    assert flaps is not None
    assert "60 of 1,000 users with an event (6.0%) would return to a segment they left" in flaps
    assert "the limit is 5%: set min_margin to 0.1" in flaps
    assert "the limit is 0.04%:" in (refusal(a_rehearsal(), max_moved=0.0004, max_flaps=1) or "")
    assert refusal(a_rehearsal(users=0), max_moved=1, max_flaps=0) is None


def test_the_gate_on_webhooks() -> None:
    """By trigger and day: of the switch alone, and of the days under the new release."""
    rehearsal = a_rehearsal()
    assert refusal(rehearsal, 1, 1, max_webhooks=2) is None
    assert refusal(rehearsal, 1, 1, max_webhooks=1) == (
        "when release 2ff907b8a07b becomes current, trigger welcome would send 2 webhooks at once, and the"
        " limit is 1: look at the rehearsal, then publish it with --force or a higher --max-webhooks"
    )
    rehearsal.new.webhooks["gone"].by_day.update({"2024-03-02": 3, "2024-03-03": 2_000, "2024-03-04": 9})
    told = refusal(rehearsal, 1, 1, max_webhooks=1_999)
    assert told is not None
    assert told.startswith(
        "under release 2ff907b8a07b trigger gone would send 2,000 webhooks on 2024-03-03, and the limit is"
        " 1,999: "
    )
    assert refusal(rehearsal, 1, 1, max_webhooks=2_000) is None
    assert refusal(rehearsal, 1, 1) is None


@pytest.mark.parametrize(
    ("min_margin", "max_flaps", "advice"),
    [
        (0.05, 0.005, "set min_margin to 0.1, or publish it with --force or a higher --max-flaps"),
        (0.0, 0.0049, "publish it with --force or a higher --max-flaps"),  # 5 of 1,000 still flap
        (0.1, 0.05, "publish it with --force or a higher --max-flaps"),  # it is so already
        (0.2, 0.05, "publish it with --force or a higher --max-flaps"),
    ],
)
def test_the_gate_names_a_margin_only_if_it_is_larger_and_passes(
    min_margin: float, max_flaps: float, advice: str
) -> None:
    rehearsal = a_rehearsal()
    rehearsal.min_margin = min_margin
    found = refusal(rehearsal, max_moved=1, max_flaps=max_flaps)
    assert found is not None
    assert found.partition("%: ")[2] == advice


def test_the_notes() -> None:
    rehearsal = a_rehearsal()
    assert rehearsal_notes(rehearsal) == []
    rehearsal.live_versions |= {rehearsal.current.version, "older"}
    rehearsal.undecided_before, rehearsal.events = 1, 0
    nothing, others, undecided = rehearsal_notes(rehearsal)
    assert "has no event in this time" in nothing
    assert "in this time other releases decided live, too: older" in others
    assert undecided.startswith("for 1 user the log does not have the segment before")
