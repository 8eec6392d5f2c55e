"""The webhooks that changes would cause, by trigger and day."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace
from rich.console import Console

from schemas.outputs.segment_change import Cause, SegmentChange
from segue.rehearsal.count_webhooks import TriggerCounts, WebhookTally, known_by, known_by_decision
from segue.rehearsal.dry_run_triggers import count_from
from segue.rehearsal.webhooks_page import webhooks_json, webhooks_table
from segue.triggers.file.trigger_file import Trigger, Triggers
from streamer.user.user_state import Decided
from tests.support.inputs.made_change import a_change

EVENING = datetime(2024, 12, 3, 23, 30, tzinfo=UTC)  # it is the 4th in Madrid
ENTERED = Trigger(name="entered", on="entering", segment=1, url="http://x", reentry="always")
LEFT = Trigger(name="left", on="leaving", segment="calm", url="http://x")
TRIGGERS = Triggers((ENTERED, LEFT), time_zone="Europe/Madrid")


def a_move(sequence: int, previous: int | None, segment: int, at: datetime, **fields: Any) -> SegmentChange:
    return replace(
        a_change(),
        sequence=sequence,
        event_id=f"{sequence}",
        previous_segment=previous,
        segment=segment,
        segment_name=("calm", "At risk", "Champions")[segment],
        occurred_at=at,
        emitted_at=at,
        cause=Cause(type="order"),
        **fields,
    )


def test_the_days_are_those_of_the_files_time_zone() -> None:
    tally = WebhookTally(TRIGGERS)
    tally.add(a_move(1, 0, 1, EVENING))
    tally.add(a_move(2, 1, 0, EVENING + timedelta(hours=1)))
    tally.add(a_move(3, 0, 1, EVENING + timedelta(days=1)))
    entered, left = tally.counts["entered"], tally.counts["left"]
    assert entered.by_day == {"2024-12-04": 1, "2024-12-05": 1}
    assert (entered.sent, entered.most) == (2, 1)
    assert entered.outcomes == {"send": 2, "skipped: other": 1}
    # Nobody knows the name of segment 0 at the first change; at the third it is known.
    assert left.by_day == {"2024-12-04": 0, "2024-12-05": 1}


def test_a_dry_run_knows_where_users_were_before() -> None:
    before, after = a_move(1, None, 0, EVENING - timedelta(days=9)), a_move(2, 0, 1, EVENING)
    tally = WebhookTally(TRIGGERS)
    count_from(tally, [before, after], EVENING)
    assert {name: counts.sent for name, counts in tally.counts.items()} == {"entered": 1, "left": 1}
    assert tally.counts["entered"].outcomes.total() == 1


def test_a_provisional_decision_is_no_firm_segment() -> None:
    decided = Decided(0, "calm", False, 1, "v", 0, "")
    assert known_by_decision(decided) == known_by(a_move(1, None, 0, EVENING))
    provisional = known_by_decision(replace(decided, provisional=True))
    assert provisional == known_by(a_move(1, None, 0, EVENING, provisional=True))
    assert provisional.where.firm is None


def printed(runs: dict[str, dict[str, TriggerCounts]], length: timedelta) -> list[str]:
    text = io.StringIO()
    console = Console(width=80, file=text, color_system=None)
    console.print(webhooks_table(runs, EVENING - length, EVENING))
    return text.getvalue().splitlines()


def test_an_hour_has_no_number_by_day() -> None:
    counts = TriggerCounts()
    counts.by_day.update({"2024-12-04": 12})
    runs = {"sent": {"t": counts}}
    assert [line.split() for line in printed(runs, timedelta(hours=1))] == [["webhooks", "sent"], ["t", "12"]]
    assert [line.split() for line in printed(runs, timedelta(days=1))] == [
        ["webhooks", "sent", "a", "day", "busiest"],
        ["t", "12", "12.0", "12"],
    ]


def test_the_table_fits_80_columns() -> None:
    counts = TriggerCounts()
    counts.by_day.update({"2024-12-04": 1_234_567, "2024-12-05": 1})
    runs = {
        "now": {"a-trigger-with-a-very-long-name": counts},
        "new": {"a-trigger-with-a-very-long-name": counts},
    }
    lines = printed(runs, timedelta(days=10))
    assert max(map(len, lines)) <= 80
    assert lines[1].split() == ["a-trigg…ong-name", *2 * ["1,234,568", "123,456.8", "1,234,567"]]
    assert webhooks_json({"t": counts})["t"]["by_day"] == {"2024-12-04": 1_234_567, "2024-12-05": 1}
