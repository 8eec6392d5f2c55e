"""How the training users are spread over each feature's bins: a release carries it, so that workers see
drift.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from schemas.release.model_release import FeatureProfile
from schemas.release.stability_index import REST, SAMPLE
from trainer.controls.drift import by_chance, common_values, counted, in_ranges, is_number, range_ends


def profile_of(rows: pa.Table, names: Sequence[str]) -> tuple[FeatureProfile, ...]:
    """The profile of each feature.

    Args:
        rows: the training users, without nulls in these columns; at least one.
        names: the features.
    """
    return tuple(_profile(name, rows[name]) for name in names)


def _profile(name: str, column: pa.ChunkedArray) -> FeatureProfile:
    if is_number(column):
        numbers = np.asarray(column.to_numpy(), dtype=np.float64)
        ends = range_ends(numbers)
        counts = in_ranges(numbers, ends)
        return FeatureProfile(
            name, tuple(counts.tolist()), by_chance(counts, SAMPLE), ends=tuple(ends.tolist())
        )
    users = counted(column)
    values = [value for value in common_values(users) if value != REST]
    found = [users[value] for value in values]
    counts = np.array([*found, users.total() - sum(found)], dtype=np.int64)
    return FeatureProfile(name, tuple(counts.tolist()), by_chance(counts, SAMPLE), values=tuple(values))
