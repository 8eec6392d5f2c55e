"""Directions, their distances, and who is nearest, derived by hand."""

from math import inf, nan, nextafter, pi

import pytest

from schemas.outputs.segment_change import SimilarUser
from streamer.interfaces.lane_interfaces import Neighbour
from streamer.segment.neighbours import AngleIndex, Neighbourhood, angle, angular_distance, similarity

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("components", "radians"),
    [
        ((2.0, 0.0), 0.0),
        ((0.0, 0.5), pi / 2),
        ((0.0, -3.0), -pi / 2),
        ((-1.0, 0.0), pi),
        ((-1.0, -0.0), pi),
        ((-1.0, -5e-324), pi),
        ((1.0, 1.0), pi / 4),
        ((0.0, 0.0), None),
        ((-0.0, 0.0), None),
        ((nan, 1.0), None),
        ((1.0, inf), None),
    ],
)
def test_angle(components: tuple[float, float], radians: float | None) -> None:
    assert angle(components) == radians


def test_zero_has_one_sign() -> None:
    assert str(angle((1.0, -0.0))) == "0.0"


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [(0.5, 0.5, 0.0), (1.0, -1.0, 2.0), (3.0, -3.0, 2 * pi - 6.0), (pi, 0.0, pi), (pi, -pi / 2, pi / 2)],
)
def test_distance_is_the_shorter_way_round(a: float, b: float, distance: float) -> None:
    assert angular_distance(a, b) == angular_distance(b, a) == distance


def test_similarity() -> None:
    assert similarity(0.3, 0.3) == 1.0
    assert similarity(pi, 0.0) == -1.0
    assert similarity(pi / 2, 0.0) == pytest.approx(0.0, abs=1e-15)


def index_of(*users: tuple[str, float]) -> AngleIndex:
    index = AngleIndex()
    for user_id, radians in users:
        index.put(user_id, radians)
    return index


def ids(found: list[tuple[str, float]]) -> list[str]:
    return [user_id for user_id, _ in found]


def test_nearest_on_both_sides_of_the_cut() -> None:
    index = index_of(("a", 3.0), ("b", -3.0), ("c", 0.0), ("d", 2.5), ("e", -2.0))

    # From 3.1: a 0.1, b 0.18, d 0.6, e 1.18, c 3.1.
    assert index.nearest(3.1, 3) == [("a", 3.0), ("b", -3.0), ("d", 2.5)]
    # From -3.1: b 0.1, a 0.18, d 0.68 (the short way), e 1.1, c 3.1.
    assert ids(index.nearest(-3.1, 5)) == ["b", "a", "d", "e", "c"]


def test_the_members_of_a_tie_come_by_id_on_either_side() -> None:
    # "10" < "9" as text; "é" (two bytes) comes after "z".
    tied = ("9", "10", "é", "z")
    below = index_of(*((user_id, 0.0) for user_id in tied))
    above = index_of(*((user_id, 2.0) for user_id in tied))

    for index in (below, above):
        assert ids(index.nearest(1.0, 3)) == ["10", "9", "z"]


def test_a_tie_across_both_sides_comes_by_id() -> None:
    index = index_of(("b", 1.5), ("a", 0.5), ("c", 1.0))

    assert ids(index.nearest(1.0, 2)) == ["c", "a"]


def test_distances_that_round_alike_are_told_apart() -> None:
    # From 1.0 both are 1.0 away in floating point; "b" is nearer all the same.
    index = index_of(("a", 1e-30), ("b", 2e-30))
    assert ids(index.nearest(1.0, 2)) == ["b", "a"]

    # Users of one angle, with smaller ids, do not hide it.
    index = index_of(("a", -1e-30), ("b", -1e-30), ("y", 1.5), ("z", 2.0))
    assert ids(index.nearest(1.0, 2)) == ["y", "z"]

    # Opposite: pi away by either way round, but for the last digit.
    index = index_of(("a", 0.0), ("b", -1e-30))
    assert ids(index.nearest(pi, 2)) == ["b", "a"]
    assert ids(index.nearest(nextafter(-pi, 0), 2)) == ["b", "a"]


def test_excluded_users_make_room_for_others() -> None:
    index = index_of(*((f"{i:03}", 1.0) for i in range(200)), ("z", 1.5))

    assert ids(index.nearest(1.0, 2, {f"{i:03}" for i in range(150)})) == ["150", "151"]
    assert ids(index.nearest(1.0, 5, {f"{i:03}" for i in range(200)})) == ["z"]


def test_put_moves_a_user_and_none_takes_it_out() -> None:
    index = index_of(("a", 1.0), ("b", 2.0))

    index.put("a", 3.0)
    assert index.nearest(3.0, 9) == [("a", 3.0), ("b", 2.0)]
    index.put("a", None)
    index.remove("nobody")
    assert index.nearest(3.0, 9) == [("b", 2.0)]
    assert len(index) == 1
    index.remove("b")
    assert index.nearest(3.0, 9) == []


def test_the_most_similar_come_with_similarity_and_segment() -> None:
    users = [Neighbour("c", pi, 1), Neighbour("b", 0.0, 1), Neighbour("d", -pi / 2), Neighbour("a", 0.0, 2)]

    everyone = Neighbourhood(users)

    # "a" and "b" are equally far.
    assert everyone.most_similar(0.0, 2) == (SimilarUser("a", 1.0, 2), SimilarUser("b", 1.0, 1))
    assert everyone.most_similar(pi, 2, {"c"}) == (
        SimilarUser("d", similarity(pi, -pi / 2), None),
        SimilarUser("a", -1.0, 2),
    )
    assert everyone.most_similar(0.0, 0) == Neighbourhood([]).most_similar(0.0, 3) == ()


def test_other_than_two_components_have_no_angle() -> None:
    """Until there is an index for them, such a release's changes name no similar users, and go on."""
    assert angle((1.0,)) is None
    assert angle((1.0, 2.0, 3.0)) is None


def test_a_group_of_one_angle_that_a_search_reads_in_part_gives_its_smallest_ids() -> None:
    users = {"a": -1.0, "b": -1.0, "c": -1.0, "d": -1.0, "e": 1.5, "f": 1.5, "g": 1.5}

    assert AngleIndex.of(users).nearest(0.0, 1) == [("a", -1.0)]
    assert AngleIndex.of(users).nearest(0.0, 2) == [("a", -1.0), ("b", -1.0)]
    assert AngleIndex.of(users).nearest(0.0, 1, {"a"}) == [("b", -1.0)]


def test_no_user_is_near_in_an_empty_index_or_if_none_is_wanted() -> None:
    assert AngleIndex().nearest(0.0, 3) == []
    assert index_of(("a", -1.0), ("b", 1.0)).nearest(0.0, 0) == []
