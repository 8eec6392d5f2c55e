"""`segue worker`: take events, keep the users' segments right, tell the changes."""

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
    "web_host",
    "web_port",
    "log_format",
    example="segue worker --web-port 8080",
)
def worker(settings: Settings) -> int | None:
    """Take events and keep every user's segment right, until SIGTERM or ctrl-C.

    Missing topics are made. Kafka, Redis and a first release are waited for; the log, on standard error, says
    for what. Workers of one group share the lanes: start as many as there are partitions, at most.
    """
    from segue.build_worker import work

    return work(settings)
