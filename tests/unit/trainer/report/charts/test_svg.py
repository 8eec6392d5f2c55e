from __future__ import annotations

import pytest

from trainer.report.charts.svg import COLOURS, Scale, picture, short, text, ticks


def test_a_scale_is_a_straight_line() -> None:
    upward = Scale(0, 10, 100, 0)
    assert [upward(0), upward(5), upward(10)] == [100, 50, 0]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-3.1, 7.9, [-2, 0, 2, 4, 6]),
        (0, 0.0031, [0, 0.0005, 0.001, 0.0015, 0.002, 0.0025, 0.003]),
        (1_000_000, 1_000_004, [1_000_000, 1_000_001, 1_000_002, 1_000_003, 1_000_004]),
    ],
)
def test_ticks_are_round_and_inside(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0"), (999, "999"), (1_000, "1k"), (-2_500, "−2.5k"), (3e9, "3G"), (0.0005, "0.0005")],
)
def test_short_numbers(number: float, words: str) -> None:
    assert short(number) == words


def test_text_is_escaped() -> None:
    svg = picture('"one" & <two>', [text(1, 2, "<b> & co")], 10, 20)
    assert svg == (
        '<svg viewBox="0 0 10 20" role="img" aria-label="&quot;one&quot; &amp; &lt;two&gt;">'
        '<text x="1.0" y="2.0" text-anchor="start">&lt;b&gt; &amp; co</text></svg>'
    )


def test_colours_are_told_apart() -> None:
    assert len(set(COLOURS)) == len(COLOURS) == 7
