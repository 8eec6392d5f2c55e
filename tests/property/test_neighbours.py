"""The index gives what a scan of every user gives: the same users, in the same order."""

from fractions import Fraction
from math import cos, pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity

from streamer.interfaces.lane_interfaces import Neighbour
from streamer.segment.neighbours import (
    FULL_TURN,
    AngleIndex,
    Neighbourhood,
    angle,
    angular_distance,
    similarity,
)
from tests.support.inputs.laws import examples
from tests.support.strategies.angles import angles, placed_users, user_ids

pytestmark = pytest.mark.property

# Few values, so that users share directions, oppose each other and lie at the origin.
coordinates = st.sampled_from((-2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, 3.0)) | st.floats(
    -1e3, 1e3
).filter(lambda x: abs(x) > 1e-3)
components = st.tuples(coordinates, coordinates)


def exact_distance(a: float, b: float) -> Fraction:
    apart = abs(Fraction(a) - Fraction(b))
    return min(apart, Fraction(FULL_TURN) - apart)


def scan(users: dict[str, float], towards: float, n: int, exclude: set[str]) -> list[tuple[str, float]]:
    left = [user for user in users.items() if user[0] not in exclude]
    return sorted(left, key=lambda user: (exact_distance(towards, user[1]), user[0].encode()))[:n]


def index_of(users: dict[str, float]) -> AngleIndex:
    index = AngleIndex()
    for user_id, radians in users.items():
        index.put(user_id, radians)
    return index


@examples(150)
@given(users=placed_users, towards=angles, n=st.integers(1, 8), exclude=st.sets(user_ids, max_size=6))
def test_nearest_equals_a_scan(users: dict[str, float], towards: float, n: int, exclude: set[str]) -> None:
    assert index_of(users).nearest(towards, n, exclude) == scan(users, towards, n, exclude)


@examples(75)
@given(
    stored=placed_users,
    moved=placed_users,
    towards=st.lists(angles, min_size=1, max_size=4),
    n=st.integers(1, 8),
)
def test_candidates_of_all_searches_give_what_a_scan_gives(
    stored: dict[str, float], moved: dict[str, float], towards: list[float], n: int
) -> None:
    """As in a batch: the store gives candidates without the batch's users, and these come from memory."""
    candidates = dict(moved)
    for at in towards:
        candidates |= dict(index_of(stored).nearest(at, n, moved))
    everyone = Neighbourhood(Neighbour(user_id, at) for user_id, at in candidates.items())

    for at in towards:
        assert [(user.user_id, user.similarity) for user in everyone.most_similar(at, n)] == [
            (user_id, cos(float(exact_distance(at, theirs))))
            for user_id, theirs in scan({**stored, **moved}, at, n, set())
        ]


@examples(75)
@given(
    history=st.lists(st.tuples(user_ids, st.none() | angles), max_size=40),
    towards=angles,
    n=st.integers(1, 8),
)
def test_only_the_last_angle_of_a_user_counts(
    history: list[tuple[str, float | None]], towards: float, n: int
) -> None:
    index = AngleIndex()
    for user_id, radians in history:
        index.put(user_id, radians)
    last = {user_id: radians for user_id, radians in dict(history).items() if radians is not None}

    assert len(index) == len(last)
    assert index.nearest(towards, n) == scan(last, towards, n, set())


@examples(75)
@given(me=components, others=st.lists(components, min_size=1, max_size=30), n=st.integers(1, 8))
def test_similarities_equal_a_full_cosine_scan(
    me: tuple[float, float], others: list[tuple[float, float]], n: int
) -> None:
    towards = angle(me)
    index = AngleIndex()
    for i, other in enumerate(others):
        index.put(str(i), angle(other))
    placed = [other for other in others if angle(other) is not None]
    assert len(index) == len(placed)
    if towards is None or not placed:
        return
    found = [similarity(towards, at) for _, at in index.nearest(towards, n)]

    expected = sorted(cosine_similarity(np.array([me]), np.array(placed))[0], reverse=True)[:n]
    assert found == pytest.approx(expected, rel=0, abs=1e-12)


@given(a=angles, b=angles)
def test_distance_is_the_exact_one_rounded_and_symmetric(a: float, b: float) -> None:
    assert angular_distance(a, b) == angular_distance(b, a) == float(exact_distance(a, b))
    assert 0.0 <= angular_distance(a, b) <= pi
