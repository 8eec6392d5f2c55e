"""The fitted pipeline as a model release: numbers and text, which is all that a worker gets."""

from dataclasses import asdict
from datetime import datetime

from msgspec.structs import replace

from schemas import times
from schemas.release import ModelRelease, Segment, Training, space_of, version_of
from trainer.fit import Fit


def release_of(fit: Fit, names: list[str], as_of: datetime | None) -> ModelRelease:
    """The release, with its space and version, and without its files' hashes.

    Args:
        fit: the fitted segmentation.
        names: of clusters 0, 1, 2…
        as_of: only facts before it were read; None for all.
    """
    steps = fit.pipeline.named_steps
    sizes = [int((fit.labels == cluster).sum()) for cluster in range(len(names))]
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
            for id_, (name, centre, size) in enumerate(zip(names, centres, sizes, strict=True))
        ),
        training=Training(
            as_of=None if as_of is None else times.text(as_of),
            users_read=fit.selection.users_read,
            users_used=fit.selection.users_used,
        ),
        exclude_statuses=fit.settings.exclude_statuses,
        metrics=_metrics(fit),
    )
    release = replace(release, space=space_of(release))
    return replace(release, version=version_of(release))


def _metrics(fit: Fit) -> dict[str, float]:
    explained = float(fit.pipeline.named_steps["project"].explained_variance_ratio_.sum())
    figures = {**asdict(fit.quality), "explained_variance": explained}
    return {name: figure for name, figure in figures.items() if name != "k" and figure is not None}
