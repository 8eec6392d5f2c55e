from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from tests.support.worlds.trained_shops import a_shop
from trainer.controls.compare_encodings import Comparison, EncodingControl
from trainer.controls.followup import Followup, Outcome
from trainer.controls.traits import traits_of
from trainer.fit import fit
from trainer.release.impact import Impact, Moves, Pair
from trainer.release.pipeline_numbers import release_of
from trainer.report import Report, report_of
from trainer.report.verdict import verdict
from trainer.steps.fit_settings import FitSettings
from trainer.steps.training_rows import select

GOOD = EncodingControl("label", 5, (0.3, 0.2), 0.9, 0.9, 0.2, 0.05, "clearer")
T = datetime(2024, 10, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def report() -> Report:
    settings = FitSettings()
    fitted = fit(select(a_shop(), settings), settings)
    traits = traits_of(fitted.selection.rows, fitted.labels, settings.features)
    return report_of(fitted, release_of(fitted, list("abcde")), {}, traits)


def said(report: Report) -> str:
    """The verdict, on one line."""
    return " ".join(verdict(report).split())


def held(report: Report, used: EncodingControl | None, recommended: EncodingControl | None = None) -> str:
    comparison = Comparison(() if used is None else (used,), used, recommended, 1_000)
    return said(msgspec.structs.replace(report, comparison=comparison))


def test_structure(report: Report) -> None:
    assert "clearer than those of the same data with its columns shuffled" in held(report, GOOD)
    assert "the silhouette lies 0.200 ± 0.050 above" in held(report, GOOD)
    unclear = replace(GOOD, gain=0.001, verdict="no clear difference")
    assert "<b>No clear difference from shuffled data:</b>" in held(report, unclear)
    worse = replace(GOOD, gain=-0.2, verdict="less clear")
    assert "<b>Less clear than shuffled data:</b>" in held(report, worse)
    assert "the silhouette lies 0.200 ± 0.050 below" in held(report, worse)
    assert "not compared with shuffled data" in said(report)


def test_which_k_the_figures_name(report: Report) -> None:
    unclear = "The number of segments is not clear. Elbow: suggests 4."
    assert f"<li>{unclear}</li>" in said(msgspec.structs.replace(report, k_unclear=unclear))
    assert "suggest" not in said(msgspec.structs.replace(report, k_unclear=None))


def test_what_the_segments_depend_on(report: Report) -> None:
    good = held(report, GOOD)
    assert "The space is not stable" not in good
    assert "alphabetical" not in good
    assert "agree only with an adjusted Rand index of 0.39" in held(report, replace(GOOD, bootstrap_ari=0.39))
    spelled = held(report, replace(GOOD, permuted_codes_ari=0.11))
    assert "depend on the alphabetical order of the values" in spelled
    assert "alphabetical" not in held(report, replace(GOOD, permuted_codes_ari=None))


def test_the_recommended_preset_where_it_is_another(report: Report) -> None:
    other = replace(GOOD, encoding="recommended", gain=0.302)
    assert "recommended preset passes these controls (the silhouette lies 0.302 ± 0.050 above" in held(
        report, GOOD, other
    )
    assert "recommended" not in held(report, other, other)


def test_the_future(report: Report) -> None:
    by_chance, telling = Outcome("repeat", 0.01, 0.01, 0.02), Outcome("spend", 0.07, 0.01, 0.02)
    told = Followup(T, T, 100, (), (by_chance, telling))
    assert (
        "The segments explain 7.0% of the variance in spend over the next 90 days. Random segments explain "
        in (said(msgspec.structs.replace(report, followup=told)))
    )
    nothing = replace(told, outcomes=(by_chance,))
    assert "do not predict the next 90 days" in said(msgspec.structs.replace(report, followup=nothing))
    assert "It is not known whether the segments predict" in said(report)


def test_whom_it_would_move(report: Report) -> None:
    impact = Impact("v", {}, Moves(200, (Pair(0, 1, 3),)), None, ())
    assert "Publishing would move 1.5% of 200 users" in said(msgspec.structs.replace(report, impact=impact))
