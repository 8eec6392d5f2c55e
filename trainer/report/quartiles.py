"""The middle and the middle half of a number's values, for all users and for each segment."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from trainer.controls.evaluate import Labels


class Quartiles(Struct, frozen=True):
    """A quarter of the users lie at or below ``low``, half at or below ``median``, a quarter at or above
    ``high``. Between two users' values the numbers are interpolated.
    """

    low: float
    median: float
    high: float


def quartiles(column: pa.ChunkedArray, labels: Labels, clusters: int) -> tuple[Quartiles, list[Quartiles]]:
    """The quartiles of all users, and those of clusters 0, 1, 2…

    Args:
        column: a number for each training user, without nulls.
        labels: the cluster of each user, shape (users,); no cluster is empty.
        clusters: the number of clusters.
    """
    numbers = np.asarray(column.to_numpy(), dtype=np.float64)
    return _of(numbers), [_of(numbers[labels == cluster]) for cluster in range(clusters)]


def _of(numbers: npt.NDArray[np.float64]) -> Quartiles:
    return Quartiles(*np.quantile(numbers, (0.25, 0.5, 0.75)).tolist())
