from __future__ import annotations

import numpy as np

from trainer.report.sampled_rows import LEAST, sampled_rows


def test_every_segment_in_proportion_and_a_small_one_more() -> None:
    labels = np.repeat([0, 1, 2, 3], [60_000, 29_000, 1_000, 40]).astype(np.int32)
    drawn = sampled_rows(labels, 3_000)
    assert sorted(set(drawn.tolist())) == drawn.tolist()
    counts = np.bincount(labels[drawn])
    # 3,000 of 90,040: 1,999, 966 and 33, which is fewer than are seen; and all 40 of the last.
    assert counts.tolist() == [1_999, 966, LEAST, 40]
    assert sampled_rows(labels, 3_000).tolist() == drawn.tolist()


def test_few_users_are_all_taken() -> None:
    assert sampled_rows(np.zeros(3_000, dtype=np.int32), 3_000).tolist() == list(range(3_000))
