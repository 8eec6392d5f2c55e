from __future__ import annotations

import numpy as np
import pytest

from trainer.controls.worth_so_far import SegmentWorth, ratio_to_all, worth_of

LABELS = np.array([0, 0, 0, 1], dtype=np.int32)
ORDERS = np.array([1.0, 1.0, 1.0, 5.0])


def test_the_orders_and_the_spend_of_each_segment() -> None:
    # 8 orders: 3 in segment 0 and 5 in segment 1. 40 paid: 10 and 30.
    worth = worth_of(LABELS, ORDERS, np.array([10.0, 0.0, 0.0, 30.0]), 2)
    assert worth is not None
    assert (worth.orders, worth.spend) == (8, 40)
    assert worth.segments[0] == SegmentWorth(1.0, 3 / 8, 10 / 3, 0.25)
    assert worth.segments[1] == SegmentWorth(5.0, 5 / 8, 30.0, 0.75)
    # One of four users has three quarters of the spend: 0.75 / 0.25.
    assert ratio_to_all(worth, [3, 1], 1) == pytest.approx(3)


def test_without_prices_orders_count() -> None:
    worth = worth_of(LABELS, ORDERS, None, 2)
    assert worth is not None
    assert worth.spend is None
    assert worth.segments[1] == SegmentWorth(5.0, 5 / 8, None, None)
    assert ratio_to_all(worth, [3, 1], 1) == pytest.approx(2.5)


def test_spend_that_adds_up_to_nothing_has_no_shares() -> None:
    worth = worth_of(LABELS, ORDERS, np.zeros(4), 2)
    assert worth is not None
    assert [each.spend_share for each in worth.segments] == [None, None]
    assert ratio_to_all(worth, [3, 1], 1) == pytest.approx(2.5)


def test_without_orders_nothing_is_known() -> None:
    assert worth_of(LABELS, np.zeros(4), None, 2) is None
