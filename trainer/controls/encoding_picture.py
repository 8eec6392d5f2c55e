"""An encoding's picture of the training users, made quickly and many times over, for the controls.

The same numbers as :mod:`trainer.fit` makes with scikit-learn, up to rounding, from other arithmetic: a text is a
code and a row of the encoded matrix has one entry a feature, so that one-hot columns cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec.structs import replace
from scipy.sparse import csr_array
from sklearn.decomposition import PCA

from schemas.features import Feature
from schemas.release.model_release import EncodedFeature
from trainer.steps.encode import Coded, Matrix, coded, learn, numbers
from trainer.steps.fit_settings import FitSettings

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

_SEED = 777
_FEW_COLUMNS = 100  # up to here all axes are computed, which is exact; beyond, the first ones by iteration


class Picture(NamedTuple):
    """The users' components, shape (rows, components), and each component's share of the variance."""

    components: Matrix
    explained: Floats


@dataclass(frozen=True, slots=True)
class Users:
    """The training users' features: numbers as they are, text as codes.

    Attributes:
        features: the features, in order.
        texts: of each feature the different values; empty for a number.
        columns: of each feature the numbers or codes, shape (rows,).
    """

    features: tuple[Feature, ...]
    texts: tuple[list[str], ...]
    columns: tuple[npt.NDArray[Any], ...]

    @classmethod
    def of(cls, rows: pa.Table, features: tuple[Feature, ...]) -> Self:
        """From training rows, which lack nothing."""
        texts: list[list[str]] = []
        columns: list[npt.NDArray[Any]] = []
        for feature in features:
            if feature.numeric:
                texts.append([])
                columns.append(numbers(rows, feature.name))
            else:
                column = coded(rows, feature.name)
                texts.append(column.texts)
                columns.append(column.codes)
        return cls(features, tuple(texts), tuple(columns))

    def __len__(self) -> int:
        return len(self.columns[0])

    def resampled(self, rng: np.random.Generator) -> tuple[Self, Places]:
        """As many users, drawn with replacement; and who they are."""
        places = rng.integers(len(self), size=len(self))
        return type(self)(self.features, self.texts, tuple(column[places] for column in self.columns)), places

    def half(self, rng: np.random.Generator) -> Self:
        """Half of the users, drawn without replacement.

        What is computed over halves varies as over other samples of all these users (the delete-half jackknife:
        Shao and Wu, "A general theory for jackknife variance estimation", 1989).
        """
        places = np.sort(rng.choice(len(self), len(self) // 2, replace=False))
        return type(self)(self.features, self.texts, tuple(column[places] for column in self.columns))

    def shuffled(self, rng: np.random.Generator) -> Self:
        """Each feature shuffled among the users by itself: its distribution stays, what they share goes."""
        return type(self)(
            self.features, self.texts, tuple(rng.permutation(column) for column in self.columns)
        )


def has_arbitrary_codes(users: Users, settings: FitSettings) -> bool:
    """Whether some feature's numbers follow the spelling of its values."""
    return any((f.encoding or settings.encoding) == "label" and not f.numeric for f in users.features)


def picture(
    users: Users, settings: FitSettings, permute: np.random.Generator | None = None
) -> Picture | None:
    """The users as these settings show them; None where they cannot.

    Args:
        users: the training users.
        settings: how they are encoded, scaled and projected.
        permute: permutes the label codes, when given.
    """
    blocks = []
    for feature, texts, column in zip(users.features, users.texts, users.columns, strict=True):
        if feature.numeric:
            blocks.append(_Block(np.zeros(len(users), dtype=np.int64), column, 1, indicator=False))
        else:
            learned = learn(feature, Coded(texts, column), settings.encoding, settings.rare)
            if permute is not None and learned.encoding == "label":
                learned = replace(learned, codes=tuple(permute.permutation(learned.codes).tolist()))
            blocks.append(_block(learned, texts, column))
    scaled, varying = _scaled(blocks, settings)
    return _projected(scaled, settings.components) if varying >= settings.components else None


class _Block(NamedTuple):
    """A feature's columns: each row's only entry, as its column and its number."""

    places: Places
    entries: Floats
    width: int
    indicator: bool


def _block(learned: EncodedFeature, texts: list[str], codes: Places) -> _Block:
    one_hot = learned.encoding == "one-hot"
    known = dict(zip(learned.categories, learned.columns if one_hot else learned.codes, strict=True))
    # A value that this resample does not hold has no number, and no row asks for it.
    numbers = np.array([known.get(text, 0) for text in texts])[codes]
    if one_hot:
        return _Block(numbers.astype(np.int64), np.ones(len(codes)), learned.width, indicator=True)
    return _Block(np.zeros(len(codes), dtype=np.int64), numbers.astype(np.float64), 1, indicator=False)


def _scaled(blocks: list[_Block], settings: FitSettings) -> tuple[csr_array, int]:
    """The scaled columns, and how many of them vary. Indicators are left for the projection to centre."""
    first = np.cumsum([0, *(block.width for block in blocks)])
    places = np.column_stack([start + block.places for start, block in zip(first, blocks, strict=False)])
    entries = np.column_stack([block.entries for block in blocks])
    rows, width = len(entries), int(first[-1])
    mean = np.bincount(places.ravel(), entries.ravel(), width) / rows
    # Two passes, as a sum of squares alone cancels where the mean is large.
    away = np.bincount(places.ravel(), (entries - mean[places]).ravel() ** 2, width)
    empty = rows - np.bincount(places.ravel(), minlength=width)
    deviation = np.sqrt((away + empty * mean**2) / rows)
    varies = deviation > 1e-12 * np.abs(mean)  # a constant has only rounding
    indicator = np.repeat([block.indicator for block in blocks], [block.width for block in blocks])
    scale = {
        "standard": deviation,
        "balanced": np.where(indicator, np.sqrt(np.abs(mean)), deviation),
        "none": np.ones(width),
    }[settings.scaling]
    # In a sample or resample a column may happen never to vary; then it adds nothing.
    centred = entries - np.where(indicator, 0.0, mean)[places]
    data = (centred * np.divide(1.0, scale, out=np.zeros(width), where=varies)[places]).ravel()
    ends = np.arange(rows + 1) * len(blocks)
    return csr_array((data, places.ravel(), ends), shape=(rows, width)), int(varies.sum())


def _projected(scaled: csr_array, components: int) -> Picture:
    if scaled.shape[1] > _FEW_COLUMNS:
        pca = PCA(components, svd_solver="arpack", random_state=_SEED).fit(scaled)
    else:
        scaled = scaled.toarray()
        pca = PCA(components, svd_solver="covariance_eigh").fit(scaled)
    return Picture(pca.transform(scaled), pca.explained_variance_ratio_)
