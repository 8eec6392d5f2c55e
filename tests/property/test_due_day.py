"""The due day is never later than the first day with another decision, which a score of each day finds."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from math import dist, log
from typing import Any

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from schemas.features import Feature
from schemas.input_events import Event, Order, Signup
from schemas.outputs.segment_change import FeatureValue
from schemas.release.model_release import EncodedFeature, Encoding, ModelRelease, Segment, Training
from streamer.segment.active_model import ActiveModel
from streamer.segment.day_path import day_path
from streamer.segment.decide_event import placed
from streamer.segment.due_day import MOST_LOOKS, due_day, first_other_day
from streamer.segment.moving_features import Moving
from streamer.segment.scoring import Scorer
from streamer.user.fold_events import fold
from streamer.user.order_rules import Rules
from streamer.user.user_features import features
from streamer.user.user_state import Decided, Position, UserState
from tests.support.inputs.laws import examples

pytestmark = pytest.mark.property

TODAY = date(2024, 2, 29)
HORIZON_DAYS = 2_000
SOURCES = ("last_order", "signup", "user.born", "first_order")

Values = Callable[[date], Mapping[str, FeatureValue]]

numbers = st.floats(-3, 3)
# Many users and centres lie on whole numbers, and so on borders.
places = st.integers(-3, 3).map(float) | numbers
border_days = st.integers(0, 900).map(float) | st.floats(0, 900)
borders = st.lists(border_days, min_size=1, max_size=4, unique=True).map(lambda days: tuple(sorted(days)))


class User(Struct, frozen=True):
    """What the features of a user are made of.

    Attributes:
        since: by feature of time, the days (from today on) of the dates that it counts from, ascending.
        lost_on: the days on which a window loses one of its orders.
        held: how many orders the window holds today.
        age: a feature that no day changes.
    """

    since: tuple[tuple[int, ...], ...]
    lost_on: tuple[int, ...]
    held: int
    age: float | None

    def values_at(self, at: date) -> Mapping[str, FeatureValue]:
        day = (at - TODAY).days
        values: dict[str, FeatureValue] = {}
        for number, dates in enumerate(self.since):
            past = [then for then in dates if then <= day]
            values[f"days_{number}"] = day - past[-1] if past else None
        lost = sum(lost_on <= day for lost_on in self.lost_on)
        return {**values, "orders": (self.held - lost) or None, "age": self.age}

    @property
    def breaks(self) -> list[date]:
        days = {*self.lost_on, *(then for dates in self.since for then in dates if then > 0)}
        return [TODAY + timedelta(day) for day in sorted(days)]


@st.composite
def users(draw: st.DrawFn, moving: int) -> User:
    past, ahead = st.integers(-1_500, 0), st.lists(st.integers(1, 900), max_size=2).map(sorted)
    since = tuple(
        (*draw(st.lists(past, min_size=int(draw(st.integers(0, 9)) > 0), max_size=1)), *draw(ahead))
        for _ in range(moving)
    )
    held = draw(st.integers(1, 6))
    lost_on = sorted(draw(st.lists(st.integers(1, 90), max_size=held)))
    return User(since, tuple(lost_on), held, draw(st.none() | st.integers(15, 80)))


@st.composite
def models(draw: st.DrawFn, encodings: tuple[Encoding, ...]) -> ActiveModel:
    d = draw(st.integers(1, 4))
    moving = [
        EncodedFeature(f"days_{number}", encoding, quantile=5, borders=draw(borders))
        if encoding == "quantile"
        else EncodedFeature(f"days_{number}", encoding)
        for number, encoding in enumerate(encodings)
    ]
    mean = {"number": 200.0, "log": 4.5, "quantile": 2.0}
    scale = {"number": draw(st.sampled_from((20.0, 200.0))), "log": 1.25, "quantile": 1.0}
    columns = len(encodings) + 2
    axis = st.tuples(*[places.map(lambda x: x / 4)] * columns)
    centres = draw(st.lists(st.tuples(*[places] * d), min_size=2, max_size=6))
    release = ModelRelease(
        version="v",
        space="s",
        features=(*moving, EncodedFeature("orders", "number"), EncodedFeature("age", "number")),
        mean=(*(mean[encoding] for encoding in encodings), 3.0, 40.0),
        scale=(*(scale[encoding] for encoding in encodings), 2.0, 20.0),
        projection_mean=(0.0,) * columns,
        projection=draw(st.tuples(*[axis] * d)),
        # Ids are not indices: 0, 10, 20…
        segments=tuple(Segment(10 * i, f"s{i}", centre, 1) for i, centre in enumerate(centres)),
        next_segment=10 * len(centres),
        training=Training(None, 1, 1, ""),
        declared=tuple(
            Feature(feature.name, "days_since", source)
            for feature, source in zip(moving, SOURCES, strict=False)
        ),
    )
    return ActiveModel(release, Scorer(release), 1, "t", datetime(2024, 1, 1, tzinfo=UTC))


encodings = st.lists(st.sampled_from(("number", "log", "quantile")), min_size=1, max_size=3).map(tuple)
margins = st.just(0.0) | st.sampled_from((0.01, 0.1, 0.5, 1.0)) | st.floats(0, 1)


def first_other(
    model: ActiveModel, values_at: Values, segment: int, min_margin: float, horizon_days: int = HORIZON_DAYS
) -> date | None:
    """The first day with another decision, within the horizon, by a score of each day."""

    def decision(at: date) -> tuple[int, tuple[str, ...]]:
        score = model.scorer.score(values_at(at), segment, min_margin)
        return score.segment, score.missing

    today = decision(TODAY)
    days = (TODAY + timedelta(day) for day in range(1, horizon_days + 1))
    return next((at for at in days if decision(at) != today), None)


@examples(75)
@given(data=st.data(), encodings=encodings, min_margin=margins, has_position=st.booleans())
def test_no_decision_changes_before_the_due_day(
    data: st.DataObject, encodings: tuple[Encoding, ...], min_margin: float, has_position: bool
) -> None:
    model = data.draw(models(encodings))
    user = data.draw(users(len(encodings)))
    score = model.scorer.score(user.values_at(TODAY))
    decided = Decided(score.segment, "", score.provisional, 1, "v", 1, "t")
    looked = []

    def values_at(at: date) -> Mapping[str, FeatureValue]:
        looked.append(at)
        return user.values_at(at)

    position = Position("s", score.components, score.missing) if has_position else None
    due = first_other_day(values_at, user.breaks, decided, model, min_margin, TODAY, position)

    first = first_other(model, user.values_at, decided.segment, min_margin)
    assert due is None or due > TODAY
    assert len(looked) <= MOST_LOOKS
    ended_early = len(looked) == MOST_LOOKS
    event(f"another decision: {first is not None}, ended early: {ended_early}")
    if ended_early:
        assert first is None or (due is not None and due <= first)
    elif first is None:
        assert due is None or due > TODAY + timedelta(HORIZON_DAYS)
    else:
        assert due == first


offsets = st.integers(-400, 0) | st.integers(-400, 30)


def _made(day: int) -> datetime:
    return datetime(TODAY.year, TODAY.month, TODAY.day, 22, 30, tzinfo=UTC) + timedelta(day)


@examples(40)
@given(
    data=st.data(),
    encodings=st.lists(st.sampled_from(("number", "log", "quantile")), min_size=4, max_size=4).map(tuple),
    orders=st.lists(offsets, max_size=6),
    signups=st.lists(offsets, max_size=2),
    born=st.none() | offsets,
    min_margin=margins,
    zone=st.sampled_from(("UTC", "Europe/Berlin", "Asia/Kolkata")),
    window=st.none() | st.sampled_from((1, 30, 365)),
)
def test_no_decision_changes_before_the_due_day_of_a_state(
    data: st.DataObject,
    encodings: tuple[Encoding, ...],
    orders: list[int],
    signups: list[int],
    born: int | None,
    min_margin: float,
    zone: str,
    window: int | None,
) -> None:
    model = data.draw(models(encodings))
    release = model.release
    own: dict[str, Any] = {} if born is None else {"user.born": (TODAY + timedelta(born)).isoformat()}
    rules = Rules(
        features=(
            *release.declared,
            Feature("orders", "count", "order_id"),
            Feature("age", "attribute", "age"),
        ),
        min_margin=min_margin,
        time_zone=zone,
    )
    state = UserState("7")
    events: list[Event] = [Order("7", str(n), _made(day), ()) for n, day in enumerate(orders)]
    events += [Signup("7", _made(day), age=30, own=own) for day in signups]
    for one in events:
        state = fold(state, one, rules)
    values_at = partial(features, state, rules)
    score = model.scorer.score(values_at(TODAY))
    decided = Decided(score.segment, "", score.provisional, 1, "v", 1, "t")

    state, _ = placed(replace(state, decided=decided), model, rules, TODAY)

    due = due_day(state, model, rules, TODAY)

    first = first_other(model, values_at, score.segment, min_margin, 700) if events else None
    assert first is None or (due is not None and TODAY < due <= first)


@given(
    parts=st.lists(
        st.tuples(st.sampled_from(("number", "log")), st.integers(0, 3_000), st.tuples(numbers, numbers)),
        min_size=1,
        max_size=4,
    ),
    first=st.integers(0, 3_000),
    days=st.integers(1, 100_000),
    share=st.floats(0, 1),
)
def test_a_path_is_near_its_chord(
    parts: list[tuple[Encoding, int, tuple[float, float]]], first: int, days: int, share: float
) -> None:
    moving = tuple(Moving(EncodedFeature(f"{n}", part[0]), 0.0, part[2]) for n, part in enumerate(parts))
    path = day_path((1.0, -1.0), moving, {f"{n}": part[1] for n, part in enumerate(parts)})
    last, day = first + days, first + round(share * days)
    logs = [value for encoding, value, _ in parts if encoding == "log"]
    passed = (day - first) / days
    if logs:
        since = 1 + min(logs)
        passed = log((since + day) / (since + first)) / log((since + last) / (since + first))
    assume(0 < passed < 1)

    there = [a + passed * (b - a) for a, b in zip(path.at(first), path.at(last), strict=True)]

    assert dist(path.at(day), there) <= path.deviation(first, last) + 1e-9 * (1 + path.magnitude(last))
    assert path.day_at(first, last, passed) == day
    if path.straight:
        assert path.deviation(first, last) == 0.0
