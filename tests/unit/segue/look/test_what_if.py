"""Values of declared features for an imagined user."""

from __future__ import annotations

import pytest

from schemas.features import Feature
from segue.config.command_line import BadUsage
from segue.look.what_if import parse_declared

ORDERS = Feature("orders", "count", "order_id")
SPEND = Feature("spend", "sum", "order_value")


def test_a_count_is_a_whole_number_and_a_sum_is_not() -> None:
    """So what would move the user is a number of orders, too."""
    values = parse_declared(["orders=2.0", "spend=2"], [ORDERS, SPEND])
    assert (values, type(values["orders"]), type(values["spend"])) == (
        {"orders": 2, "spend": 2.0},
        int,
        float,
    )


def test_a_part_of_an_order_is_refused() -> None:
    with pytest.raises(BadUsage, match=r"option --feature is 'orders=1\.5': orders is a whole number"):
        parse_declared(["orders=1.5"], [ORDERS])
