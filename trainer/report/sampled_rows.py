"""The training users that stand for all in a picture."""

import numpy as np
import numpy.typing as npt

from trainer.controls.evaluate import Labels

LEAST = 60  # per segment, so that a small segment is visible
SEED = 555


def sampled_rows(labels: Labels, most: int) -> npt.NDArray[np.int64]:
    """Row indices of a sample of about ``most`` rows, stratified by segment; shape (rows,), ascending.

    Each segment has rows in proportion to its size, but at least LEAST (or all its rows, if it has fewer).
    The seed is fixed.

    Args:
        labels: the segment's index for each row, shape (all rows,).
        most: as many rows are taken whole.
    """
    if len(labels) <= most:
        return np.arange(len(labels))
    rng = np.random.default_rng(SEED)
    drawn = []
    for place in range(int(labels.max()) + 1):
        members = np.flatnonzero(labels == place)
        wanted = max(LEAST, round(most * len(members) / len(labels)))
        drawn.append(rng.choice(members, min(wanted, len(members)), replace=False))
    return np.sort(np.concatenate(drawn))
