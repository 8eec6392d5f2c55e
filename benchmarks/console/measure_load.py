"""One run: a worker applies a backlog, alone or beside a console with viewers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.console.console_process import ConsoleProcess
from benchmarks.console.watch_live_pages import SEEN, Seen, Watch
from benchmarks.rounds.known_ways import PARTITIONS, SEGUE, Way
from benchmarks.rounds.measure_run import Figures, Site, measure_run
from benchmarks.rounds.run_program import RunningProgram
from benchmarks.stage.bench_servers import Servers
from benchmarks.stage.bench_topics import drop_topics, empty_redis, make_topics
from benchmarks.stage.process_cpu import cpu_seconds
from benchmarks.stage.read_results import Results, read_results
from benchmarks.stage.shop_events import Line
from schemas.release.model_release import ModelRelease
from schemas.topics import Topics

_WORKER = Way(SEGUE, "own", None)


@dataclass(frozen=True, slots=True)
class Load:
    """What one run used and what its viewers saw.

    Attributes:
        figures: what the worker and the servers used.
        console_s: the CPU seconds of the console, without its start, until every viewer had its last
            change.
        changes: how many changes the worker published.
        seen: what each viewer saw.
    """

    figures: Figures
    console_s: float
    changes: int
    seen: Sequence[Seen]

    @property
    def complete(self) -> int:
        """How many viewers got every change."""
        return sum(each.changes == self.changes and not each.is_dropped for each in self.seen)

    @property
    def dropped(self) -> int:
        """How many viewers were ended with a sentence."""
        return sum(each.is_dropped for each in self.seen)


def measure_load(
    servers: Servers, release: ModelRelease, site: Site, lines: Sequence[Line], viewers: int
) -> Load:
    """Let a worker without users apply these events.

    Args:
        servers: the servers; Redis is emptied.
        release: the release that decides.
        site: where the worker finds its events; its topics are made and deleted.
        lines: the events.
        viewers: how many viewers the console has; 0 for no console.
    """
    empty_redis(servers)
    topics, results = Topics(site.topic_prefix), Results()
    make_topics(servers, topics, PARTITIONS, release)
    console_s, seen = 0.0, list[Seen]()
    if viewers:
        console = ConsoleProcess(site.job(servers, _WORKER, 0))
        try:
            watch = Watch(console.address(), viewers, str(site.folder))
            started_s = cpu_seconds(console.pid)
            figures, seen = _watched(servers, site, lines, watch)
            console_s = cpu_seconds(console.pid) - started_s
        finally:
            console.stop()
    else:
        figures = measure_run(servers, _WORKER, site, lines)
    read_results(servers, topics.changes, PARTITIONS, results)
    drop_topics(servers, topics)
    return Load(figures, console_s, results.changes, seen)


def _watched(servers: Servers, site: Site, lines: Sequence[Line], watch: Watch) -> tuple[Figures, list[Seen]]:
    viewers = RunningProgram(sys.executable, "benchmarks.console.watch_live_pages", watch)
    try:
        viewers.wait_ready()
        figures = measure_run(servers, _WORKER, site, lines)
        viewers.close_input()
        viewers.wait_done()
    finally:
        viewers.stop()
    return figures, msgspec.json.decode((Path(watch.folder) / SEEN).read_bytes(), type=list[Seen])
