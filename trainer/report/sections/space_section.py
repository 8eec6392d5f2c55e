"""The section on the space: the features in each component, and the encodings compared."""

from collections.abc import Sequence

from markupsafe import Markup

from trainer.controls.compare_encodings import HALVES, EncodingControl
from trainer.controls.loadings import Loading
from trainer.report.charts.bars import Bar, bar_chart
from trainer.report.charts.html import number, render, words
from trainer.report.charts.intervals import IntervalRow, interval_chart
from trainer.report.charts.svg import COLOURS
from trainer.report.report_numbers import Report

_COMPONENTS = 6  # the first components keep the most variance


def space(report: Report) -> Markup:
    """The HTML of a card for each of the first components, and of one for the encodings."""
    shown = list(zip(report.loadings, report.explained_variance, strict=True))[:_COMPONENTS]
    return render(
        "space.html",
        components=[_component(place, parts, share) for place, (parts, share) in enumerate(shown, start=1)],
        comparison=report.comparison,
        chart=_gains(report.comparison.encodings) if report.comparison.encodings else None,
        halves=HALVES,
    )


def _component(place: int, parts: tuple[Loading, ...], explained: float) -> dict[str, object]:
    ordered = sorted(parts, key=lambda part: -part.share)
    rows = [Bar(words(part.feature), part.share, _figure(part), COLOURS[0], None) for part in ordered]
    chart = bar_chart(f"The features in component {place}", rows, full=1.0)
    return {"explained": explained, "chart": chart, "parts": ordered}


def _figure(part: Loading) -> str:
    weight = "" if part.weight is None else f"weight {number(part.weight, '+.2f')}   "
    return f"{weight}{part.share:.0%}"


def _gains(controls: Sequence[EncodingControl]) -> Markup:
    return interval_chart(
        "How far each encoding's silhouette lies above that of its shuffled data",
        [
            IntervalRow(
                control.encoding,
                f"{number(control.gain, '+.3f')} ± {number(control.margin)}",
                control.gain,
                control.margin,
            )
            for control in controls
        ],
    )
