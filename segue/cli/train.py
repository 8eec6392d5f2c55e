"""`segue train`: fit the segments over the warehouse, and write a release."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.days import date_in, zone_of
from segue.cli.command import command, flag
from segue.config.command_line import options
from segue.config.settings import Settings
from segue.config.time_options import time_option
from segue.show.terminal import people, say, steps, warn, write, write_json

if TYPE_CHECKING:
    from schemas.release.model_release import ModelRelease
    from trainer.release.current_release import Current

DEFAULT_OUT = "releases"


@command(
    "features",
    "preset",
    "exclude_statuses",
    "time_zone",
    "artifacts_prefix",
    "shop",
    "currency",
    "kafka",
    "topic_prefix",
    example="segue train --warehouse ./tables --as-of 2024-12-01 --out releases",
)
@options("components", "encoding", "from", "k", "out", "scaling", "to")
def train(
    settings: Settings,
    warehouse: Annotated[
        str,
        typer.Option(
            metavar="PATH_OR_URL", help="a folder of Parquet or CSV files, DuckDB, or a database URL"
        ),
    ],
    out: Annotated[str, typer.Option(metavar="DIR", help="the folder of releases")] = DEFAULT_OUT,
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="only facts before this time count, and its date is the day of features of time; unset: as"
            " --to, else all facts, and today",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="train only on users who ordered at or after this time"),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", help="train only on users who ordered before this time"),
    ] = None,
    k: Annotated[
        str | None,
        typer.Option(
            metavar="N",
            help="how many segments; auto: the elbow of 2 to 10; unset: as the current release, else as the"
            " preset",
        ),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="the encoding of text features: label, frequency or one-hot"),
    ] = None,
    scaling: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="the scaling of the space's columns: standard, balanced or none"),
    ] = None,
    components: Annotated[
        int | None, typer.Option(metavar="N", help="the number of the space's dimensions")
    ] = None,
    no_compare: Annotated[bool, flag("--no-compare", "do not compare the encodings with controls")] = False,
    current: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help="the release to continue, or none; unset: the current release in Kafka"
        ),
    ] = None,
    refit_space: Annotated[
        bool, flag("--refit-space", "learn encoding, scaling and projection again")
    ] = False,
    as_json: Annotated[bool, flag("--json", "the release as JSON, on standard output")] = False,
) -> int | None:
    """Fit the segments over the warehouse, judge them, and write a release with its report.

    If a release is current, the new release continues it: values that you do not set stay the same, encoding,
    scaling and projection stay, and the segments keep their ids.

    The last line of standard output is the release's path. The same data and settings give the same release.
    """
    from segue.releases.training_day import old_facts
    from segue.releases.training_settings import (
        NONE,
        FitOptions,
        fit_settings,
        train_release,
        unused_features,
    )
    from segue.show.release_text import release_text
    from trainer.release.release_folder import check_writable, load_release
    from trainer.steps.training_window import Window

    now, zone = datetime.now(UTC), zone_of(settings.time_zone)
    window = Window.between(
        time_option("--from", start, zone),
        time_option("--to", end, zone),
        time_option("--as-of", as_of, zone),
        zone,
    )
    window = replace(window, day=date_in(window.as_of or now, zone))
    fit_options = FitOptions(
        k, encoding, components, scaling, compare=not no_compare, refit_space=refit_space
    )
    fit_settings(settings, fit_options)  # reports a wrong value at once, not after seconds of imports
    folder = Path(out)
    check_writable(folder)
    if current is not None and current != NONE:
        load_release(Path(current))
    from segue.config.trainer_extra import installed, open_warehouse

    with installed():
        from segue.releases.continued_release import release_to_continue
    with open_warehouse(warehouse, settings, now) as tables, steps() as step:
        followed = release_to_continue(settings, current, folder, say)
        fit = fit_settings(settings, fit_options, None if followed is None else followed.release)
        if followed is not None and (others := ", ".join(unused_features(settings, fit))):
            warn(
                f"release {followed.release.version}, which is continued, does not take {others}, though"
                " declared: --refit-space does"
            )
        made_before = set(folder.glob("*"))
        path, release = train_release(
            tables,
            settings,
            folder,
            step,
            window=window,
            current=followed,
            refit_space=refit_space,
            fit=fit,
        )
        notes = tables.notes(window.as_of, settings.warehouse_statuses)
        if (day := release.training.day_read) is not None:
            notes += filter(None, [old_facts(tables.counts(window.as_of).last_at, day, zone)])
    for note in notes:
        warn(note)
    people.print(release_text(release, settings.time_zone))
    _tell(release, path, followed, made_before=path in made_before)
    if as_json:
        write_json(_fields(release, path))
    else:
        write(str(path))
    return None


def _warn_of_changes(release: ModelRelease, before: ModelRelease, unseen: dict[str, int]) -> None:
    from segue.show.release_text import continuity_text

    if unseen:
        by_feature = ", ".join(f"{name} {count:,}" for name, count in unseen.items())
        warn(
            f"left out: users with a value that release {before.version}, whose space is kept,"
            f" has never seen ({by_feature}); --refit-space learns it"
        )
    for sentence in continuity_text(before, release):
        warn(sentence)


def _fields(release: ModelRelease, path: Path) -> dict[str, object]:
    day = release.training.day_read
    return {
        "version": release.version,
        "continues": release.continues,
        "path": str(path),
        "segments": [{"id": s.id, "name": s.name, "size": s.size} for s in release.segments],
        "users_read": release.training.users_read,
        "users_used": release.training.users_used,
        "metrics": release.metrics,
        **({} if day is None else {"day": day.isoformat()}),
    }


def _tell(release: ModelRelease, path: Path, followed: Current | None, *, made_before: bool) -> None:
    from segue.show.comparison_text import comparison_text
    from segue.show.impact_text import impact_text
    from trainer.controls.compare_encodings import comparison_in
    from trainer.controls.named_k import disagreement_in
    from trainer.release.impact import impact_and_drift_in
    from trainer.steps.continued_fit import unseen_in
    from trainer.steps.untrained import untrained_in

    report = (path / "report.json").read_bytes()
    for sentence in untrained_in(report):
        warn(sentence)
    if followed is not None and followed.release.version == release.version:
        say("Nothing has changed: this is the current release again.")
        return
    if made_before:
        say(
            "This release lay there already, and stays as it is, with its report: the report does not contain"
            " this run's comparisons, nor a new shop or currency. Another --out makes it again."
        )
    for sentence in comparison_text(comparison_in(report)):
        say(sentence)
    unclear = disagreement_in(report)
    if unclear is not None:
        say(f"{unclear} --k N takes another number.")
    if followed is not None:
        _warn_of_changes(release, followed.release, unseen_in(report))
    impact, drift = impact_and_drift_in(report)
    if impact is not None:
        people.print(impact_text(impact, drift, with_pairs=False))
    say(f"The report: {path / 'report.html'}. Next: segue publish {path}")
