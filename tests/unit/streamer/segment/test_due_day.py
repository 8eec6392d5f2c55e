"""Due days derived by hand, from releases small enough to do so."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from schemas.features import FEATURES, Feature
from schemas.input_events import Event, Order, Signup, UserErased
from schemas.outputs.segment_change import FeatureValue
from schemas.release.model_release import EncodedFeature, ModelRelease, Segment, Training
from streamer.segment.active_model import ActiveModel
from streamer.segment.due_day import MOST_LOOKS, due_day, first_other_day
from streamer.segment.scoring import Scorer
from streamer.user.fold_events import fold
from streamer.user.order_rules import Rules
from streamer.user.user_state import Decided, Position, UserState

pytestmark = pytest.mark.unit

Values = Callable[[date], dict[str, FeatureValue]]

DAY = date(2024, 5, 1)
DAYS = EncodedFeature("days", "number")
LOG = EncodedFeature("days", "log")
AGE = EncodedFeature("age", "number")


def a_model(
    features: tuple[EncodedFeature, ...],
    centres: tuple[tuple[float, ...], ...],
    projection: tuple[tuple[float, ...], ...] = ((1.0,),),
) -> ActiveModel:
    """Components are the features times the projection. Segment 0 has the first centre, and so on."""
    columns = len(features)
    release = ModelRelease(
        version="v",
        space="s",
        features=features,
        mean=(0.0,) * columns,
        scale=(1.0,) * columns,
        projection_mean=(0.0,) * columns,
        projection=projection,
        segments=tuple(Segment(i, f"s{i}", centre, 1) for i, centre in enumerate(centres)),
        next_segment=len(centres),
        training=Training(None, 1, 1, ""),
        declared=(Feature("days", "days_since", "last_order"), Feature("more", "days_since", "signup")),
    )
    return ActiveModel(release, Scorer(release), 1, "t", datetime(2024, 1, 1, tzinfo=UTC))


def decided(segment: int, provisional: bool = False) -> Decided:
    return Decided(segment, f"s{segment}", provisional, 1, "v", 1, "t")


def days_since(then: date, **others: FeatureValue) -> Values:
    return lambda at: {"days": (at - then).days, **others}


SINCE_TODAY, IN_0 = days_since(DAY), decided(0)


def due_in(
    model: ActiveModel,
    values_at: Values = SINCE_TODAY,
    *,
    by: Decided | None = IN_0,
    min_margin: float = 0.0,
    breaks: Iterable[date] = (),
    day: date = DAY,
) -> int | None:
    due = first_other_day(values_at, breaks, by, model, min_margin, day)
    return None if due is None else (due - day).days


def test_a_number_reaches_the_middle_between_two_centres() -> None:
    # The middle is 5, and of two segments equally near the first is taken.
    assert due_in(a_model((DAYS,), ((0.0,), (10.0,)))) == 6
    assert due_in(a_model((DAYS,), ((10.0,), (0.0,))), by=decided(1)) == 5
    # Two days have passed already.
    assert due_in(a_model((DAYS,), ((0.0,), (10.0,))), days_since(DAY - timedelta(2))) == 4


def test_a_logarithm_reaches_the_middle_later() -> None:
    # ln(1 + days) = 3 after e³ - 1 = 19.09 days.
    assert due_in(a_model((LOG,), ((0.0,), (6.0,)))) == 20


def test_a_number_and_a_logarithm_make_a_curve() -> None:
    # x + ln(1 + x) = 10 at x = 7.93: 7 + 2.08 = 9.08, 8 + 2.20 = 10.20.
    both = (DAYS, EncodedFeature("more", "log"))
    model = a_model(both, ((0.0,), (20.0,)), ((1.0, 1.0),))
    assert due_in(model, lambda at: {"days": (at - DAY).days, "more": (at - DAY).days}) == 8


def test_a_curve_that_turns_before_the_border_never_meets_it() -> None:
    # 3 ln(1 + x) - x is at most 3 ln 3 - 2 = 1.296, on day 2. The border is at 1.3, then at 1.29.
    model = a_model((DAYS, EncodedFeature("more", "log")), ((0.0,), (2.6,)), ((-1.0, 3.0),))
    same: Values = lambda at: {"days": (at - DAY).days, "more": (at - DAY).days}  # noqa: E731
    assert due_in(model, same) is None
    model = a_model((DAYS, EncodedFeature("more", "log")), ((0.0,), (2.58,)), ((-1.0, 3.0),))
    assert due_in(model, same) == 2


def test_with_a_margin_the_user_stays_longer() -> None:
    # 10 - x <= x / 2 from x = 6.67 on.
    assert due_in(a_model((DAYS,), ((0.0,), (10.0,))), min_margin=0.5) == 7


def test_with_a_margin_a_line_meets_a_circle() -> None:
    looked = []

    def from_today(at: date) -> dict[str, FeatureValue]:
        looked.append(at)
        return {"days": (at - DAY).days, "age": 0}

    # The path is (x, 0). |x - r| <= |x - s| / 2 is a circle around (40/3, 4) with the radius 2/3 √109 = 6.96:
    # the path is in it from 13.33 - 5.70 = 7.63 to 19.03, and then the user would stay again.
    model = a_model((DAYS, AGE), ((0.0, 0.0), (10.0, 3.0)), ((1.0, 0.0), (0.0, 1.0)))
    assert due_in(model, from_today, min_margin=0.5) == 8
    assert looked == [DAY]
    # From outside of the circle again, nothing is ahead.
    assert due_in(model, days_since(DAY - timedelta(20), age=0), min_margin=0.5) is None
    # With 0.72, the circle is 3.26 away from the path, and its radius is 3.17.
    assert due_in(model, days_since(DAY, age=0), min_margin=0.72) is None


def test_a_group_lasts_up_to_its_border() -> None:
    # 30 is still in the group 1, whose centre is 1; 31 is in the group 2.
    groups = EncodedFeature("days", "quantile", quantile=3, borders=(7.5, 30.0))
    model = a_model((groups,), ((0.0,), (2.0,), (3.0,)))
    assert due_in(model, days_since(DAY - timedelta(10)), by=decided(1)) == 21
    assert due_in(model, days_since(DAY - timedelta(31)), by=decided(2)) is None


def test_a_feature_that_is_missing_from_a_day_on() -> None:
    # The window loses its last order on the fourth day, and the user would be provisional.
    model = a_model((DAYS, AGE), ((0.0,), (1e6,)), ((1.0, 0.0),))
    values_at: Values = lambda at: {"days": (at - DAY).days, "age": None if at >= DAY + timedelta(4) else 1}  # noqa: E731
    breaks = [DAY + timedelta(n) for n in (0, 2, 4, 9)]
    assert due_in(model, values_at, breaks=breaks) == 4


def test_one_more_missing_feature_counts_although_the_user_is_provisional_already() -> None:
    model = a_model((DAYS, AGE, EncodedFeature("g", "number")), ((0.0,), (1e6,)), ((1.0, 0.0, 0.0),))
    order = DAY + timedelta(3)
    values_at: Values = lambda at: {"days": 0 if at >= order else None, "age": 1}  # noqa: E731
    assert due_in(model, values_at, by=decided(0, provisional=True), breaks=[order]) == 3


def test_nothing_is_due() -> None:
    assert due_in(a_model((DAYS,), ((0.0,), (-10.0,)))) is None
    # The border is on day 4,000,000, in the year 12975.
    assert due_in(a_model((DAYS,), ((0.0,), (8e6,)))) is None


def test_who_is_not_decided_so_is_due_tomorrow() -> None:
    model = a_model((DAYS,), ((0.0,), (10.0,)))
    assert due_in(model, by=None) == 1
    for other in (decided(1), decided(7), decided(0, provisional=True)):
        assert due_in(model, by=other) == 1


def test_the_calendar_ends() -> None:
    model = a_model((DAYS,), ((0.0,), (10.0,)))
    assert due_in(model, day=date.max, values_at=days_since(date.max), by=None) is None
    # The day 6 would be the day after the last.
    assert due_in(model, day=date.max - timedelta(5), values_at=days_since(date.max - timedelta(5))) is None
    assert due_in(model, day=date.max - timedelta(6), values_at=days_since(date.max - timedelta(6))) == 6


def test_a_search_looks_at_a_few_days_and_then_ends_early() -> None:
    looked = []

    def values_at(at: date) -> dict[str, FeatureValue]:
        looked.append(at)
        return {"days": (at - DAY).days, "age": 0}

    # The path lies on the border: the user may leave on any day.
    model = a_model((DAYS, AGE), ((0.0, 1.0), (0.0, -1.0)), ((1.0, 0.0), (0.0, 1.0)))
    assert due_in(model, values_at) == MOST_LOOKS
    assert looked == [DAY + timedelta(n) for n in range(MOST_LOOKS)]

    # A window that loses an order every day, and the user is far from any border.
    looked.clear()
    model = a_model((DAYS, AGE), ((0.0,), (1e6,)), ((1.0, 0.0),))
    assert due_in(model, values_at, breaks=[DAY + timedelta(n) for n in range(1, 91)]) == MOST_LOOKS
    assert looked == [DAY + timedelta(n) for n in range(MOST_LOOKS)]


def test_a_straight_path_takes_one_look() -> None:
    looked = []

    def values_at(at: date) -> dict[str, FeatureValue]:
        looked.append(at)
        return {"days": (at - DAY).days}

    # ln(1 + days) = 8.0025 after 2,987.4 days.
    assert due_in(a_model((LOG,), ((0.0,), (16.005,))), values_at) == 2988
    assert looked == [DAY]


RULES = Rules(features=(*FEATURES, Feature("days", "days_since", "last_order")), time_zone="Europe/Berlin")


def a_state(*events: Event) -> UserState:
    state = UserState("7")
    for event in events:
        state = fold(state, event, RULES)
    return replace(state, decided=decided(0))


def order(order_id: str, day: int, hour: int = 0) -> Order:
    return Order("7", order_id, datetime(2024, 5, day, hour, tzinfo=UTC), ())


def test_the_due_day_of_a_state() -> None:
    model = a_model((DAYS,), ((0.0,), (10.0,)))
    # Days since the last order: 6 on the 10th.
    assert due_day(a_state(order("1", 2), order("2", 4)), model, RULES, date(2024, 5, 5)) == date(2024, 5, 10)
    # In Berlin it is the 5th.
    assert due_day(a_state(order("1", 4, 23)), model, RULES, date(2024, 5, 5)) == date(2024, 5, 11)
    # An order dated ahead of the day counts from its date on; before it, there are 6 days on the 10th.
    ahead = order("1", 4), order("2", 9)
    assert due_day(a_state(*ahead), model, RULES, date(2024, 5, 5)) == date(2024, 5, 15)


def test_a_position_takes_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    model = a_model((DAYS,), ((0.0,), (11.0,)))
    state = a_state(order("1", 2))

    def at(place: float, space: str = "s", missing: tuple[str, ...] = ()) -> date | None:
        put = replace(state, position=Position(space, (place,), missing))
        return due_day(put, model, RULES, date(2024, 5, 5))

    # A wrong position is not looked at: in another space, with another missing feature, or not in segment 0.
    assert at(-90.0, "other") == at(-90.0, missing=("days",)) == at(9.0) == date(2024, 5, 8)
    monkeypatch.setattr(Scorer, "score", None)
    assert at(3.0) == date(2024, 5, 8)


def test_a_user_who_waits_for_a_first_order_dated_ahead() -> None:
    model = a_model((DAYS,), ((0.0,), (10.0,)))
    state = replace(a_state(order("1", 6)), decided=decided(0, provisional=True))
    assert due_day(state, model, RULES, date(2024, 5, 5)) == date(2024, 5, 6)


def test_a_window_that_loses_orders() -> None:
    # The components are the orders of 10 days: 2, then 1, and the border is at 1.5. The order of the 2nd is
    # lost on the 12th.
    orders = Feature("orders", "count", "order_id", window=10)
    model = a_model((EncodedFeature("orders", "number"),), ((3.0,), (0.0,)))
    release = replace(model.release, declared=(orders,))
    model = ActiveModel(release, Scorer(release), 1, "t", model.at)
    rules = Rules(features=(orders,))
    state = UserState("7")
    for one in (order("1", 2), order("2", 4)):
        state = fold(state, one, rules)
    assert due_day(replace(state, decided=decided(0)), model, rules, date(2024, 5, 5)) == date(2024, 5, 12)
    # With one order, the user is in the other segment, and on the 14th the feature is missing.
    assert due_day(replace(state, decided=decided(1)), model, rules, date(2024, 5, 12)) == date(2024, 5, 14)


def test_who_has_no_due_day() -> None:
    signup = Signup("7", datetime(2024, 5, 4, tzinfo=UTC), age=9)
    model = a_model((DAYS,), ((0.0,), (10.0,)))
    # The model reads no feature of time.
    assert due_day(a_state(signup), a_model((AGE,), ((0.0,), (10.0,))), RULES, DAY) is None
    # No declared feature reads the day.
    assert due_day(a_state(signup), model, Rules(), None) is None
    # An erased user, and with the same decision one who is not erased.
    erased = a_state(order("1", 4), UserErased("7", datetime(2024, 5, 4, 1, tzinfo=UTC)))
    assert due_day(erased, model, RULES, date(2024, 5, 30)) is None
    assert due_day(a_state(order("1", 4)), model, RULES, date(2024, 5, 30)) == date(2024, 5, 31)
