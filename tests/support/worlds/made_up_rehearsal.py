"""A handmade rehearsal: of 1,000 users with an event 60 flap, and the switch moves 2 of 100 users."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from segue.rehearsal.count_moves import MoveCounts, SegmentCounts
from segue.rehearsal.count_webhooks import TriggerCounts
from segue.rehearsal.rehearse_lane import Moved, SwitchCounts
from segue.rehearsal.rehearse_log import Rehearsal, Run
from segue.rehearsal.suggest_margin import MarginTrial

TRIALS = (
    MarginTrial(0, 60, 80, 1_000),
    MarginTrial(0.05, 20, 22, 980),
    MarginTrial(0.1, 5, 5, 950),
    MarginTrial(0.2, 0, 0, 500),
)


def a_rehearsal(*, segments: int = 5, users: int = 1_000) -> Rehearsal:
    new = MoveCounts(moving_users=1_234_567, flaps=80, flapping_users=60)
    new.moves.update(order=2_345_678, signup=12)
    new.segments[0] = SegmentCounts(1_234_567, 1_234_567, 1_234_567)
    done = Rehearsal(
        datetime(2024, 3, 1, tzinfo=UTC),
        datetime(2024, 3, 31, tzinfo=UTC),
        0.0,
        {number: f"segment with a long name {number}" for number in range(segments)},
        Run("227e3b7a56b8", MoveCounts(), {"welcome": TriggerCounts(), "gone": TriggerCounts()}),
        Run("2ff907b8a07b", new, {"welcome": TriggerCounts(), "gone": TriggerCounts()}),
        MoveCounts(),
        events=10,
        users=users,
        trials=TRIALS,
    )
    done.switch = SwitchCounts(100, [Moved("8", 1, 0), Moved("7", 0, 1)])
    done.switch.webhooks = {"welcome": TriggerCounts(Counter({"2024-03-31": 2})), "gone": TriggerCounts()}
    done.switch.entered.update({1: 1_234_567, 0: 1})
    return done
