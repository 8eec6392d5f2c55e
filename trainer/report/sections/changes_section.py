"""The comparison with the release in use: which users would move, how the features changed."""

from markupsafe import Markup
from msgspec import UNSET

from schemas.release.stability_index import NOTABLE
from trainer.controls.drift import Bin, FeatureDrift
from trainer.report.charts.html import render
from trainer.report.report_numbers import Report

_PAIRS = 12


def changes(report: Report) -> Markup:
    """The HTML of the cards."""
    drifts = [(each, _most_changed(each)) for each in report.drift.features] if report.drift else []
    return render(
        "changes.html",
        impact=report.impact,
        timed=report.impact is not None and report.impact.by_time is not UNSET,
        drifts=drifts,
        most_pairs=_PAIRS,
        notable=NOTABLE,
    )


def _most_changed(feature: FeatureDrift) -> Bin | None:
    return max(feature.bins, key=lambda each: abs(each.now - each.before), default=None)
