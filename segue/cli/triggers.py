"""`segue triggers`: send webhooks for users who enter, leave or move between segments."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from schemas.printable import printable
from segue.cli.command import command, flag
from segue.config.command_line import bad_option
from segue.config.settings import Settings
from segue.config.trainer_extra import installed
from segue.show.terminal import say, warn, write

GROUP = "triggers"
_File = Annotated[str, typer.Argument(metavar="FILE", help="the file of triggers, such as triggers.toml")]


@command(
    "kafka",
    "topic_prefix",
    "group",
    "replication_factor",
    "partitioner",
    "log_format",
    group=GROUP,
    example="segue triggers run triggers.toml",
)
def run(
    settings: Settings,
    file: _File,
    from_beginning: Annotated[
        bool, flag("--from-beginning", "at the first start, begin with the oldest change in Kafka")
    ] = False,
) -> int | None:
    """Send a webhook for each change that a trigger of the file is on, until ctrl-C.

    The first start begins with the next change; each later start goes on where the last one ended. Processes
    of one group share the partitions. What came of every change stands in the ledger, and is printed at the
    end. The log, on standard error, says when a receiver fails.
    """
    with installed("triggers"):
        from segue.triggers.service.run_triggers import run_triggers
    from segue.triggers.trigger_file import load_triggers
    from streamer.status.worker_logs import set_up_logs

    path = Path(file)
    triggers = load_triggers(path)
    set_up_logs(json=settings.log_format == "json")
    run_triggers(settings, path, triggers, say, from_beginning=from_beginning)
    return None


@command(
    "kafka", "topic_prefix", "group", "partitioner", group=GROUP, example="segue triggers retry triggers.toml"
)
def retry(
    settings: Settings,
    file: _File,
    trigger: Annotated[
        str | None, typer.Option(metavar="NAME", help="only the dead letters of this trigger")
    ] = None,
) -> int:
    """Send the webhooks that became dead letters again, each once, with the same id as before.

    What a receiver takes is removed from the dead letters. The exit code is 1 if one is still not taken.
    """
    with installed("triggers"):
        from segue.triggers.service.retry_letters import retry_letters
    from segue.triggers.trigger_file import load_triggers

    path = Path(file)
    triggers = load_triggers(path)
    names = [each.name for each in triggers.triggers]
    if trigger is not None and trigger not in names:
        raise bad_option("--trigger", trigger, f"{path} has {', '.join(names)}")
    done = retry_letters(settings, path, triggers, trigger, say)
    for name, reason in done.not_sent.items():
        warn(f"webhook {printable(name)} is not sent: {printable(reason)}")
    say(f"{done.sent:,} of {done.sent + len(done.not_sent):,} dead letters sent.")
    return 1 if done.not_sent else 0


@command("topic_prefix", group=GROUP, example="segue triggers check triggers.toml")
def check(settings: Settings, file: _File) -> int | None:
    """Check a file of triggers, its templates and its environment variables, and print what it does."""
    with installed("triggers"):
        from segue.triggers.service.run_triggers import receivers_of
    from segue.triggers.trigger_file import load_triggers
    from segue.triggers.trigger_text import trigger_text

    path = Path(file)
    triggers = load_triggers(path)
    receivers_of(path, triggers, settings.topics)
    for each in triggers.triggers:
        write(each.name, trigger_text(each))
    return None
