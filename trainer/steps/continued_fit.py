"""A retrain that continues the release in use: its encoding, scaling and projection, and its centres to start from.

Users keep their components from release to release, so that only the centres follow the data.
"""

from dataclasses import dataclass, replace

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from schemas.errors import BadTraining
from schemas.release.model_release import ModelRelease
from trainer.steps.batch_scorer import encoder_of
from trainer.steps.encode import FeatureEncoder, Matrix
from trainer.steps.fit_settings import FitSettings
from trainer.steps.rows_digest import digest
from trainer.steps.scale import scaler_for
from trainer.steps.training_rows import Selection


@dataclass(frozen=True, slots=True)
class Start:
    """Where a fit begins.

    Attributes:
        encoder: fitted, as the next two.
        scaler: a ``StandardScaler``.
        pca: a ``PCA``.
        release: the current one, whose space and centres these are.
        centres: of its segments, shape (segments, components).
        learned: the training rows are those of the current release, so its centres are right as they are.
    """

    encoder: FeatureEncoder
    scaler: StandardScaler
    pca: PCA
    release: ModelRelease
    centres: Matrix
    learned: bool


def within(selection: Selection, release: ModelRelease) -> Selection:
    """The users whose values the release's space knows; the others are counted, by feature.

    Raises:
        BadTraining: nobody is left.
    """
    known = np.ones(selection.rows.num_rows, dtype=np.bool_)
    unseen = {}
    for feature in release.features:
        if feature.encoding != "number":
            found = _is_in(selection.rows[feature.name], feature.categories)
            unseen[feature.name] = int((~found).sum())
            known &= found
    if not known.any():
        raise BadTraining(
            f"no training user has only values that the current release {release.version} knows: refit everything "
            "with --refit-space"
        )
    # Copied, so that the same rows are held in the same way, however many were left out before.
    rows = selection.rows.filter(pa.array(known)).combine_chunks()
    return replace(selection, rows=rows, unseen=unseen)


def _is_in(column: pa.ChunkedArray, values: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.is_in(column, value_set=pa.array(values, column.type)), dtype=np.bool_)


class _Users(Struct, frozen=True):
    unseen: dict[str, int]


class _Told(Struct, frozen=True):
    users: _Users


def unseen_in(report: bytes) -> dict[str, int]:
    """How many users a training left out for a value new to the kept space, by feature, as ``report.json`` has it."""
    unseen = msgspec.json.decode(report, type=_Told).users.unseen
    return {name: count for name, count in unseen.items() if count}


def start_from(release: ModelRelease, selection: Selection, settings: FitSettings) -> Start:
    """The release's steps as scikit-learn has them, for rows that it knows."""
    columns = len(release.mean)
    encoder = encoder_of(release).set_params(
        features=settings.features, encoding=settings.encoding, rare=settings.rare
    )
    scaler = scaler_for(settings.scaling)
    scaler.mean_, scaler.n_features_in_ = np.array(release.mean), columns
    scaler.scale_ = np.array(release.scale) if scaler.with_std else None
    scaler.var_ = None if scaler.scale_ is None else scaler.scale_**2
    scaler.n_samples_seen_ = selection.users_used
    pca = PCA(settings.components)
    pca.mean_, pca.components_ = np.array(release.projection_mean), np.array(release.projection)
    pca.n_features_in_, pca.n_components_ = columns, len(release.projection)
    centres = np.array([segment.centre for segment in release.segments])
    return Start(
        encoder, scaler, pca, release, centres, release.training.rows_sha256 == digest(selection.rows)
    )


def explain(pca: PCA, scaled: Matrix, components: Matrix) -> None:
    """Fill in what the axes of a kept projection keep of today's variance (as ``PCA.fit`` does, with n - 1)."""
    pca.n_samples_ = len(scaled)
    pca.explained_variance_ = components.var(axis=0, ddof=1)
    pca.explained_variance_ratio_ = pca.explained_variance_ / scaled.var(axis=0, ddof=1).sum()
