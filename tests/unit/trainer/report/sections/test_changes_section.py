from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from trainer.controls.drift import Bin, Drift, FeatureDrift
from trainer.release.impact import Impact, Metric, Moves, Pair
from trainer.report.sections.changes_section import changes


def told(impact: Impact | None = None, drift: Drift | None = None) -> str:
    report: Any = SimpleNamespace(impact=impact, drift=drift)
    return changes(report)


def test_a_first_release_says_so() -> None:
    assert "there is nothing to compare it with" in told()


def test_pairs_and_what_cannot_be_told() -> None:
    impact = Impact(
        "v1", {0: "A & B"}, Moves(50, (Pair(0, 7, 4), Pair(7, 0, 1))), None, (Metric("sse", None, 1234.0),)
    )
    html = told(impact)
    assert "<b>10.0%</b> of 50 users" in html
    assert '0 · <bdi>A &amp; B</bdi> → 7 · <bdi>unknown</bdi></th><td class="number">4</td>' in html
    assert "Not known: the features or the users of the release in use are not available." in html
    assert '<td class="number">–</td><td class="number">1,234</td>' in html


def test_many_pairs_are_summed_up() -> None:
    pairs = tuple(Pair(0, place, 20 - place) for place in range(1, 16))
    html = told(Impact("v1", {}, Moves(1_000, pairs), Moves(1_000, ()), ()))
    # Three beyond the first twelve: 7, 6 and 5 users.
    assert '3 other pairs</th><td class="number">18</td>' in html
    assert "<b>0.0%</b> of 1,000 users" in html


def test_drift() -> None:
    features = (
        FeatureDrift("age", 0.3, 0.02, 0.1, drifted=True, bins=(Bin("a<b", 0.4, 0.1), Bin("c", 0.6, 0.9001))),
        FeatureDrift("total_orders", 0.01, 0.02, 0.1, drifted=False, bins=()),
    )
    html = told(drift=Drift("v1", features))
    assert html.count("<b>drifted</b>") == 1
    assert "<small>largest change: <bdi>c</bdi>, 60.0% → 90.0%</small>" in html
    assert 'total orders</th><td class="number">0.010</td><td class="number">0.020</td>' in html
