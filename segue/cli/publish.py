"""`segue publish`: make a release the current release, which workers use."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import Refused
from segue.cli.command import BootstrapWarehouse, command, flag
from segue.config.command_line import BadUsage, bad_option, options
from segue.config.settings import Settings
from segue.show.terminal import people, progress, say, warn, write, write_json

if TYPE_CHECKING:
    from segue.rehearsal.rehearse_log import Rehearsal
    from segue.triggers.file.trigger_file import Triggers
    from trainer.publish.publish_release import Plan


@command(
    "kafka",
    "topic_prefix",
    "exclude_statuses",
    "max_moved",
    "max_flaps",
    "min_margin",
    "group",
    "partitioner",
    "artifacts_prefix",
    example="segue publish releases/cf241a047c61 --to s3://models/segue",
)
@options("to")
def publish(
    settings: Settings,
    path: Annotated[str, typer.Argument(metavar="PATH", help="the release's folder, as train printed it")],
    to: Annotated[
        str | None, typer.Option(metavar="URI", help="upload the folder there first: s3://, gs://, a path…")
    ] = None,
    dry_run: Annotated[bool, flag("--dry-run", "only show what would happen; publish nothing")] = False,
    rehearse: Annotated[
        str | None,
        typer.Option(
            metavar="LENGTH",
            help="first decide the events of these last days by the current and the new release: 30d, 12h",
        ),
    ] = None,
    triggers: Annotated[
        str | None, typer.Option(metavar="FILE", help="count the webhooks of this file of triggers, too")
    ] = None,
    max_webhooks: Annotated[
        int | None,
        typer.Option(metavar="N", help="refuse more webhooks of a trigger on one day, or by the switch"),
    ] = None,
    warehouse: BootstrapWarehouse = None,
    force: Annotated[
        bool,
        flag("--force", "publish even beyond the limits, or if it is current already"),
    ] = False,
    as_json: Annotated[bool, flag("--json", "version, activation, impact and drift as JSON")] = False,
) -> int | None:
    """Make a release current: workers use it without a restart.

    First it checks every file against the manifest's hashes, and the release's exclude_statuses against the
    settings. Then it shows how many users the release would move, and refuses to publish if this is more than
    max_moved. A release that is already current is not published again.

    With --rehearse it also decides the last days of the real log by both releases, and shows who would have
    moved and come back. It refuses if more users come back than max_flaps, or if a trigger would send more
    webhooks than --max-webhooks. To only look, add --dry-run. The numbers are kept beside the release's
    folder, where the console reads them.
    """
    from segue.releases.release_topic import carry_out, plan, plan_as_json, unusable_here
    from segue.show.impact_text import impact_text

    asked = _asked(rehearse, warehouse, triggers, max_webhooks)
    planned = plan(Path(path), settings)
    version, topic = planned.release.version, settings.topics.models
    done = planned.is_done(to) and not force
    if planned.goes_back_from is not None:
        say(
            f"Release {version} was published before, and {planned.goes_back_from} is current:"
            " this goes back to it, as segue rollback does."
        )
    if (problem := unusable_here(planned, settings)) is not None:
        warn(f"workers with these settings would not use it: {problem}")
    if planned.impact is not None:
        people.print(impact_text(planned.impact, planned.drift))
    rehearsal = None if asked is None else _rehearse(planned, settings, asked)
    found = planned.refusal
    if found is None and rehearsal is not None and not done:
        found = _refusal(rehearsal, settings, max_webhooks)
    if rehearsal is not None:
        _keep(rehearsal, Path(path), found)
    refusal = None if force else found
    idle = dry_run or refusal is not None or done
    activation = None if idle else carry_out(planned, settings, to, force=force)
    if as_json:
        fields = plan_as_json(planned, activation, done=done)
        write_json(fields if rehearsal is None else {**fields, **_as_json(rehearsal, found)})
    elif activation is not None:
        write(f"Published release {version} on {topic}: activation {activation}.")
        if activation == 1:
            say("Next: segue bootstrap, if the warehouse has facts from before; then segue worker")
    elif done:
        write(
            f"Release {version} is current already on {topic}, by activation {planned.known.activation}:"
            " nothing was published."
        )
    if refusal is not None:
        raise Refused(refusal)
    if dry_run and not done:
        say(f"Release {version} would be published on {topic}; nothing was published.")
    return None


@dataclass(frozen=True, slots=True)
class _Asked:
    """The rehearsal that the options ask for."""

    since: datetime
    until: datetime
    warehouse: str | None
    triggers: Triggers | None


def _asked(
    rehearse: str | None, warehouse: str | None, triggers: str | None, max_webhooks: int | None
) -> _Asked | None:
    from segue.rehearsal.rehearsed_time import rehearsed_since
    from segue.triggers.file.trigger_file import load_triggers

    if max_webhooks is not None:
        if triggers is None:
            raise BadUsage("option --max-webhooks is for --triggers: give both, or leave it out")
        if max_webhooks < 0:
            raise bad_option("--max-webhooks", max_webhooks, "give 0 or more")
    if rehearse is None:
        for option, value in (("--warehouse", warehouse), ("--triggers", triggers)):
            if value is not None:
                raise BadUsage(f"option {option} is for --rehearse: give both, or leave it out")
        return None
    until = datetime.now(UTC)
    since = rehearsed_since("--rehearse", rehearse, until)
    return _Asked(since, until, warehouse, None if triggers is None else load_triggers(Path(triggers)))


def _rehearse(planned: Plan, settings: Settings, asked: _Asked) -> Rehearsal:
    """Rehearse a planned release, and show the page."""
    from segue.refill.warehouse_facts import warehouse_facts
    from segue.rehearsal.rehearsal_page import rehearsal_notes, rehearsal_page
    from segue.rehearsal.rehearse_log import rehearse
    from segue.show.refused_text import refused_lines

    if planned.known.current is None and planned.known.problem is None:
        raise BadUsage(
            f"no release is current on {settings.topics.models}, so there is nothing to rehearse against:"
            " publish the first release without --rehearse"
        )
    with ExitStack() as stack:
        warehouse = asked.warehouse
        facts_as_of = None if warehouse is None else warehouse_facts(stack, warehouse, settings)
        bar = stack.enter_context(progress())
        task = bar.add_task("Rehearsing", note="")

        def show(records: int) -> None:
            bar.update(task, note=f"{records:,} records read")

        window = asked.since, asked.until
        rehearsal = rehearse(planned.release, settings, *window, facts_as_of, asked.triggers, show)
    people.print(rehearsal_page(rehearsal))
    for note in rehearsal_notes(rehearsal):
        warn(note)
    for line in refused_lines(rehearsal.refusals, "events"):
        warn(line)
    return rehearsal


def _refusal(rehearsal: Rehearsal, settings: Settings, max_webhooks: int | None) -> str | None:
    from segue.rehearsal.rehearsal_gate import refusal

    return refusal(rehearsal, settings.max_moved, settings.max_flaps, max_webhooks)


def _keep(rehearsal: Rehearsal, folder: Path, found: str | None) -> None:
    from segue.rehearsal.kept_rehearsal import keep_rehearsal
    from segue.rehearsal.rehearsal_page import rehearsal_json, rehearsal_notes

    try:
        keep_rehearsal(folder.resolve().parent, rehearsal_json(rehearsal), found, rehearsal_notes(rehearsal))
    except OSError as error:
        warn(f"the console will not show this rehearsal: it cannot be kept ({error})")


def _as_json(rehearsal: Rehearsal, found: str | None) -> dict[str, object]:
    from segue.rehearsal.rehearsal_page import rehearsal_json

    return {"refusal": found, "rehearsal": rehearsal_json(rehearsal)}
