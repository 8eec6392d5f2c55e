from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from segue.console.moves.flow_facts import Flow, Hours
from segue.console.shown.counted_words import counted_words

NOW = datetime(2024, 12, 3, 8, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("counted_by", "until", "sentence", "is_late"),
    [
        ("console", NOW, "This console counts what it reads", False),
        ("segue flow", NOW - timedelta(seconds=60), "until 08:19:30 UTC.", False),
        (
            "segue flow",
            NOW - timedelta(seconds=61),
            "counted all changes until 2024-12-03 08:19:29 UTC.",
            True,
        ),
        ("segue flow", None, "the newest move that it has counted is of 2024-12-03 07:00 UTC.", True),
    ],
)
def test_the_sentence_says_who_counted_and_how_far(
    counted_by: Literal["segue flow", "console"], until: datetime | None, sentence: str, is_late: bool
) -> None:
    flow = Flow(NOW, 0, (), (), counted_by, until)
    hours = Hours(until, NOW.replace(hour=7, minute=0, second=0), ())
    words = counted_words(flow, hours, NOW)
    assert sentence in words.sentence
    assert words.is_late is is_late
