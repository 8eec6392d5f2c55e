from __future__ import annotations

from xml.etree import ElementTree as ET

from trainer.report.charts.bars import Bar, bar_chart


def widths(svg: str, fill: str) -> list[float]:
    return [
        float(bar.attrib["width"])
        for bar in ET.fromstring(svg).iter("rect")
        if bar.attrib.get("fill") == fill
    ]


def test_bars_are_as_long_as_their_values() -> None:
    rows = [Bar("a", 50.0, "50", "red"), Bar("b", 100.0, "100", "red"), Bar("c", 0.0, "0", "red")]
    assert widths(bar_chart("x", rows), "red") == [220.0, 440.0, 0.0]
    assert widths(bar_chart("x", rows, full=200.0), "red") == [110.0, 220.0, 0.0]


def test_whiskers_and_the_line_have_room() -> None:
    svg = ET.fromstring(bar_chart("x", [Bar("a", 60.0, "60", "red", 20.0)], mark=40.0))
    lines = {each.attrib["class"]: each.attrib for each in svg.iter("line")}
    # The whisker ends at 80, which is the full width of 440: 60 lies at 330, 40 at 220.
    assert [bar.attrib["width"] for bar in svg.iter("rect") if "fill" in bar.attrib] == ["330.0"]
    assert lines["mark"]["x1"] == "220.0"
    assert next(each.attrib for each in svg.iter("line") if each.attrib["x1"] != each.attrib["x2"]) == {
        "class": "whisker",
        "x1": "220.0",
        "x2": "440.0",
        "y1": "27.5",
        "y2": "27.5",
    }


def test_nothing_at_all() -> None:
    assert widths(bar_chart("x", [Bar("a", 0.0, "0", "red")]), "red") == [0.0]
