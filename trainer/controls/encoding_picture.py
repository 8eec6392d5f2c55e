"""The components of users under an encoding, computed fast, because the controls need them many times.

The numbers are those of :mod:`trainer.fit` up to rounding. The arithmetic is different: a text is a code, and
a row of the encoded matrix has one entry for each feature, so that one-hot columns cost nothing.
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
from trainer.steps.encode import Coded, Matrix, coded, inputs, learn, learn_number, numbers
from trainer.steps.fit_settings import FitSettings

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

_SEED = 777
_FEW_COLUMNS = 100  # up to here all axes are computed exactly; with more columns only the first, by iteration


class Picture(NamedTuple):
    """The users' components, shape (rows, components), and the share of the variance of each component."""

    components: Matrix
    explained: Floats


@dataclass(frozen=True, slots=True)
class Users:
    """The training users' features: numbers (or their logarithms), and text as codes.

    Attributes:
        features: the features, in order.
        texts: the different values of each feature; empty for a number.
        columns: the numbers or codes of each feature, shape (rows,).
    """

    features: tuple[Feature, ...]
    texts: tuple[list[str], ...]
    columns: tuple[npt.NDArray[Any], ...]

    @classmethod
    def of(cls, rows: pa.Table, features: tuple[Feature, ...]) -> Self:
        """From training rows, which have no missing values."""
        texts: list[list[str]] = []
        columns: list[npt.NDArray[Any]] = []
        for feature in features:
            if feature.numeric:
                texts.append([])
                found = numbers(rows, feature.name)
                # The logarithm of a user is always the same; groups are learned from each resample.
                columns.append(inputs(learn_number(feature, found), found) if feature.log else found)
            else:
                column = coded(rows, feature.name)
                texts.append(column.texts)
                columns.append(column.codes)
        return cls(features, tuple(texts), tuple(columns))

    def __len__(self) -> int:
        return len(self.columns[0])

    def resampled(self, rng: np.random.Generator) -> tuple[Self, Places]:
        """A bootstrap resample: as many users, drawn with replacement; and their row indices."""
        places = rng.integers(len(self), size=len(self))
        return type(self)(self.features, self.texts, tuple(column[places] for column in self.columns)), places

    def half(self, rng: np.random.Generator) -> Self:
        """Half of the users, drawn without replacement.

        A figure varies between halves as it varies between samples of this size (the delete-half jackknife:
        Shao and Wu, "A general theory for jackknife variance estimation", 1989).
        """
        places = np.sort(rng.choice(len(self), len(self) // 2, replace=False))
        return type(self)(self.features, self.texts, tuple(column[places] for column in self.columns))

    def shuffled(self, rng: np.random.Generator) -> Self:
        """A copy with each feature shuffled by itself: distributions stay, relations between features go."""
        return type(self)(
            self.features, self.texts, tuple(rng.permutation(column) for column in self.columns)
        )


def has_arbitrary_codes(users: Users, settings: FitSettings) -> bool:
    """Whether a feature has label codes: numbers in the alphabetical order of its values."""
    return any((f.encoding or settings.encoding) == "label" and not f.numeric for f in users.features)


def picture(
    users: Users, settings: FitSettings, permute: np.random.Generator | None = None
) -> Picture | None:
    """The components of the users under these settings.

    Args:
        users: the training users.
        settings: how the users are encoded, scaled and projected.
        permute: permutes the label codes; None: the codes stay.

    Returns:
        The picture; None if fewer columns vary than ``settings.components``.
    """
    blocks = []
    for feature, texts, column in zip(users.features, users.texts, users.columns, strict=True):
        if feature.numeric:
            grouped = feature.quantile is not None
            entries = inputs(learn_number(feature, column), column) if grouped else column
            blocks.append(_Block(np.zeros(len(users), dtype=np.int64), entries, 1, indicator=False))
        else:
            learned = learn(feature, Coded(texts, column), settings.encoding, settings.rare)
            if permute is not None and learned.encoding == "label":
                learned = replace(learned, codes=tuple(permute.permutation(learned.codes).tolist()))
            blocks.append(_block(learned, texts, column))
    scaled, varying = _scaled(blocks, settings)
    return _projected(scaled, settings.components) if varying >= settings.components else None


class _Block(NamedTuple):
    """The columns of one feature; each row has one entry.

    Attributes:
        places: the column of each row's entry.
        entries: the number of each row's entry.
        width: how many columns there are.
        indicator: whether the entries are 1 for a value (one-hot).
    """

    places: Places
    entries: Floats
    width: int
    indicator: bool


def _block(learned: EncodedFeature, texts: list[str], codes: Places) -> _Block:
    one_hot = learned.encoding == "one-hot"
    known = dict(zip(learned.categories, learned.columns if one_hot else learned.codes, strict=True))
    # A value that is not in this resample has no number, and no row uses it.
    numbers = np.array([known.get(text, 0) for text in texts])[codes]
    if one_hot:
        return _Block(numbers.astype(np.int64), np.ones(len(codes)), learned.width, indicator=True)
    return _Block(np.zeros(len(codes), dtype=np.int64), numbers.astype(np.float64), 1, indicator=False)


def _scaled(blocks: list[_Block], settings: FitSettings) -> tuple[csr_array, int]:
    """The scaled columns, and how many of them vary. The projection centres the indicators."""
    first = np.cumsum([0, *(block.width for block in blocks)])
    places = np.column_stack([start + block.places for start, block in zip(first, blocks, strict=False)])
    entries = np.column_stack([block.entries for block in blocks])
    rows, width = len(entries), int(first[-1])
    mean = np.bincount(places.ravel(), entries.ravel(), width) / rows
    # Two passes: with a large mean, a sum of squares alone would lose its digits.
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
    # In a resample a column may be constant; then it adds nothing.
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
