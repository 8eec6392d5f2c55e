"""Scales the columns: the second step of the fitted pipeline.

``pipeline.joblib`` names this module.
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
    the square root of the value's share p. Then each feature adds at most 1 to the variance of a principal
    axis: its squared correlation with the axis, or for a text the squared correlation ratio.

    A column that contains only 0 and 1 counts as an indicator.
    """

    def fit(
        self,
        X: Matrix,  # noqa: N803 - scikit-learn's
        y: None = None,
        sample_weight: None = None,
    ) -> Self:
        """Learn each column's mean and scale; X: shape (rows, columns)."""
        super().fit(X, y, sample_weight)
        indicators = _indicators(X)
        self.scale_[indicators] = np.sqrt(self.mean_[indicators])
        return self


def scaler_for(scaling: Scaling) -> Any:
    """A scaler, not fitted; after ``fit`` it has ``mean_`` and, except for ``none``, ``scale_``."""
    return BalancedScaler() if scaling == "balanced" else StandardScaler(with_std=scaling == "standard")


def _indicators(columns: Matrix) -> Any:
    # Column by column: a mask of the whole matrix would take too much memory.
    return np.array([bool(((column == 0) | (column == 1)).all()) for column in columns.T])
