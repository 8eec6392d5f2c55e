"""Training with fewer resamples, for tests whose promise does not depend on how many there are.

Most of the time of a small `train` is spent on them. The tests of `trainer/controls` and those that start a
command as a process train with the real numbers.
"""

from collections.abc import Iterator

import pytest

from trainer.controls import compare_encodings, evaluate


@pytest.fixture(autouse=True)
def few_resamples() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "RESAMPLES", 2)
        patch.setattr(compare_encodings, "RESAMPLES", 2)
        patch.setattr(compare_encodings, "PERMUTATIONS", 2)
        patch.setattr(compare_encodings, "HALVES", 4)
        yield
