"""Rare values that share a column: no column stands for fewer users than was asked, where that can be had."""

from collections import Counter

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.worlds.trained_shops import features_named
from trainer.steps.encode import FeatureEncoder

pytestmark = pytest.mark.property

shops = st.dictionaries(st.sampled_from("abcdefghijklmn"), st.integers(1, 30), min_size=2)


@given(counts=shops, rare=st.sampled_from([0.0, 0.005, 0.05, 0.1, 0.3, 0.49]))
def test_the_columns_that_rare_values_make(counts: dict[str, int], rare: float) -> None:
    rows = [value for value, count in counts.items() for _ in range(count)]
    (learned,) = (
        FeatureEncoder(features_named("country"), "one-hot", rare)
        .fit(pd.DataFrame({"country": rows}))
        .encoded_
    )
    assert learned.categories == tuple(sorted(counts))
    column = dict(zip(learned.categories, learned.columns, strict=True))
    users = Counter(column[value] for value in rows)
    sharing = Counter(column.values())
    shared = [place for place, values in sharing.items() if values > 1]
    least = rare * len(rows)

    # Every column has users, at most one is shared, it is the last, and never the commonest value's.
    assert sorted(users) == list(range(learned.width))
    assert shared in ([], [learned.width - 1])
    assert learned.width >= 2
    # What has a column of its own is no rarer than asked, but for a lone rare value or a lone other.
    alone = [value for value in counts if sharing[column[value]] == 1]
    below = [value for value in alone if counts[value] < least]
    assert len(below) <= (0 if shared and learned.width > 2 else 1)
    # What shares a column is no commoner than what does not.
    together = [value for value in counts if sharing[column[value]] > 1]
    assert max((counts[value] for value in together), default=0) <= min(counts[value] for value in alone)
    # And the shared column is enough users, or everything but the commonest.
    if shared:
        assert users[shared[0]] >= least or learned.width == 2
