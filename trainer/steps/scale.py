"""The second step of the fitted pipeline: how much each column counts.

It lives in a module of its own because ``pipeline.joblib`` names it.
"""

from typing import Any, Self

import numpy as np
from sklearn.preprocessing import StandardScaler

from trainer.steps.encode import Matrix
from trainer.steps.fit_settings import Scaling


# scikit-learn ships no type hints, so its base class is Any here.
class BalancedScaler(StandardScaler):  # type: ignore[misc]
    """Gives every feature the same weight, however many values it has: the scaling of FAMD.

    Factor analysis of mixed data (Pagès, "Analyse factorielle de données mixtes", Revue de Statistique
    Appliquée 52(4), 2004) divides a number by its standard deviation, and the indicator column of a value by
    the square root of the value's share p. Then what a feature can add to the variance of one principal
    axis is at most 1: its squared correlation with the axis, of text the squared correlation ratio.

    A column of 0 and 1 alone is taken for an indicator.
    """

    def fit(self, X: Matrix, y: None = None, sample_weight: None = None) -> Self:  # noqa: N803 - scikit-learn's
        """Learn each column's mean and scale; X: shape (rows, columns)."""
        super().fit(X, y, sample_weight)
        indicators = _indicators(X)
        self.scale_[indicators] = np.sqrt(self.mean_[indicators])
        return self


def scaler_for(scaling: Scaling) -> Any:
    """The scaler, not fitted; all have ``mean_`` and, except under ``none``, ``scale_``."""
    return BalancedScaler() if scaling == "balanced" else StandardScaler(with_std=scaling == "standard")


def _indicators(columns: Matrix) -> Any:
    # By column: a mask of the whole matrix would be as large as the matrix.
    return np.array([bool(((column == 0) | (column == 1)).all()) for column in columns.T])
