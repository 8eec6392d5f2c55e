"""Reads committed changes, and notes when each came; at the end of its input it writes what it noted.

The clock is the system's monotonic clock, which all processes of a machine share.
"""

from __future__ import annotations

import os
import select
import sys
import time
from pathlib import Path

import msgspec
from confluent_kafka import Consumer, TopicPartition
from msgspec import Struct

from benchmarks.ways.way_job import DONE, READY, read_job, say

ARRIVALS = "arrivals.json"
_QUIET_S = 2.0


class _Cause(Struct):
    event_id: str | None = None


class _Change(Struct):
    cause: _Cause


_decode = msgspec.json.Decoder(_Change).decode


def main() -> None:
    """Read until the parent closes the input and no change comes any more."""
    job = read_job()
    consumer = Consumer(
        {
            "bootstrap.servers": job.kafka,
            "group.id": f"{job.group}-reader",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    parts = [TopicPartition(job.topics.changes, p) for p in range(job.partitions)]
    for part in parts:
        part.offset = consumer.get_watermark_offsets(part, 30.0)[1]
    consumer.assign(parts)
    end_s = time.monotonic() + 1.0
    while time.monotonic() < end_s:
        consumer.consume(1, 0.1)
    say(READY)
    arrivals: dict[str, float] = {}
    last_s, closed = time.monotonic(), False
    while not closed or time.monotonic() - last_s < _QUIET_S:
        message = consumer.poll(0.05)
        value = None if message is None else message.value()
        if value is not None:
            last_s = time.monotonic()
            event_id = _decode(value).cause.event_id
            if event_id is not None:
                arrivals[event_id] = last_s
        elif not closed and select.select([sys.stdin], [], [], 0)[0]:
            sys.stdin.readline()
            last_s, closed = time.monotonic(), True
    (Path(job.folder) / ARRIVALS).write_bytes(msgspec.json.encode(arrivals))
    say(DONE)
    os._exit(0)


if __name__ == "__main__":
    main()
