"""`segue join`: join Debezium's rows of orders and of their lines to whole orders."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from segue.cli.command import command
from segue.config.settings import Settings
from segue.show.terminal import say


@command(
    "kafka",
    "topic_prefix",
    "group",
    "replication_factor",
    "partitioner",
    "max_batch",
    "log_format",
    example="segue join",
)
def join(settings: Settings) -> int | None:
    """Join Debezium's rows of orders and of their lines to whole orders, until ctrl-C.

    It reads the two topics that the setting join names, and writes each order with all of its lines to the
    topic of orders, where workers read it. Processes of one group share the work. A row that cannot be read
    is a dead letter. docs/events.md says how to set it up.
    """
    from segue.join.run_join import run_join
    from streamer.status.worker_logs import set_up_logs

    set_up_logs(json=settings.log_format == "json")
    run_join(settings, say)
    return None
