"""One way at one rate: when each event was due, and when its change reached a reader."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.latency.send_at_rate import send_at_rate
from benchmarks.rounds.known_ways import Way
from benchmarks.rounds.measure_run import Site
from benchmarks.rounds.run_program import RunningProgram
from benchmarks.rounds.run_worker import RunningWorker
from benchmarks.stage.bench_servers import Servers
from benchmarks.stage.shop_events import Line
from benchmarks.ways.read_changes import ARRIVALS
from schemas.errors import SegueError

_WARM_S = 1.0


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from the time at which an event was due to its change at the reader.

    Attributes:
        p50: the median.
        p99: the 99th percentile.
        p999: the 99.9th percentile.
        changes: how many changes these percentiles are made of.
        late_p99: how late the load sent its events, the 99th percentile.
        rate: events a second, from the time of the first event to the last change at the reader.
    """

    p50: float
    p99: float
    p999: float
    changes: int
    late_p99: float
    rate: float


def measure_latency(servers: Servers, way: Way, site: Site, lines: Sequence[Line], rate: float) -> Latency:
    """Send these events at this rate, and read their changes.

    Args:
        servers: the servers.
        way: Segue's worker, or a program.
        site: where it works.
        lines: the events; each has an id.
        rate: events a second.

    Raises:
        SegueError: no change came.
    """
    job = site.job(servers, way, len(lines))
    program: RunningProgram | RunningWorker
    if way.module is None:
        program = RunningWorker(job, way.lanes)
    else:
        program = RunningProgram(way.python, way.module, job)
    try:
        program.wait_ready()
        reader = RunningProgram(sys.executable, "benchmarks.ways.read_changes", job)
        try:
            reader.wait_ready()
            load = send_at_rate(servers, lines, job.topics, rate)
            reader.close_input()
            reader.wait_done()
        finally:
            reader.stop()
    finally:
        program.stop()
    arrivals = msgspec.json.decode((Path(job.folder) / ARRIVALS).read_bytes(), type=dict[str, float])
    due = {event_id(line): due_s for line, due_s in zip(lines, load.due_s, strict=True)}
    taken = [
        arrivals[name] - at for name, at in due.items() if name in arrivals and at > load.due_s[0] + _WARM_S
    ]
    if not taken:
        raise SegueError(f"no change came from: {way.name}")
    p50, p99, p999 = (_percentile(taken, share) * 1e3 for share in (0.5, 0.99, 0.999))
    kept_up = len(lines) / (max(arrivals.values()) - load.due_s[0])
    return Latency(p50, p99, p999, len(taken), _percentile(load.late_s, 0.99) * 1e3, kept_up)


def event_id(line: Line) -> str:
    """The id of an event."""
    return str(msgspec.json.decode(line.value)["event_id"])


def _percentile(values: Sequence[float], share: float) -> float:
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=1_000, method="inclusive")[round(share * 1_000) - 1]
