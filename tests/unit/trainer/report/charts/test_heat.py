from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree as ET

from trainer.controls.traits import ProfileRow
from trainer.report.charts.heat import heat_chart


def drawn(rows: list[ProfileRow], ids: list[int]) -> tuple[list[str], list[tuple[str, str]]]:
    """The texts, and each cell's colour with how deep it is."""
    svg = ET.fromstring(heat_chart(rows, ids))
    cells = [(cell.attrib["fill"], cell.attrib["fill-opacity"]) for cell in svg.iter("rect")]
    return [each.text or "" for each in svg.iter("text")], cells


def test_more_and_less_have_colours_and_figures() -> None:
    texts, cells = drawn([ProfileRow("total_orders", None, (0.5, -2.0))], [3, 7])
    assert texts == ["3", "7", "total orders", "+0.50", "−2.00"]
    # Half of the deepest, which is 0.6, and the deepest.
    assert cells == [("#0072B2", "0.300"), ("#D55E00", "0.600")]


def test_a_value_has_its_feature_where_both_fit() -> None:
    texts, _ = drawn(
        [ProfileRow("gender", "F", (1.0,)), ProfileRow("most_frequent_category", "S" * 40, (1.0,))], [0]
    )
    assert texts[1] == "gender: F"
    assert texts[3].startswith("SSSS")
    assert texts[3].endswith("…")


def test_ids_of_very_many_segments_lie_apart() -> None:
    svg = ET.fromstring(heat_chart([ProfileRow("age", None, (0.1,) * 60)], list(range(60))))
    ids = [each for each in svg.iter("text") if each.attrib.get("class") == "id"]
    places = [float(each.attrib["x"]) for each in ids]
    # A column takes 272 / 60 = 4.5 pixels, two digits of 7.4 pixels 14.8: one id in five is named.
    assert [each.text for each in ids] == [str(id_) for id_ in range(0, 60, 5)]
    assert min(b - a for a, b in pairwise(places)) > 14.8
    assert max(places) + 7.4 < 440


def test_many_segments_have_no_room_for_figures() -> None:
    texts, cells = drawn([ProfileRow("age", None, (0.1,) * 12)], list(range(12)))
    assert len(texts) == 13
    assert len(cells) == 12
