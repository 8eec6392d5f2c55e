"""What the users of each segment ordered and paid until now."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

Amounts = npt.NDArray[np.float64]


class SegmentWorth(Struct, frozen=True):
    """The orders of one segment's users until now.

    Attributes:
        orders: orders per user.
        orders_share: the segment's share of all orders, 0 to 1.
        spend: spend per user, in the warehouse's currency; None if the warehouse has no prices.
        spend_share: the segment's share of all spend, 0 to 1; None without prices, or if all spend is not
            above 0.
    """

    orders: float
    orders_share: float
    spend: float | None
    spend_share: float | None


class Worth(Struct, frozen=True):
    """The orders of all training users until now; the segments are in the order of the labels.

    Attributes:
        orders: the number of orders.
        spend: their price, in the warehouse's currency; None if the warehouse has no prices.
    """

    orders: float
    spend: float | None
    segments: tuple[SegmentWorth, ...]


def worth_of(
    labels: npt.NDArray[np.int32], orders: Amounts, spend: Amounts | None, clusters: int
) -> Worth | None:
    """Add up the orders by segment.

    Args:
        labels: the cluster of each training user, shape (users,); no cluster is empty.
        orders: each user's orders, shape (users,).
        spend: the price of these orders, shape (users,); None if the warehouse has no prices.
        clusters: the number of clusters.

    Returns:
        The sums; None if there is no order.
    """
    if not orders.sum():
        return None
    sizes = np.bincount(labels, minlength=clusters)
    sums = np.bincount(labels, orders, clusters)
    paid = None if spend is None else np.bincount(labels, spend, clusters)
    total = 0.0 if paid is None else float(paid.sum())
    return Worth(
        float(sums.sum()),
        None if paid is None else total,
        tuple(
            SegmentWorth(
                float(sums[place] / sizes[place]),
                float(sums[place] / sums.sum()),
                None if paid is None else float(paid[place] / sizes[place]),
                float(paid[place]) / total if paid is not None and total > 0 else None,
            )
            for place in range(clusters)
        ),
    )


def ratio_to_all(worth: Worth, sizes: Sequence[int], place: int) -> float:
    """A segment's spend per user divided by that of all users; without prices, its orders per user.

    Args:
        worth: the sums.
        sizes: the number of users of each segment.
        place: the segment's index in ``worth.segments``.
    """
    share = worth.segments[place].spend_share
    if share is None:
        share = worth.segments[place].orders_share
    return share * sum(sizes) / sizes[place]
