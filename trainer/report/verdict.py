"""The summary of the report, in a few sentences."""

from markupsafe import Markup

from trainer.controls.compare_encodings import STABLE_ARI
from trainer.controls.followup import DAYS, Followup, Outcome
from trainer.report.charts.html import render
from trainer.report.report_numbers import Report

_STABLE, UNSTABLE = 0.9, 0.6
_OUTCOMES = {"repeat": "repeat orders", "orders": "the number of orders", "spend": "spend"}


def verdict(report: Report) -> Markup:
    """The HTML of the list of sentences."""
    control, better = report.comparison.used, report.comparison.recommended
    return render(
        "verdict.html",
        report=report,
        control=control,
        offered=None if better and control and better.encoding == control.encoding else better,
        stability=report.metrics["stability"],
        stable=_STABLE,
        unstable=UNSTABLE,
        stable_ari=STABLE_ARI,
        outcome=clearest(report.followup),
        outcomes=_OUTCOMES,
        days=DAYS,
    )


def clearest(followup: Followup | None) -> Outcome | None:
    """The outcome that the segments explain best; None if they explain no outcome better than chance."""
    clear = [each for each in followup.outcomes if not each.by_chance] if followup else []
    return max(clear, key=lambda each: each.eta_squared, default=None)
