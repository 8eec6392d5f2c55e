"""Fits the segmentation: encode, scale, project and cluster, as one scikit-learn pipeline.

The same rows and settings give the same numbers to the last bit, on any number of cores. Sums of
floating-point numbers depend on their order, so the fit uses one thread.
"""

import os
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from schemas.errors import BadTraining
from trainer.controls.compare_encodings import Comparison, compare
from trainer.controls.evaluate import KQuality, Labels, Search, judge, search
from trainer.controls.named_k import KBy
from trainer.steps.cluster import cluster, cluster_from, nearest
from trainer.steps.continued_fit import Start, explain
from trainer.steps.encode import FeatureEncoder, Matrix
from trainer.steps.fit_settings import FitSettings
from trainer.steps.progress import Say, silent
from trainer.steps.scale import scaler_for
from trainer.steps.training_rows import Selection, distinct

PCA_SEED = 444
_MATRICES = 4  # encoded, scaled, the projection's copy, and working space


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted segmentation.

    Attributes:
        pipeline: the steps ``encode``, ``scale``, ``project`` and ``cluster``, fitted.
        components: the components of the training rows, shape (rows, components).
        labels: the cluster of each training row, shape (rows,).
        search: the figures of each k.
        quality: the figures of the k in use, over all training rows.
        comparison: the controls of each encoding, for the k in use.
        k_by: what chose k; see :data:`trainer.controls.named_k.KBy`.
    """

    settings: FitSettings
    selection: Selection
    pipeline: Pipeline
    components: Matrix
    labels: Labels
    search: Search
    quality: KQuality
    comparison: Comparison
    k_by: KBy


def fit(selection: Selection, settings: FitSettings, start: Start | None = None, say: Say = silent) -> Fit:
    """Fit and evaluate a segmentation.

    Args:
        selection: the training rows.
        settings: what to fit.
        start: the space to keep and the centres to begin with; None: learn everything from the rows.
        say: called with a few words when a step begins.

    Raises:
        BadTraining: the rows cannot be scaled, projected or clustered as the settings ask.
    """
    with threadpool_limits(limits=1):
        encoder, scaler, pca, components = (
            _space(selection, settings) if start is None else _kept(selection, settings, start)
        )
        different = distinct(selection.rows, settings.names)
        points = min(different, len(np.unique(components, axis=0)))
        say(f"searching k from {settings.k_min} to {settings.k_max}")
        found = search(components, range(settings.k_min, min(settings.k_max, points) + 1))
        k, k_by = _chosen_k(found, settings, start, components)
        if start is not None and k == _populated(components, start):
            kmeans = cluster_from(components, start)
        else:
            kmeans = _clusters(components, points, k, _ways_out(k, different, start))
        say(f"judging {kmeans.n_clusters} segments")
        quality = _quality(components, kmeans, found, start)
        return Fit(
            settings=settings,
            selection=selection,
            pipeline=Pipeline(
                [("encode", encoder), ("scale", scaler), ("project", pca), ("cluster", kmeans)]
            ),
            components=components,
            labels=kmeans.labels_,
            search=found.with_used(quality),
            quality=quality,
            comparison=compare(selection.rows, settings, kmeans.n_clusters),
            k_by=k_by,
        )


def _space(selection: Selection, settings: FitSettings) -> tuple[FeatureEncoder, Any, Any, Matrix]:
    """Encoder, scaler, projection and components, all learned from the rows."""
    encoder = FeatureEncoder(settings.features, settings.encoding, settings.rare).fit(selection.rows)
    _check_columns(encoder, selection, settings)
    encoded = encoder.transform(selection.rows)
    _check_varies(encoded, encoder)
    scaler = scaler_for(settings.scaling)
    # In place: with many columns, a copy of the matrix takes most of the memory of a fit.
    scaled = scaler.fit(encoded).transform(encoded, copy=False)
    pca = PCA(settings.components, random_state=PCA_SEED)
    # Not fit_transform: with many columns the randomized solver gives it other coordinates than transform
    # gives to every later row, and the clusters would be fitted to those.
    return encoder, scaler, pca, pca.fit(scaled).transform(scaled)


def _kept(
    selection: Selection, settings: FitSettings, start: Start
) -> tuple[FeatureEncoder, Any, Any, Matrix]:
    """Encoder, scaler and projection of the continued release, and today's components.

    Today's rows only set how much of the variance the axes keep.

    Raises:
        BadTraining: the users' positions do not differ enough.
    """
    _check_memory(start.encoder, selection, settings)
    scaled = start.scaler.transform(start.encoder.transform(selection.rows), copy=False)
    components = start.pca.transform(scaled)
    _check_apart(components, selection, settings, start)
    explain(start.pca, scaled, components)
    return start.encoder, start.scaler, start.pca, components


def _populated(components: Matrix, start: Start) -> int:
    """The number of segments of the continued release that have training users."""
    return len(np.unique(nearest(components, start.centres)))


def _check_apart(components: Matrix, selection: Selection, settings: FitSettings, start: Start) -> None:
    """Refuse a continued release with fewer than two segments that have users, unless ``k`` asks to cluster
    again.
    """
    places = np.unique(nearest(components, start.centres))
    apart = len(np.unique(components, axis=0)) > 1
    if len(places) > 1 or (apart and settings.k is not None):
        return
    segment = start.release.segments[places[0]]
    who = f"all {selection.users_used:,} training users lie in its segment {segment.id} ({segment.name})"
    fix = (
        "search for segments again with --refit-space"
        if distinct(selection.rows, settings.names) > 1
        else "and they are all equal, so that --refit-space finds no segments either: train on other users"
    )
    raise BadTraining(f"the current release {start.release.version} cannot be continued: {who}, {fix}")


def _check_columns(encoder: FeatureEncoder, selection: Selection, settings: FitSettings) -> None:
    width = sum(learned.width for learned in encoder.encoded_)
    for name, count in (("columns", width), ("training users", selection.users_used)):
        if count < settings.components:
            raise BadTraining(
                f"{settings.components} components cannot be made from {count} {name}: "
                f"set components to {count} or less"
            )
    _check_memory(encoder, selection, settings)


def _check_memory(encoder: FeatureEncoder, selection: Selection, settings: FitSettings) -> None:
    width = sum(learned.width for learned in encoder.encoded_)
    needed = width * selection.users_used * np.dtype(np.float64).itemsize * _MATRICES
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > memory:
        widest = max(encoder.encoded_, key=lambda learned: learned.width)
        raise BadTraining(
            f"{settings.encoding} encoding makes {width:,} columns for {selection.users_used:,} users, which "
            f"take about {needed / 1e9:.1f} GB of this machine's {memory / 1e9:.1f}: use label or frequency "
            f"encoding, or leave {widest.name} ({widest.width:,} values) out of the setting features"
        )


def _check_varies(encoded: Matrix, encoder: FeatureEncoder) -> None:
    """Refuse a feature if frequency encoding, or its groups, give all its values the same number."""
    place = 0
    for learned in encoder.encoded_:
        column = encoded[:, place]
        place += learned.width
        if learned.encoding == "quantile" and not learned.cuts:
            raise BadTraining(
                f"feature {learned.name} is one group, not {learned.quantile}: too many training users have "
                f"the largest value, leave declare.{learned.name}.quantile out, or {learned.name} out of the "
                "setting features"
            )
        if learned.encoding == "frequency" and column.min() == column.max():
            raise BadTraining(
                f"feature {learned.name} has {len(learned.categories):,} values of equal frequency, which "
                "frequency encoding cannot tell apart: use label or one-hot encoding, or leave it out of "
                "the setting features"
            )


def _chosen_k(
    found: Search, settings: FitSettings, start: Start | None, components: Matrix
) -> tuple[int, KBy]:
    if settings.k is not None:
        return settings.k, settings.k_by
    if start is not None:
        return _populated(components, start), "release"
    if found.elbow is None:
        raise BadTraining(
            f"the SSE has no elbow for k from {settings.k_min} to {settings.k_max}: set k, "
            "or search a wider range with k_min and k_max"
        )
    return found.elbow, "elbow"


def _quality(components: Matrix, kmeans: Any, found: Search, start: Start | None) -> KQuality:
    """The figures of the clusters in use; taken from the search if it fitted the same clusters over all
    users.
    """
    if start is None and found.users == len(components):
        for row in found.rows:
            if row.k == kmeans.n_clusters:
                return row
    return judge(components, kmeans)


def _ways_out(k: int, different: int, start: Start | None) -> str:
    """What helps besides a smaller k.

    Args:
        k: the number of segments.
        different: the number of different rows of features.
        start: of the fit.
    """
    if start is None:
        return "or add features or components"
    refit = ", or learn everything again with --refit-space" if different >= k else ""
    return f"or leave it out to keep the release's segments{refit}"


def _clusters(components: Matrix, points: int, k: int, ways_out: str) -> Any:
    if points < k:
        raise BadTraining(
            f"the training users have only {points} different positions in the space of the components, and "
            f"{k} segments need at least {k}: set k to {points} or less, {ways_out}"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            return cluster(components, k)
        except ConvergenceWarning as warning:
            raise BadTraining(
                f"the training users lie too close together for {k} segments ({warning}): set a smaller k, "
                f"{ways_out}"
            ) from None
