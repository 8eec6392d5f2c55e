"""`segue worker`: apply events, keep the users' segments right, and publish the changes."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from segue.cli.command import command
from segue.config.settings import Settings


@command(
    "kafka",
    "redis",
    "redis_prefix",
    "topic_prefix",
    "group",
    "partitions",
    "replication_factor",
    "partitioner",
    "exclude_statuses",
    "similar_users",
    "min_margin",
    "max_batch",
    "sweep_per_s",
    "session_timeout_ms",
    "no_progress_s",
    "processes",
    "web_host",
    "web_port",
    "log_format",
    example="segue worker --web-port 8080",
)
def worker(settings: Settings) -> int | None:
    """Apply events and keep every user's segment right, until SIGTERM or ctrl-C.

    A worker creates missing topics. It waits for Kafka, Redis and a first release; the log, on standard
    error, names what it waits for. Workers of one group share the lanes, so start at most as many as there
    are partitions. One uses one core; --processes 4 runs four as one command.
    """
    if settings.processes > 1:
        from segue.processes.run_processes import run_processes

        return run_processes(settings)
    from segue.build_worker import work

    return work(settings)
