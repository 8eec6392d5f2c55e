"""Encodes features as columns of numbers: the first step of the fitted pipeline.

``pipeline.joblib`` names this module: to load that file, this package must be installed.
"""

from collections.abc import Sequence
from math import isfinite
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import StandardScaler

from schemas.features import FEATURES, Feature
from schemas.release.model_release import OF_NUMBERS, EncodedFeature
from schemas.release.number_inputs import number_input
from trainer.steps.fit_settings import CategoryEncoding

Matrix = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


# scikit-learn ships no type hints, so its base classes are Any here.
class FeatureEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Encodes features as numbers; a missing or never-seen value becomes the mean of its columns.

    After scaling a mean is 0, so an unknown value has no effect. Numbers stay as they are, or become their
    logarithm or group (:mod:`schemas.release.number_inputs`). A text is encoded by the feature's own
    encoding, or else by ``encoding``:

    - ``label``: the index of the value among the training values, in the order of their UTF-8 bytes (one
      column, numbered as by ``LabelEncoder``);
    - ``frequency``: the share of the training rows with the value (one column);
    - ``one-hot``: one column for each value, and one column for all rare values.

    Attributes:
        encoded_: the learned encoding of each feature, in order (after ``fit``).
        means_: the means of the columns over the training rows (after ``fit``).
    """

    def __init__(
        self,
        features: Sequence[Feature] = FEATURES,
        encoding: CategoryEncoding = "label",
        rare: float = 0.0,
    ) -> None:
        self.features = features
        self.encoding = encoding
        self.rare = rare

    def fit(self, X: Any, y: None = None) -> Self:  # noqa: ARG002, N803 - scikit-learn's signature
        """Learn categories, codes and means.

        Args:
            X: a table with columns by name: a pandas ``DataFrame`` or a pyarrow ``Table``.
            y: not used.
        """
        self.encoded_ = tuple(
            learn_number(feature, numbers(X, feature.name))
            if feature.numeric
            else learn(feature, coded(X, feature.name), self.encoding, self.rare)
            for feature in self.features
        )
        # The mean that the scaler computes, to the last bit: an unknown value then scales to exactly 0.
        self.means_ = StandardScaler().fit(self._columns(X)).mean_
        return self

    def transform(self, X: Any) -> Matrix:  # noqa: N803 - scikit-learn's signature
        """The encoded columns, shape (rows, width of all features)."""
        columns = self._columns(X)
        unknown = np.isnan(columns)
        if unknown.any():
            columns[unknown] = np.broadcast_to(self.means_, columns.shape)[unknown]
        return columns

    def _columns(self, X: Any) -> Matrix:  # noqa: N803 - as above
        """The encoded columns, with NaN for a missing or never-seen value."""
        return np.hstack([_encode(X, learned) for learned in self.encoded_])


class Coded(NamedTuple):
    """A column of text: the different texts, and the index of each row's text (-1: missing)."""

    texts: list[str]
    codes: Codes


def coded(table: Any, name: str) -> Coded:
    """A column of text by name, from a pandas ``DataFrame`` or a pyarrow ``Table``."""
    column = table[name]
    if isinstance(column, pa.ChunkedArray):
        encoded = column.combine_chunks().dictionary_encode()
        return Coded(
            encoded.dictionary.to_pylist(), encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        )
    codes, values = pd.factorize(np.asarray(column, dtype=object))
    return Coded(list(values), codes)


def numbers(table: Any, name: str) -> npt.NDArray[np.float64]:
    """A column of numbers by name; NaN for a missing or infinite value."""
    column = table[name]
    if isinstance(column, pa.ChunkedArray):
        found = column.to_numpy().astype(np.float64)
    else:
        values = np.asarray(column, dtype=object)
        found = np.where(pd.isna(values), np.nan, values).astype(np.float64)
    return np.where(np.isfinite(found), found, np.nan)


def learn_number(feature: Feature, values: npt.NDArray[np.float64]) -> EncodedFeature:
    """Learn how the model reads a number: for groups, their borders.

    Each border is a number that occurs: the smallest with at least its share of the users up to it. So the
    groups have equal sizes, unless many users share a number. Equal borders are one, and there is none at the
    largest number, since nobody is above it.

    Args:
        feature: the feature.
        values: the training values, finite or NaN.
    """
    if feature.quantile is None:
        return EncodedFeature(feature.name, "log" if feature.log else "number")
    ordered = np.sort(values[~np.isnan(values)])
    borders: tuple[float, ...] = ()
    if len(ordered):
        # In whole numbers: a share such as 0.07 of 100 users is not quite 7 in doubles.
        counts = -(-np.arange(1, feature.quantile) * len(ordered) // feature.quantile)
        found = np.unique(ordered[counts - 1])
        borders = tuple(found[found < ordered[-1]].tolist())
    return EncodedFeature(feature.name, "quantile", quantile=feature.quantile, borders=borders)


def inputs(learned: EncodedFeature, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What the model reads in place of numbers; NaN for a missing value.

    Args:
        learned: the encoding of a number.
        values: the numbers, finite or NaN.
    """
    if learned.encoding == "number":
        return values
    # The number is looked up by Python as in a worker: numpy's own logarithm has other last digits.
    read = [number_input(learned, value) if isfinite(value) else None for value in values.tolist()]
    return np.array(read, dtype=np.float64)


def learn(feature: Feature, column: Coded, encoding: CategoryEncoding, rare: float) -> EncodedFeature:
    """Learn the encoding of a text feature from its training values.

    Args:
        feature: the feature; its own encoding has priority.
        column: the training values.
        encoding: the encoding of features without an encoding of their own.
        rare: under ``one-hot``, values with less than this share of the rows share a column.

    Returns:
        The categories in the order of their UTF-8 bytes, with their codes or columns.
    """
    present = np.bincount(column.codes[column.codes >= 0], minlength=len(column.texts))
    # Python orders text by code points, which is the order of UTF-8 bytes.
    counts = sorted((value, int(count)) for value, count in zip(column.texts, present, strict=True) if count)
    categories = tuple(value for value, _ in counts)
    encoding = feature.encoding or encoding
    if encoding == "label":
        return EncodedFeature(feature.name, "label", categories, tuple(map(float, range(len(categories)))))
    if encoding == "frequency":
        total = sum(count for _, count in counts)
        return EncodedFeature(feature.name, "frequency", categories, tuple(c / total for _, c in counts))
    return EncodedFeature(feature.name, "one-hot", categories, _shared([count for _, count in counts], rare))


def _shared(counts: Sequence[int], rare: float) -> tuple[float, ...]:
    """The column index of each category if rare categories share the last column, else an empty tuple.

    The shared column has at least the share ``rare`` of the rows. If the rare values have fewer rows
    together, the next rarest values join them, but never the most frequent value.

    Args:
        counts: the number of rows of each category.
        rare: categories with a smaller share of the rows are rare.
    """
    least = rare * sum(counts)
    ranked = sorted(
        range(len(counts)), key=lambda place: -counts[place]
    )  # of equally frequent values the first keeps its column
    kept = max(1, sum(count >= least for count in counts))
    while 1 < kept < len(counts) and sum(counts[place] for place in ranked[kept:]) < least:
        kept -= 1
    if len(counts) - kept < 2:
        return ()
    columns = {place: float(column) for column, place in enumerate(sorted(ranked[:kept]))}
    return tuple(columns.get(place, float(kept)) for place in range(len(counts)))


def _encode(table: Any, learned: EncodedFeature) -> Matrix:
    """The columns of one feature, shape (rows, its width), with NaN for an unknown value."""
    if learned.encoding in OF_NUMBERS:
        return inputs(learned, numbers(table, learned.name))[:, None]
    column = coded(table, learned.name)
    one_hot = learned.encoding == "one-hot"
    known = dict(zip(learned.categories, learned.columns if one_hot else learned.codes, strict=True))
    # The code -1 (missing) reads the last element.
    of_value = np.array([*(known.get(value, np.nan) for value in column.texts), np.nan])
    if one_hot:
        places = of_value[column.codes]
        return np.where(np.isnan(places)[:, None], np.nan, places[:, None] == np.arange(learned.width))
    return of_value[column.codes][:, None]
