"""A card for each segment: its differences from all users, the middle of its numbers, its most frequent
values.
"""

from collections.abc import Mapping

from markupsafe import Markup
from msgspec import UnsetType

from trainer.report.charts.heat import heat_chart
from trainer.report.charts.html import render
from trainer.report.group_words import group_words
from trainer.report.report_numbers import Report, SegmentReport
from trainer.report.units import currency_of

TRAITS = 8


def side_by_side(report: Report) -> Markup:
    """The HTML of one chart with the differences of all segments, and their names."""
    ids = [segment.id for segment in report.segments]
    return render(
        "side_by_side.html",
        segments=report.segments,
        chart=heat_chart(report.profile, ids),
        comparisons=report.comparisons,
        z_threshold=report.z_threshold,
    )


def recency(report: Report) -> Markup:
    """The HTML of a table of days since a date, for each such feature; empty if there is none."""
    tables = [
        (
            feature.name,
            [(each, each.numbers[feature.name]) for each in report.segments],
            report.numbers[feature.name],
        )
        for feature in report.settings.features
        if feature.kind == "days_since"
    ]
    return render("recency.html", tables=tables, day=report.day) if tables else Markup()


def segment_cards(report: Report) -> Markup:
    """The HTML of the cards, in the segments' order."""
    shown = [
        (segment, [trait for trait in segment.traits if trait.clear][:TRAITS]) for segment in report.segments
    ]
    units = {feature.name: currency_of(report, feature.name) for feature in report.settings.features}
    texts = [feature.name for feature in report.settings.features if not feature.numeric]
    groups = {segment.id: _groups(report, segment, units) for segment in report.segments}
    return render(
        "segments.html", segments=shown, units=units, texts=texts, everybody=report.numbers, groups=groups
    )


def _groups(report: Report, segment: SegmentReport, units: Mapping[str, str]) -> dict[str, str]:
    """Words for the groups in which a segment's medians lie, by feature."""
    groups = {} if isinstance(report.groups, UnsetType) else report.groups
    medians = {name: segment.numbers[name].median for name in groups}
    return {name: group_words(groups[name], median, units[name]) for name, median in medians.items()}
