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
