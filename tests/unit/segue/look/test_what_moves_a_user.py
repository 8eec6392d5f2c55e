"""What would move a user, from releases small enough to derive it by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.features import COUNTED, Feature
from schemas.input_events import Item, Order
from schemas.outputs.segment_change import FeatureValue
from schemas.release.model_release import EncodedFeature
from segue.look.nearest_border import nearest_border
from segue.look.one_more_order import one_more_order
from segue.look.smallest_changes import smallest_changes
from segue.show.user_moves import FeatureMove, NearestBorder, OrderMove
from streamer.segment.scoring import Scorer
from streamer.user.fold_events import fold
from streamer.user.order_rules import Rules
from streamer.user.user_state import UserState
from tests.support.worlds.made_up_release import a_release
from tests.unit.streamer.segment.test_due_day import AGE, DAYS, a_model, decided

ORDERS = EncodedFeature("orders", "number")
NOW = datetime(2024, 5, 3, 12, tzinfo=UTC)


def test_the_nearest_border_lies_between_two_centres() -> None:
    release = a_model((AGE,), ((0.0,), (10.0,), (-4.0,))).release
    assert nearest_border((1.0,), 0, release) == NearestBorder(2, "s2", 3.0)
    assert nearest_border((3.0,), 0, release) == NearestBorder(1, "s1", 2.0)


def test_a_margin_moves_the_border_away_from_the_own_centre() -> None:
    # |x - 10| <= |x| / 2 from 20/3 on.
    release = a_model((AGE,), ((0.0,), (10.0,))).release
    found = nearest_border((3.0,), 0, release, 0.5)
    assert found is not None
    assert found.distance == pytest.approx(20 / 3 - 3)


def test_one_segment_has_no_border() -> None:
    release = a_model((AGE,), ((0.0,),)).release
    assert nearest_border((3.0,), 0, release) is None
    assert smallest_changes({"age": 3}, 0, release) == ()


def test_a_whole_number_moves_by_whole_steps_and_past_the_border() -> None:
    # At 3 both centres are equally near, and the first counts.
    release = a_model((ORDERS,), ((0.0,), (6.0,))).release
    assert smallest_changes({"orders": 1}, 0, release) == (FeatureMove("orders", 4, 1, "s1", 3.0),)
    assert smallest_changes({"orders": 4}, 1, release) == (FeatureMove("orders", 3, 0, "s0", 1.0),)


def test_a_number_that_no_user_has_moves_nobody() -> None:
    # The standard deviation is 1 and the mean 0: 6 lies beyond four deviations, and below 0 is nobody.
    assert smallest_changes({"orders": 3}, 0, a_model((ORDERS,), ((0.0,), (12.0,))).release) == ()
    assert smallest_changes({"orders": 1}, 0, a_model((ORDERS,), ((0.0,), (-4.0,))).release) == ()


def test_an_amount_moves_to_a_short_number_and_a_logarithm_is_taken_back() -> None:
    release = a_model((AGE,), ((0.0,), (6.6,))).release
    (move,) = smallest_changes({"age": 1.25}, 0, release)
    assert move.value == 3.31  # the border is 3.3, a change of 2.05: its digits are hundredths
    # ln(1 + x) = 2 at x = 6.389, and the next whole number is 7.
    logged = a_model((EncodedFeature("spend", "log"),), ((0.0,), (4.0,))).release
    (move,) = smallest_changes({"spend": 2}, 0, logged)
    assert move.value == 7


def test_groups_move_to_the_next_group_that_is_elsewhere() -> None:
    grouped = EncodedFeature("spend", "quantile", quantile=4, borders=(10.0, 20.0, 30.0))
    # Groups 1 and 2 are nearer to 1, groups 3 and 4 to 4.
    release = a_model((grouped,), ((1.0,), (4.0,))).release
    assert [move.value for move in smallest_changes({"spend": 5}, 0, release)] == [21]
    assert [move.value for move in smallest_changes({"spend": 35}, 1, release)] == [20]


def test_texts_and_the_smallest_change_of_all_come_first() -> None:
    brand = EncodedFeature("brand", "label", ("a", "b", "c"), (0.0, 3.0, 9.0))
    release = a_model((ORDERS, brand), ((0.0,), (4.0,)), ((1.0, 1.0),)).release
    moves = smallest_changes({"orders": 0, "brand": "a"}, 0, release)
    assert moves == (FeatureMove("orders", 3, 1, "s1", 3.0), FeatureMove("brand", "b", 1, "s1", 3.0))


def test_a_missing_feature_moves_nobody() -> None:
    release = a_model((ORDERS, AGE), ((0.0,), (3.0,)), ((1.0, 1.0),)).release
    moves = smallest_changes({"orders": None, "age": 1}, 0, release)
    assert [move.feature for move in moves] == ["age"]


# At 24 two centres are equally near, and the first counts; the border is computed at 24.000000000000004.
@example(age=0, gender="M", orders=1, brand="Ön", margin=0.0)
@given(
    age=st.integers(0, 90),
    gender=st.sampled_from(["F", "M"]),
    orders=st.integers(1, 5),
    brand=st.sampled_from(["Allegra K", "Carhartt", "Ön"]),
    margin=st.sampled_from([0.0, 0.3]),
)
def test_no_smaller_whole_number_moves_the_user(
    age: int, gender: str, orders: int, brand: str, margin: float
) -> None:
    """All numbers between are tried by the scorer alone."""
    release = a_release()
    features: dict[str, FeatureValue] = {
        "age": age,
        "gender": gender,
        "total_orders": orders,
        "most_frequent_brand": brand,
    }
    score = Scorer(release).score
    present = score(features).segment
    for move in smallest_changes(features, present, release, margin):
        assert (
            score({**features, move.feature: move.value}, present, margin).segment == move.segment != present
        )
        value = move.value
        if isinstance(value, int):
            here = {"age": age, "total_orders": orders}[move.feature]
            for between in range(min(here, value) + 1, max(here, value)):
                tried = score({**features, move.feature: between}, present, margin)
                assert tried.segment == present


RULES = Rules(
    features=(Feature("days", "days_since", "last_order"), Feature("orders", "count", COUNTED)),
)
STATE = replace(
    fold(UserState("7"), Order("7", "1", datetime(2024, 4, 1, tzinfo=UTC), (Item(),)), RULES),
    decided=decided(1),
    # As Redis gives it: without the orders.
    orders={},
    whole=False,
)


def test_one_more_order_makes_the_last_order_one_of_today() -> None:
    model = a_model((DAYS,), ((0.0,), (10.0,)))
    assert one_more_order(STATE, model, RULES, date(2024, 5, 3), NOW) == OrderMove(0, "s0")
    counting = a_model((ORDERS,), ((9.0,), (1.0,)))
    assert one_more_order(STATE, counting, RULES, date(2024, 5, 3), NOW) == OrderMove(1, "s1")


def test_an_order_that_changes_no_feature_says_nothing() -> None:
    rules = Rules(features=(Feature("age", "attribute", "age"),))
    assert one_more_order(STATE, a_model((AGE,), ((0.0,), (9.0,))), rules, None, NOW) is None
