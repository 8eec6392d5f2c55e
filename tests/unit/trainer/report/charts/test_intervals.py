from __future__ import annotations

from xml.etree import ElementTree as ET

from trainer.report.charts.intervals import IntervalRow, interval_chart


def test_a_mark_its_interval_and_the_line_at_zero() -> None:
    chart = ET.fromstring(interval_chart("Gains", [IntervalRow("label", "−0.1 ± 0.3", -0.1, 0.3)]))
    whisker, *ends = [line for line in chart.iter("line") if line.attrib["class"] == "whisker"]
    low, high = float(whisker.attrib["x1"]), float(whisker.attrib["x2"])
    (mark,) = [line for line in chart.iter("line") if line.attrib["class"] == "mark"]
    # From -0.4 to 0.2; 0 lies at two thirds of it, the mark in the middle.
    assert abs(float(mark.attrib["x1"]) - (low + (high - low) * 2 / 3)) < 0.2
    (disc,) = chart.iter("circle")
    assert abs(float(disc.attrib["cx"]) - (low + high) / 2) < 0.2
    assert [float(end.attrib["x1"]) for end in ends] == [low, high]
    assert [text.text for text in chart.iter("text")][-2:] == ["label", "−0.1 ± 0.3"]
