"""Times in options: days in the shop's time zone."""

from contextlib import ExitStack, nullcontext
from datetime import UTC, datetime
from unittest.mock import Mock

import pytest

from segue.cli import ingest
from segue.config.command_line import BadUsage
from segue.config.settings import Settings
from segue.config.time_options import time_option


def test_a_day_that_is_in_no_calendar_is_refused_in_a_whole_sentence() -> None:
    with pytest.raises(
        BadUsage, match="option --as-of is '2026-11-31': it is no date of the calendar; give a day"
    ):
        time_option("--as-of", "2026-11-31")


def test_ingest_takes_days_in_the_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As train does with the same words."""
    tables = Mock(**{"notes.return_value": [], "events.return_value": []})
    monkeypatch.setattr("segue.config.trainer_extra.open_warehouse", lambda *_: nullcontext(tables))
    settings = Settings.model_validate({"time_zone": "Pacific/Auckland"})
    with ExitStack() as stack:
        assert list(ingest._of_warehouse(stack, "x", "2026-11-30", None, settings)) == []
    tables.events.assert_called_once_with(as_of=None, since=datetime(2026, 11, 29, 11, tzinfo=UTC))
