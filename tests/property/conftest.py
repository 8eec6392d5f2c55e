"""Laws are tried on users of few orders, who have an index of their orders all the same."""

from collections.abc import Iterator

import pytest

from streamer.user import order_index


@pytest.fixture(autouse=True, scope="module")
def two_orders_are_many() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order_index, "MOST_UNINDEXED", 1)
        yield
