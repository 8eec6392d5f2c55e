"""What a retrain takes from the release that it continues: encoding, scaling, projection and first centres.

A user with the same features keeps the same components in every release. Only the centres follow the data.
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
from schemas.release.model_release import OF_NUMBERS, ModelRelease
from trainer.steps.batch_scorer import encoder_of
from trainer.steps.encode import FeatureEncoder, Matrix
from trainer.steps.fit_settings import FitSettings
from trainer.steps.rows_digest import digest
from trainer.steps.scale import scaler_for
from trainer.steps.training_rows import Selection


@dataclass(frozen=True, slots=True)
class Start:
    """The start of a fit that continues a release.

    Attributes:
        encoder: fitted.
        scaler: fitted.
        pca: fitted.
        release: the current release, which has this space and these centres.
        centres: the centres of its segments, shape (segments, components).
        learned: whether the training rows are those of the current release; its centres are then kept.
    """

    encoder: FeatureEncoder
    scaler: StandardScaler
    pca: PCA
    release: ModelRelease
    centres: Matrix
    learned: bool


def within(selection: Selection, release: ModelRelease) -> Selection:
    """The users whose values the release's space knows; ``unseen`` counts the others by feature.

    Raises:
        BadTraining: no user is left.
    """
    known = np.ones(selection.rows.num_rows, dtype=np.bool_)
    unseen = {}
    for feature in release.features:
        if feature.encoding not in OF_NUMBERS:
            found = _is_in(selection.rows[feature.name], feature.categories)
            unseen[feature.name] = int((~found).sum())
            known &= found
    if not known.any():
        raise BadTraining(
            f"every training user has a value that the current release {release.version} does not know: "
            "learn everything again with --refit-space"
        )
    # One chunk: the same rows then have the same memory layout, however many rows were left out.
    rows = selection.rows.filter(pa.array(known)).combine_chunks()
    return replace(selection, rows=rows, unseen=unseen)


def _is_in(column: pa.ChunkedArray, values: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.is_in(column, value_set=pa.array(values, column.type)), dtype=np.bool_)


class _Users(Struct, frozen=True):
    unseen: dict[str, int]


class _ReportPart(Struct, frozen=True):
    users: _Users


def unseen_in(report: bytes) -> dict[str, int]:
    """The numbers of users left out for a value new to the kept space, by feature; read from
    ``report.json``.
    """
    unseen = msgspec.json.decode(report, type=_ReportPart).users.unseen
    return {name: count for name, count in unseen.items() if count}


def start_from(release: ModelRelease, selection: Selection, settings: FitSettings) -> Start:
    """The start of a fit from a release: its steps as fitted scikit-learn objects.

    Args:
        release: the release to continue.
        selection: the training rows, all known to the release's space.
        settings: the settings of the fit.
    """
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
    """Set how much of today's variance the axes of a kept projection explain (as ``PCA.fit`` does, with n -
    1).

    Args:
        pca: the kept projection; it is changed.
        scaled: the scaled rows, shape (rows, columns).
        components: the projected rows, shape (rows, components).
    """
    pca.n_samples_ = len(scaled)
    pca.explained_variance_ = components.var(axis=0, ddof=1)
    pca.explained_variance_ratio_ = pca.explained_variance_ / scaled.var(axis=0, ddof=1).sum()
