from __future__ import annotations

import pytest

from schemas.errors import BadSetting
from streamer.worker.worker_config import WorkerConfig


def test_three_heartbeats_fit_into_a_session() -> None:
    kafka = {"bootstrap.servers": "k:9092"}
    WorkerConfig(kafka=kafka, partitions=4, session_timeout_ms=3_000, heartbeat_interval_ms=1_000)
    with pytest.raises(BadSetting, match="heartbeat_interval_ms is 1001: a third of session_timeout_ms"):
        WorkerConfig(kafka=kafka, partitions=4, session_timeout_ms=3_000, heartbeat_interval_ms=1_001)
