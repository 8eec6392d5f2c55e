"""One run of one way: its backlog, its process, and what it used for each event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rounds.known_ways import PARTITIONS, Way
from benchmarks.rounds.run_program import RunningProgram
from benchmarks.rounds.run_worker import RunningWorker
from benchmarks.rounds.write_models import RELEASE
from benchmarks.stage.bench_servers import Servers
from benchmarks.stage.open_backlog import open_backlog
from benchmarks.stage.process_cpu import peak_mb
from benchmarks.stage.server_account import Account
from benchmarks.stage.shop_events import Line
from benchmarks.ways.way_job import Job


@dataclass(frozen=True, slots=True)
class Site:
    """Where a way finds its events and keeps its users."""

    topic_prefix: str
    redis_prefix: str
    folder: Path

    def job(self, servers: Servers, way: Way, events: int) -> Job:
        """The job of one run."""
        return Job(
            kafka=servers.bootstrap,
            redis=servers.redis_url,
            topic_prefix=self.topic_prefix,
            redis_prefix=self.redis_prefix,
            group=f"{self.topic_prefix}group",
            release=str(self.folder.parent / RELEASE),
            folder=str(self.folder),
            partitions=PARTITIONS,
            lanes=way.lanes,
            batch=way.batch,
            events=events,
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run used: for each event, and the peak memory."""

    each: Account
    peak_mb: float


def measure_run(servers: Servers, way: Way, site: Site, lines: Sequence[Line]) -> Figures:
    """Let the way apply these events, which begin to be visible when it is ready.

    Raises:
        WayFailed: the way ended, or it was too slow.
    """
    job = site.job(servers, way, len(lines))
    backlog = open_backlog(servers, lines, job.topics, one_topic=way.one_topic)
    program: RunningProgram | RunningWorker
    if way.module is None:
        program = RunningWorker(job, way.lanes)
    else:
        program = RunningProgram(way.python, way.module, job)
    try:
        program.wait_ready()
        before = Account.of(servers, program.pids)
        backlog.commit()
        if isinstance(program, RunningWorker):
            program.wait_done(backlog)
        else:
            program.wait_done()
        each = Account.of(servers, program.pids).since(before, len(lines))
        return Figures(each, sum(peak_mb(pid) for pid in program.pids))
    finally:
        program.stop()
