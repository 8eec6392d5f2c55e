"""`segue triggers`: send webhooks for users who enter, leave or move between segments."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from msgspec import structs

from schemas import times
from schemas.printable import printable
from segue.cli.command import command, flag
from segue.config.command_line import BadUsage, bad_option
from segue.config.settings import Settings
from segue.config.trainer_extra import installed
from segue.show.terminal import progress, say, show_whole, warn, write, write_json

GROUP = "triggers"
_File = Annotated[str, typer.Argument(metavar="FILE", help="the file of triggers, such as triggers.toml")]


@command(
    "kafka",
    "topic_prefix",
    "group",
    "replication_factor",
    "partitioner",
    "redis",
    "redis_prefix",
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
    dry_run: Annotated[
        bool, flag("--dry-run", "only say what would have been sent; send and write nothing")
    ] = False,
    since: Annotated[
        str | None, typer.Option(metavar="LENGTH", help="with --dry-run: the last days, such as 30d or 12h")
    ] = None,
    as_json: Annotated[
        bool, flag("--json", "with --dry-run: webhooks by day, and outcomes, as JSON")
    ] = False,
) -> int | None:
    """Send a webhook for each change that a trigger of the file is on, until ctrl-C.

    The first start begins with the next change; each later start goes on where the last one ended. Processes
    of one group share the partitions. What came of every change stands in the ledger, and is printed at the
    end. The log, on standard error, says when a receiver fails.

    With --dry-run it counts what it would have sent for the changes of the last days, had it started then.
    """
    _check_dry_run(since, dry_run=dry_run, as_json=as_json, from_beginning=from_beginning)
    if since is not None:
        _dry_run(settings, Path(file), since, as_json=as_json)
        return None
    with installed("triggers"):
        from segue.triggers.service.run_triggers import run_triggers
    from segue.triggers.file.trigger_file import load_triggers
    from streamer.status.worker_logs import set_up_logs

    path = Path(file)
    triggers = load_triggers(path)
    set_up_logs(json=settings.log_format == "json")
    run_triggers(settings, path, triggers, say, from_beginning=from_beginning)
    return None


def _check_dry_run(since: str | None, *, dry_run: bool, as_json: bool, from_beginning: bool) -> None:
    if dry_run and since is None:
        raise BadUsage("option --dry-run needs --since, the last days to look at, such as --since 30d")
    for option, given in (("--since", since is not None), ("--json", as_json)):
        if given and not dry_run:
            raise BadUsage(f"option {option} is for --dry-run: give both, or leave it out")
    if dry_run and from_beginning:
        raise BadUsage("option --from-beginning is not for --dry-run: give a longer --since")


def _dry_run(settings: Settings, file: Path, since: str, *, as_json: bool) -> None:
    with installed("triggers"):
        from segue.rehearsal.dry_run_triggers import dry_run
    from segue.rehearsal.rehearsed_time import rehearsed_since
    from segue.rehearsal.webhooks_page import webhooks_json, webhooks_table
    from segue.triggers.file.trigger_file import load_triggers
    from segue.triggers.service.unknown_segments import segments_of, unknown_segments

    until = datetime.now(UTC)
    begin = rehearsed_since("--since", since, until)
    triggers = load_triggers(file)
    triggers = structs.replace(triggers, segments=segments_of(settings))
    for sentence in unknown_segments(triggers):
        warn(sentence)
    with progress() as bar:
        task = bar.add_task("Reading", note="")
        counts = dry_run(
            settings, triggers, begin, until, lambda read: bar.update(task, note=f"{read:,} records read")
        )
    if as_json:
        write_json(
            {"since": times.text(begin), "until": times.text(until), "triggers": webhooks_json(counts)}
        )
        return
    show_whole(webhooks_table({"sent": counts}, begin, until))
    say("Nothing was sent. The ledger of this count began empty, as at a first start.")


@command(
    "kafka", "topic_prefix", "group", "partitioner", group=GROUP, example="segue triggers retry triggers.toml"
)
def retry(
    settings: Settings,
    file: _File,
    trigger: Annotated[
        str | None, typer.Option(metavar="NAME", help="only the dead letters of this trigger")
    ] = None,
    as_json: Annotated[bool, flag("--json", "the sent and unsent webhooks as JSON")] = False,
) -> int:
    """Send the webhooks that became dead letters again, each once, with the same id as before.

    What a receiver takes is removed from the dead letters. The exit code is 1 if one is still not taken.
    """
    with installed("triggers"):
        from segue.triggers.service.retry_letters import retry_letters
    from segue.triggers.file.trigger_file import load_triggers

    path = Path(file)
    triggers = load_triggers(path)
    names = [each.name for each in triggers.triggers]
    if trigger is not None and trigger not in names:
        raise bad_option("--trigger", trigger, f"{path} has {', '.join(names)}")
    done = retry_letters(settings, path, triggers, trigger, say)
    if as_json:
        write_json(done)
        return 1 if done.not_sent else 0
    for name, reason in done.not_sent.items():
        warn(f"webhook {printable(name)} is not sent: {printable(reason)}")
    say(f"{done.sent:,} of {done.sent + len(done.not_sent):,} dead letters sent.")
    return 1 if done.not_sent else 0


@command("kafka", "topic_prefix", group=GROUP, example="segue triggers check triggers.toml")
def check(
    settings: Settings,
    file: _File,
    as_json: Annotated[bool, flag("--json", "when each trigger sends, one trigger a line")] = False,
) -> int | None:
    """Check a file of triggers, its environment variables and its templates, and print what it does.

    Each template is tried with a made-up change. If Kafka answers, the segments are looked up in the current
    release.
    """
    with installed("triggers"):
        from segue.triggers.service.run_triggers import receivers_of
    from segue.triggers.file.trigger_file import load_triggers
    from segue.triggers.file.trigger_text import trigger_text
    from segue.triggers.sending.plain_secrets import plain_secrets
    from segue.triggers.service.unknown_segments import looked_up_segments

    path = Path(file)
    triggers = load_triggers(path)
    for receiver in receivers_of(path, triggers, settings.topics).values():
        receiver.try_out()
    for each in triggers.triggers:
        if as_json:
            write_json({"trigger": each.name, "sends": trigger_text(each)})
        else:
            write(each.name, trigger_text(each))
    for sentence in (*plain_secrets(triggers), *looked_up_segments(settings, triggers)):
        warn(sentence)
    return None


@command(
    "kafka",
    "topic_prefix",
    group=GROUP,
    example="segue triggers report triggers.toml --warehouse ./warehouse",
)
def report(
    settings: Settings,
    file: _File,
    warehouse: Annotated[
        str, typer.Option("--warehouse", metavar="PATH_OR_URL", help="where the orders are")
    ],
    days: Annotated[int, typer.Option("--days", metavar="N", help="the days after that count")] = 28,
    as_json: Annotated[bool, flag("--json", "the numbers, one trigger a line")] = False,
) -> int | None:
    """Say what each trigger changed: orders and spend in the days after, with the webhook and held out.

    Only triggers with a holdout have a report. docs/holdouts.md says how the numbers are made.
    """
    if not 1 <= days <= 3_650:
        raise bad_option("--days", days, "give 1 to 3650 days")
    from segue.triggers.report.holdout_text import report_lines
    from segue.triggers.report.report_triggers import report_triggers

    for found in report_triggers(settings, Path(file), warehouse, days):
        if as_json:
            write_json(found)
        else:
            for line in report_lines(found):
                write(line)
    return None
