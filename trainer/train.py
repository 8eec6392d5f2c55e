"""All steps of ``train``: features from the warehouse, fit, evaluation, report, release folder."""

import io
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

import joblib
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec.structs import replace

from schemas.counted import counted
from schemas.errors import BadSetting, BadTraining
from schemas.features import FEATURES, Feature, beyond_default, of_time
from schemas.release.model_release import ModelRelease
from trainer.controls.affinity import affinity_of
from trainer.controls.outlook import Counted, look_ahead, look_back
from trainer.controls.profile import profile_of
from trainer.controls.traits import Traits, traits_of
from trainer.fit import Fit, fit
from trainer.names.rfm_names import rfm_names
from trainer.names.segment_names import name_segments
from trainer.release.continuable import check_continues
from trainer.release.current_release import Current
from trainer.release.impact import Ids, compared
from trainer.release.pipeline_numbers import or_the_same, release_of
from trainer.release.release_folder import check_writable, write_release
from trainer.release.same_facts_later import same_facts
from trainer.release.segment_identity import identify, kept_names
from trainer.report import Report, Shop, page, report_of
from trainer.steps.batch_scorer import can_score, score
from trainer.steps.continued_fit import start_from, within
from trainer.steps.fit_settings import FitSettings
from trainer.steps.presets import RFM
from trainer.steps.progress import Say, silent
from trainer.steps.training_rows import NobodyTrains, Selection, select
from trainer.steps.training_window import EVERYTHING, Window


class Rejections(Protocol):
    """The numbers of rows left out, by table and reason."""

    @property
    def counts(self) -> Mapping[tuple[str, str], int]: ...


class FeatureSource(Protocol):
    """The methods of :class:`trainer.warehouse.Warehouse` that training uses."""

    def has(self, feature: Feature) -> bool: ...

    def features(
        self,
        as_of: datetime | None,
        exclude_statuses: tuple[str, ...],
        features: tuple[Feature, ...],
        *,
        day: date | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> pa.Table:
        """The features of every user, from the facts before ``as_of``.

        Args:
            as_of: only facts strictly before this time count; None: all facts.
            exclude_statuses: orders with one of these statuses do not count.
            features: the columns after ``user_id``.
            day: the date of features of time; None if there are none.
            start: only users with a counted order at or after this time; None: no bound.
            end: only users with a counted order before this time; None: no bound.

        Returns:
            A table with one row for each user, in the order of the user id's UTF-8 bytes.
        """

    def feature_query(
        self,
        as_of: datetime | None,
        exclude_statuses: tuple[str, ...],
        features: tuple[Feature, ...],
        *,
        day: date | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> str:
        """The SQL of :meth:`features`, for the release.

        Args:
            as_of: as in :meth:`features`, like all that follow.
            exclude_statuses: orders with one of these statuses do not count.
            features: the columns after ``user_id``.
            day: the date of features of time; None if there are none.
            start: only users with a counted order at or after this time; None: no bound.
            end: only users with a counted order before this time; None: no bound.
        """

    def rejected(self, as_of: datetime | None) -> Rejections: ...

    def cause(self, as_of: datetime | None) -> str | None: ...

    def counts(self, as_of: datetime | None) -> Counted: ...

    def followup(self, since: datetime, until: datetime, exclude_statuses: tuple[str, ...]) -> pa.Table: ...


def train(
    warehouse: FeatureSource,
    settings: FitSettings,
    out: Path,
    say: Say = silent,
    *,
    current: Current | None = None,
    refit_space: bool = False,
    window: Window = EVERYTHING,
    shop: Shop | None = None,
    created_at: datetime | None = None,
) -> Path:
    """Train over the warehouse and write a release; return its folder.

    Args:
        warehouse: where the features come from.
        settings: what to fit.
        out: the folder of releases.
        say: called with a few words when a step begins.
        current: the release in use, which the new one continues; None for a first release.
        refit_space: learn encoding, scaling and projection again, even if there is a release to continue.
        window: which users train, and which facts count.
        shop: the shop's name and currency in the report. They belong to no model, so the version does not
            depend on them.
        created_at: the time in the manifest; None: now.

    Returns:
        The folder of the release: ``out`` / version.

    Raises:
        BadTraining: the rows cannot be segmented, or the current release cannot be continued.
        BadWarehouse: the warehouse cannot be read.
        BadRelease: the folder of this version exists and is damaged.
        BadSetting: nothing can be written to ``out``, or features of time have no day.
    """
    continued = None if current is None or refit_space else current.release
    if continued is not None:
        check_continues(continued, settings)
    check_writable(out)
    say("reading features from the warehouse")
    made = _made(settings, current, warehouse)
    excluded = settings.exclude_statuses
    if window.day is None and of_time(made):
        raise BadSetting("as_of", None, "the model has features of time: name the day of their values")
    day, begin, end = window.day, window.start, window.end
    table = warehouse.features(window.as_of, excluded, made, day=day, start=begin, end=end)
    query = warehouse.feature_query(window.as_of, excluded, made, day=day, start=begin, end=end)
    say(f"{counted(table.num_rows, 'user')} read; reading which rows are left out")
    rejected = warehouse.rejected(window.as_of).counts
    selection, start = _selected(warehouse, table, settings, window, continued), None
    everybody = selection.rows
    if continued is not None:
        selection = _within(selection, continued, say)
        start = start_from(continued, selection, settings)
    say(f"fitting {selection.users_used:,} of {counted(selection.users_read, 'user')}")
    fitted = fit(selection, settings, start, say)
    traits = traits_of(selection.rows, fitted.labels, settings.features)
    before = None if current is None else _before(current.release, selection, table, made)
    release = _release(fitted, traits, window, current, before)
    if begin is None and end is None:
        release = replace(release, profile=profile_of(everybody, settings.names))
    segments = np.array([segment.id for segment in release.segments], dtype=np.int64)[fitted.labels]
    say("reading what users bought until now and later")
    worth = look_back(
        warehouse,
        selection.rows["user_id"],
        fitted.labels,
        len(release.segments),
        settings,
        window.as_of,
    )
    followup = look_ahead(warehouse, release, settings, window.as_of, made)
    facts = None if current is None else same_facts(warehouse, current.release, settings, window.day)
    say("writing the report and the release")
    impact, drift = compared(current, release, selection.rows, before, segments, everybody, facts)
    report = report_of(
        fitted,
        release,
        rejected,
        traits,
        shop=shop,
        worth=worth,
        affinity=affinity_of(selection.rows, fitted.components, fitted.labels, settings.features),
        followup=followup,
        impact=impact,
        drift=drift,
    )
    artifacts = _artifacts(fitted, segments, query, report)
    return write_release(out, release, artifacts, created_at or datetime.now(UTC))


def _selected(
    warehouse: FeatureSource,
    table: pa.Table,
    settings: FitSettings,
    window: Window,
    continued: ModelRelease | None,
) -> Selection:
    try:
        if table.num_rows == 0 and window.text:
            raise BadTraining(
                "no user can be trained on: the warehouse has no user in the window "
                f"({window.text}), set another window"
            )
        return select(table, settings, space_kept=continued is not None)
    except BadTraining as error:
        # Often the rows are the cause: a wrongly mapped column leaves all users out.
        cause = warehouse.cause(window.as_of)
        if isinstance(error, NobodyTrains) and cause is not None:
            raise BadTraining(f"no user can be trained on: {cause}") from None
        rejected = warehouse.rejected(window.as_of).counts
        reasons = (f"{count:,} of {name} ({reason})" for (name, reason), count in rejected.items())
        left_out = f"rows left out: {', '.join(reasons)}" if rejected else None
        raise BadTraining("; ".join(filter(None, (str(error), cause or left_out)))) from None


def _within(selection: Selection, release: ModelRelease, say: Say) -> Selection:
    """The users whose values the release's space knows; ``say`` gets the number of the others."""
    known = within(selection, release)
    others = selection.users_used - known.users_used
    if others:
        say(
            f"leaving out {counted(others, 'user')} with a value that the kept space of release "
            f"{release.version} has never seen"
        )
    return known


def _before(
    release: ModelRelease, selection: Selection, table: pa.Table, made: tuple[Feature, ...]
) -> Ids | None:
    """The segment id of each training user under a release, from today's features; None if it cannot score
    them.
    """
    users, declared = selection.rows, beyond_default(made)
    if not can_score(release, users, declared):
        # The new fit has other features. The query has made those of the release, too.
        users = table.filter(pc.is_in(table["user_id"], value_set=users["user_id"].combine_chunks()))
        users = users.sort_by("user_id")
    return score(release, users).segments if can_score(release, users, declared) else None


def _release(
    fitted: Fit, traits: Traits, window: Window, current: Current | None, before: Ids | None
) -> ModelRelease:
    if current is None:
        return release_of(fitted, _names(fitted.settings, traits, {}), window)
    clusters = len(traits.segments)
    identity = identify(current.release, current.next_segment, before, fitted.labels, clusters)
    names = _names(fitted.settings, traits, kept_names(current.release, identity))
    return or_the_same(release_of(fitted, names, window, identity), current.release)


def _names(settings: FitSettings, traits: Traits, kept: Mapping[int, str]) -> list[str]:
    """The names of the clusters, by the preset's rule."""
    if settings.preset == RFM:
        return rfm_names(traits, kept)
    return name_segments(traits, settings.features, kept)


def _made(settings: FitSettings, current: Current | None, warehouse: FeatureSource) -> tuple[Feature, ...]:
    """The features that the query makes.

    These are the default features (they show who has ordered, and nulls) and those of the current release, as
    far as the warehouse has them, and the features of the model.
    """
    made = {feature.name: feature for feature in FEATURES}
    for feature in (*settings.features, *(current.release.declared if current is not None else ())):
        made.setdefault(feature.name, feature)
    return tuple(
        feature for feature in made.values() if feature in settings.features or warehouse.has(feature)
    )


def _artifacts(fitted: Fit, segments: Ids, query: str, report: Report) -> dict[str, bytes]:
    """The files of the release's folder, except its numbers and the manifest."""
    return {
        "assignments.parquet": _assignments(fitted, segments),
        "features.sql": query.encode(),
        "pipeline.joblib": _pipeline(fitted),
        "report.html": page(report, fitted.components, fitted.labels),
        "report.json": report.json(),
    }


def _assignments(fitted: Fit, segments: Ids) -> bytes:
    """A Parquet file of the training rows, with their components and segment."""
    table = fitted.selection.rows
    for place, column in enumerate(fitted.components.T, start=1):
        table = table.append_column(f"component_{place}", pa.array(np.ascontiguousarray(column)))
    table = table.append_column("segment", pa.array(segments))
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    return file.getvalue()


def _pipeline(fitted: Fit) -> bytes:
    file = io.BytesIO()
    joblib.dump(fitted.pipeline, file)
    return file.getvalue()
