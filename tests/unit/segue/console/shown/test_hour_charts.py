from __future__ import annotations

from datetime import UTC, datetime, timedelta

from segue.console.moves.flow_facts import Hour, Hours, SegmentHour
from segue.console.shown.hour_charts import hour_charts

NOW = datetime(2024, 12, 3, 8, 20, tzinfo=UTC)


def ago(hours: int) -> datetime:
    return NOW.replace(minute=0) - timedelta(hours=hours)


def test_each_segment_has_bars_up_and_down_on_one_scale() -> None:
    hours = (
        Hour(ago(0), 4, (SegmentHour(0, 0, 4), SegmentHour(1, 4, 0))),
        Hour(ago(23), 8, (SegmentHour(0, 8, 0),)),
        Hour(ago(24), 99, (SegmentHour(3, 99, 0),)),
    )
    first, second = hour_charts(Hours(NOW, NOW, hours), NOW)
    assert (first.id, first.entered, first.left) == (0, 8, 4)
    # 8 moves are the most: 20 units high; the present hour is the last of 24, at 230.
    assert (first.up, first.down) == ("M0 20h8v-20.0h-8z", "M230 20h8v10.0h-8z")
    assert (second.up, second.down) == ("M230 20h8v-10.0h-8z", "")
    assert first.words == "09:00 8 entered, 0 left; 08:00 0 entered, 4 left"


def test_without_moves_there_is_no_picture() -> None:
    assert hour_charts(Hours(None, None, ()), NOW) == ()
