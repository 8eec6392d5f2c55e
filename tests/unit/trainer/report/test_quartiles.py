from __future__ import annotations

import numpy as np
import pyarrow as pa

from trainer.report.quartiles import Quartiles, quartiles


def test_the_middle_of_all_users_and_of_each_segment() -> None:
    # All: 0, 1, 2, 3, 100. Segment 0: 0, 1, 2; a quarter of the way from 0 to 1 is 0.5, as 0.25 * 2 = 0.5.
    column = pa.chunked_array([[0, 1], [2, 3, 100]])
    everybody, inside = quartiles(column, np.array([0, 0, 0, 1, 1], dtype=np.int32), 2)
    assert everybody == Quartiles(1, 2, 3)
    assert inside == [Quartiles(0.5, 1, 1.5), Quartiles(27.25, 51.5, 75.75)]
