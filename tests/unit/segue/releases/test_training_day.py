"""The warning about facts that end long before the day of a training."""

from __future__ import annotations

from datetime import UTC, date, datetime

from schemas.days import zone_of
from segue.releases.training_day import old_facts

LAST = datetime(2024, 12, 31, 23, 30, tzinfo=UTC)


def test_facts_that_end_long_before_the_day() -> None:
    berlin = zone_of("Europe/Berlin")  # where it is already 2025
    assert old_facts(LAST, date(2025, 2, 1), berlin) == (
        "the last fact is of 2025-01-01, 31 days before 2025-02-01, the day of the features of time, so"
        " nobody ordered recently: --as-of 2025-01-02 trains as of the day after it"
    )
    assert old_facts(LAST, date(2025, 1, 31), berlin) is None
    assert old_facts(None, date(2025, 2, 1), berlin) is None
