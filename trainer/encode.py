"""From features to columns of numbers: the first step of the fitted pipeline.

It lives in a module of its own because ``pipeline.joblib`` names it: whoever loads that file needs this
package, and nothing else of it.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import StandardScaler

from schemas.features import FEATURES, Feature
from schemas.release import EncodedFeature
from trainer.settings import CategoryEncoding

Matrix = npt.NDArray[np.float64]


# scikit-learn ships no type hints, so its base classes are Any here.
class FeatureEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Encodes features by name, and a missing or never-seen value as the mean of its columns.

    Numbers stay as they are. Text becomes, by the feature's encoding or else by ``encoding``, ``label``: its place among the training
    values in the order of their UTF-8 bytes (one column, as ``LabelEncoder`` numbers them),
    ``frequency``: its share of the training rows (one column), ``one-hot``: one column a value. After
    ``StandardScaler`` a mean is 0, so that what is not known neither pulls nor pushes.

    Attributes:
        encoded_: the features as they were learned, in order (after ``fit``).
        means_: the columns' means over the training rows (after ``fit``).
    """

    def __init__(self, features: Sequence[Feature] = FEATURES, encoding: CategoryEncoding = "label") -> None:
        self.features = features
        self.encoding = encoding

    def fit(self, X: Any, y: None = None) -> Self:  # noqa: ARG002, N803 - scikit-learn's signature
        """Learn categories, codes and means.

        Args:
            X: anything with columns by name, as a pandas ``DataFrame`` or a pyarrow ``Table``.
            y: not used.
        """
        self.encoded_ = tuple(
            _learn(feature, _column(X, feature.name), self.encoding) for feature in self.features
        )
        # The scaler's own mean, to the bit: what is encoded as it scales to exactly 0.
        self.means_ = StandardScaler().fit(self._columns(X)).mean_
        return self

    def transform(self, X: Any) -> Matrix:  # noqa: N803 - scikit-learn's signature
        """The columns, shape (rows, width of all features)."""
        columns = self._columns(X)
        unknown = np.isnan(columns)
        if unknown.any():
            columns[unknown] = np.broadcast_to(self.means_, columns.shape)[unknown]
        return columns

    def _columns(self, X: Any) -> Matrix:  # noqa: N803 - as above
        """The columns, with NaN where the value is missing or was never seen."""
        return np.hstack([_encode(_column(X, learned.name), learned) for learned in self.encoded_])


def _column(table: Any, name: str) -> npt.NDArray[np.object_]:
    return np.asarray(table[name], dtype=object)


def _learn(feature: Feature, values: npt.NDArray[np.object_], encoding: CategoryEncoding) -> EncodedFeature:
    name, encoding = feature.name, feature.encoding or encoding
    if feature.numeric:
        return EncodedFeature(name, "number")
    counts = Counter(values[~pd.isna(values)])
    # Python orders text by code points, which is the order of UTF-8 bytes.
    categories = tuple(sorted(counts))
    if encoding == "label":
        return EncodedFeature(name, "label", categories, tuple(float(i) for i in range(len(categories))))
    if encoding == "frequency":
        shares = tuple(counts[category] / counts.total() for category in categories)
        return EncodedFeature(name, "frequency", categories, shares)
    return EncodedFeature(name, "one-hot", categories)


def _encode(values: npt.NDArray[np.object_], learned: EncodedFeature) -> Matrix:
    """One feature's columns, shape (rows, its width)."""
    if learned.encoding == "number":
        numbers = np.where(pd.isna(values), np.nan, values).astype(np.float64)
        return np.where(np.isfinite(numbers), numbers, np.nan)[:, None]
    place = pd.Index(learned.categories, dtype=object).get_indexer(pd.Index(values, dtype=object))
    known = place >= 0
    columns = np.full((len(values), learned.width), np.nan)
    if learned.encoding == "one-hot":
        columns[known] = 0.0
        columns[known, place[known]] = 1.0
    else:
        columns[known, 0] = np.asarray(learned.codes)[place[known]]
    return columns
