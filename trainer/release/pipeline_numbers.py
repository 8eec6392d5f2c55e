"""Turns the fitted pipeline into a model release: the numbers and texts that a worker gets."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import numpy as np
from msgspec import UNSET
from msgspec.structs import replace

from schemas import times
from schemas.features import beyond_default, of_time
from schemas.release.model_release import ModelRelease, Segment, Training, space_of, version_of
from trainer.fit import Fit
from trainer.release.segment_identity import Identity, first
from trainer.steps.rows_digest import digest
from trainer.steps.training_window import EVERYTHING, Window


def release_of(
    fit: Fit, names: Sequence[str], window: Window = EVERYTHING, identity: Identity | None = None
) -> ModelRelease:
    """Make a release, with its space and version, but without the hashes of its files.

    Args:
        fit: the fitted segmentation.
        names: the names of clusters 0, 1, 2…
        window: which users trained, and which facts counted.
        identity: the segment of each cluster; None: that of a first release.
    """
    identity = identity or first(len(names))
    steps = fit.pipeline.named_steps
    sizes = np.bincount(fit.labels, minlength=len(names)).tolist()
    mean = tuple(steps["scale"].mean_.tolist())
    centres = steps["cluster"].cluster_centers_.tolist()
    release = ModelRelease(
        version="",
        space="",
        features=steps["encode"].encoded_,
        mean=mean,
        scale=(1.0,) * len(mean) if fit.settings.scaling == "none" else tuple(steps["scale"].scale_.tolist()),
        projection_mean=tuple(steps["project"].mean_.tolist()),
        projection=tuple(tuple(axis) for axis in steps["project"].components_.tolist()),
        segments=tuple(
            Segment(id_, name, tuple(centre), size)
            for id_, name, centre, size in zip(identity.ids, names, centres, sizes, strict=True)
        ),
        next_segment=identity.next_segment,
        continues=identity.continues,
        training=Training(
            as_of=_text(window.as_of),
            start=_text(window.start),
            end=_text(window.end),
            users_read=fit.selection.users_read,
            users_used=fit.selection.users_used,
            rows_sha256=digest(fit.selection.rows),
            day=window.day if window.day is not None and of_time(fit.settings.features) else UNSET,
        ),
        exclude_statuses=fit.settings.exclude_statuses,
        time_zone=fit.settings.time_zone if of_time(fit.settings.features) else UNSET,
        declared=beyond_default(fit.settings.features),
        metrics=_metrics(fit),
    )
    return _named(release)


def or_the_same(release: ModelRelease, current: ModelRelease) -> ModelRelease:
    """Reuse the current release if nothing changed; else return the new release.

    The comparison uses the current release's figures: from a kept projection, their last digits may differ.
    """
    again = replace(
        release,
        continues=current.continues,
        next_segment=current.next_segment,
        metrics=current.metrics,
    )
    again = _named(again)
    return again if again.version == current.version else release


def _text(at: datetime | None) -> str | None:
    return None if at is None else times.text(at)


def _named(release: ModelRelease) -> ModelRelease:
    release = replace(release, space=space_of(release))
    return replace(release, version=version_of(release))


def _metrics(fit: Fit) -> dict[str, float]:
    explained = float(fit.pipeline.named_steps["project"].explained_variance_ratio_.sum())
    figures = {**asdict(fit.quality), "explained_variance": explained}
    return {name: figure for name, figure in figures.items() if name != "k" and figure is not None}
