"""Scores many users with any release, from its numbers alone.

So a release from Kafka can score users without loading its ``pipeline.joblib`` (a pickle can run code).
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.metrics import pairwise_distances_argmin
from threadpoolctl import threadpool_limits

from schemas.features import Feature
from schemas.release.model_release import ModelRelease
from trainer.steps.encode import FeatureEncoder, Matrix

_CELLS = 4_000_000  # cells of the encoded matrix at a time: one-hot over all users may not fit into memory


@dataclass(frozen=True, slots=True)
class Scored:
    """The components, shape (users, components), and the segment ids, shape (users,)."""

    components: Matrix
    segments: npt.NDArray[np.int64]


def encoder_of(release: ModelRelease) -> FeatureEncoder:
    """The fitted encoder of a release."""
    encoder = FeatureEncoder()
    encoder.encoded_ = release.features
    encoder.means_ = np.array(release.mean)
    return encoder


def can_score(release: ModelRelease, users: pa.Table, declared: Collection[Feature]) -> bool:
    """Whether the table has all features of the release, made in the way that the release needs.

    Args:
        release: any release.
        users: features by name.
        declared: how the features beyond the seven default features were made, as in a ``ModelRelease``.
    """
    names = {feature.name for feature in release.features}
    return names <= set(users.column_names) and set(release.declared) <= set(declared)


def score(release: ModelRelease, users: pa.Table) -> Scored:
    """Score users; a missing or never-seen value counts as the training mean.

    Args:
        release: any release.
        users: the release's features by name, one row for each user.
    """
    encoder = encoder_of(release)
    mean, scale = np.array(release.mean), np.array(release.scale)
    axes = np.array(release.projection).T
    centres = np.array([segment.centre for segment in release.segments])
    step = max(1, _CELLS // len(release.mean))
    components = np.empty((users.num_rows, axes.shape[1]))
    with threadpool_limits(limits=1):  # as in the fit: sums depend on their order
        for begin in range(0, users.num_rows, step):
            scaled = (encoder.transform(users.slice(begin, step)) - mean) / scale
            components[begin : begin + step] = (scaled - np.array(release.projection_mean)) @ axes
    ids = np.array([segment.id for segment in release.segments], dtype=np.int64)
    nearest = (
        pairwise_distances_argmin(components, centres) if users.num_rows else np.array([], dtype=np.int64)
    )
    return Scored(components, ids[nearest])
