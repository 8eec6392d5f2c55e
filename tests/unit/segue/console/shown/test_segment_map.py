from __future__ import annotations

from segue.console.shown.segment_map import HEIGHT, WIDTH, segment_map
from tests.support.worlds.made_up_release import a_release


def test_both_axes_have_one_scale_and_up_is_more() -> None:
    """The centres lie 1.5 to the right, above, to the left and below; the user lies on the third."""
    found = segment_map(a_release(), (-1.5, 0.0))
    assert found is not None
    right, top, left, bottom = found.dots
    assert (found.x, found.y) == (left.x, left.y)
    assert (right.x + left.x, top.y + bottom.y) == (WIDTH, HEIGHT)
    assert right.x - left.x == bottom.y - top.y
    assert top.y < left.y
    # 3 units fit into 300 less twice the margin of 44.
    assert bottom.y - top.y == 212


def test_a_release_with_one_place_for_all_can_be_drawn() -> None:
    found = segment_map(a_release(centres=((2.0, 2.0),)), (2.0, 2.0))
    assert found is not None
    assert (found.x, found.y) == (WIDTH / 2, HEIGHT / 2)


def test_three_components_are_not_drawn() -> None:
    assert segment_map(a_release(), (0.0, 0.0, 0.0)) is None


def test_the_training_users_lie_beside_their_centre_and_all_lies_within_the_picture() -> None:
    release = a_release()
    members = [[(3.0, 0.0)], [], [(-1.5, 0.5), (-1.5, -3.0)], []]
    found = segment_map(release, (0.0, 0.0), members)
    assert found is not None
    assert [dot.users.count("M") for dot in found.dots] == [1, 0, 2, 0]
    for dot in found.dots:
        for place in dot.users.removesuffix("h0").removeprefix("M").split("h0M"):
            x, y = map(float, place.split()) if place else (dot.x, dot.y)
            assert 18 <= x <= WIDTH - 18
            assert 18 <= y <= HEIGHT - 18
    right, _, left, _ = found.dots
    # The user at (-1.5, 0.5) is above the centre of its segment, the one at (3, 0) twice as far right as its.
    assert left.users.startswith(f"M{left.x} ")
    assert float(right.users[1:].split()[0]) - WIDTH / 2 > right.x - WIDTH / 2


def test_users_of_a_release_with_another_number_of_segments_are_not_drawn() -> None:
    found = segment_map(a_release(), (0.0, 0.0), [[(9.0, 9.0)]])
    assert found == segment_map(a_release(), (0.0, 0.0))
