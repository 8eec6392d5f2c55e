"""What each encoding's segments are worth, by controls that hold for every encoding alike.

A silhouette says how clear the clusters are *in the picture that an encoding makes*, and an encoding can make
clear pictures of nothing. So each is held against itself: the same values with each feature shuffled among
the users, which keeps every feature's distribution and destroys what they have to do with one another.
"""

from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from trainer.cluster import cluster
from trainer.encode import FeatureEncoder, Matrix
from trainer.evaluate import silhouette
from trainer.settings import CategoryEncoding, FitSettings

SEED = 666
USERS = 2_000
LEAST_USERS = 100
RESAMPLES = 3
SHUFFLES = 3


@dataclass(frozen=True, slots=True)
class EncodingControl:
    """The controls of one encoding; silhouettes of two encodings are never compared.

    Attributes:
        encoding: its name; ``recommended`` for the recommended preset.
        explained_variance: the share of each component, 0 to 1.
        bootstrap_ari: the mean adjusted Rand index between these segments and those of the whole pipeline
            refitted to bootstrap resamples of the users.
        permuted_codes_ari: the same, when the label codes are permuted at random: low where the segments
            hang on the order of the values' spelling. None where no code is arbitrary.
        silhouette: of the segments.
        shuffled_silhouette: the mean over the shuffles.
        no_better_than_shuffled: whether some shuffle has a silhouette at least as high.
    """

    encoding: str
    explained_variance: tuple[float, ...]
    bootstrap_ari: float
    permuted_codes_ari: float | None
    silhouette: float
    shuffled_silhouette: float
    no_better_than_shuffled: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """The encodings beside each other, over ``users`` of the training users.

    ``encodings`` leaves out what cannot be fitted to these users, and holds none for fewer than LEAST_USERS.
    ``recommended`` is the recommended preset's row where it passes the controls; None where it does not.
    """

    encodings: tuple[EncodingControl, ...]
    recommended: EncodingControl | None
    users: int


def compare(rows: pa.Table, settings: FitSettings, k: int) -> Comparison:
    """Each encoding with its controls.

    Args:
        rows: the training rows.
        settings: of the fit; encoding and scaling are varied.
        k: the number of segments.
    """
    sampled = rows.to_pandas().iloc[_places(rows.num_rows)].reset_index(drop=True)
    varied = [replace(settings, encoding=encoding) for encoding in get_args(CategoryEncoding)]
    return Comparison(
        encodings=tuple(_control(sampled, one, k) for one in varied if _fits(sampled, one)),
        recommended=None,
        users=len(sampled),
    )


def _fits(rows: pd.DataFrame, settings: FitSettings) -> bool:
    columns = FeatureEncoder(settings.features, settings.encoding).fit_transform(rows)
    return len(rows) >= LEAST_USERS and columns.shape[1] >= settings.components and columns.std(0).all()


def _places(rows: int) -> npt.NDArray[np.int64]:
    if rows <= USERS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(SEED).choice(rows, USERS, replace=False))


def _control(rows: pd.DataFrame, settings: FitSettings, k: int) -> EncodingControl:
    rng = np.random.default_rng(SEED)
    pipeline, components = _fitted(rows, settings, k)
    labels = pipeline.named_steps["cluster"].labels_
    resampled = []
    for _ in range(RESAMPLES):
        refitted, _ = _fitted(rows.iloc[rng.integers(len(rows), size=len(rows))], settings, k)
        resampled.append(adjusted_rand_score(labels, refitted.predict(rows)))
    silhouettes = []
    for _ in range(SHUFFLES):
        shuffled = pd.DataFrame({name: rng.permutation(rows[name].to_numpy()) for name in settings.names})
        other, positions = _fitted(shuffled, settings, k)
        silhouettes.append(silhouette(positions, other.named_steps["cluster"].labels_) or 0.0)
    own = silhouette(components, labels) or 0.0
    return EncodingControl(
        encoding=settings.encoding,
        explained_variance=tuple(pipeline.named_steps["project"].explained_variance_ratio_.tolist()),
        bootstrap_ari=float(np.mean(resampled)),
        permuted_codes_ari=None,
        silhouette=own,
        shuffled_silhouette=float(np.mean(silhouettes)),
        no_better_than_shuffled=own <= max(silhouettes),
    )


def _fitted(rows: pd.DataFrame, settings: FitSettings, k: int) -> tuple[Pipeline, Matrix]:
    pipeline = Pipeline(
        [
            ("encode", FeatureEncoder(settings.features, settings.encoding)),
            ("scale", StandardScaler(with_std=settings.scaling != "none")),
            ("project", PCA(settings.components, random_state=444)),
        ]
    )
    components = pipeline.fit(rows).transform(rows)
    kmeans = cluster(components, k)
    pipeline.steps.append(("cluster", kmeans))
    return pipeline, components
