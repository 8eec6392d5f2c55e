"""The ends of a lane's log, while workers go on."""

from __future__ import annotations

from itertools import count

import pytest

from segue.config.settings import Settings
from segue.refill import lane_past
from streamer.interfaces.lane_interfaces import Bounds


class Reader:
    """It has no committed offsets."""

    def __init__(self, *_: object) -> None:
        pass

    def committed(self, _: object) -> dict[str, object]:
        return {}

    def close(self) -> None:
        pass


class Growing:
    """Every topic gets a record between any two requests."""

    def __init__(self, *_: object) -> None:
        self._records = count()

    def topic(self, _: str) -> Growing:
        return self

    topic_id = "id"

    def bounds(self, *_: object) -> Bounds:
        return Bounds(0, next(self._records), "id")


def test_the_inputs_hold_the_events_of_all_that_was_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a recorded erasure whose event is not there would count as older than the log."""
    monkeypatch.setattr(lane_past, "PatientReader", Reader)
    monkeypatch.setattr(lane_past, "Admin", Growing)
    settings = Settings()
    with lane_past.lane_log(settings, 0) as log:
        topics = settings.topics
        recorded = max(log.bounds[topic].end for topic in (topics.users, topics.changes))
        assert all(log.bounds[topic].end > recorded for topic in topics.inputs)
