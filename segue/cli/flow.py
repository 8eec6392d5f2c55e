"""`segue flow`: count the moves between segments by the hour."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from segue.cli.command import command
from segue.config.settings import Settings
from segue.config.trainer_extra import installed
from segue.show.terminal import say


@command("kafka", "topic_prefix", "group", "replication_factor", "log_format", example="segue flow")
def flow(settings: Settings) -> int | None:
    """Count the moves between segments by the hour, for the console, until ctrl-C.

    The first start begins with the oldest change in Kafka; each later start goes on where the last one ended.
    Every change counts once, whatever is killed. Processes of one group share the partitions.
    """
    with installed():
        from segue.flow.run_flow import run_flow
    from streamer.status.worker_logs import set_up_logs

    set_up_logs(json=settings.log_format == "json")
    run_flow(settings, say)
    return None
