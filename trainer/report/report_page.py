"""The content of ``report.html``: one file that opens without a network."""

from typing import Any

from msgspec import UNSET, convert, to_builtins

from schemas.days import bound_text, zone_of
from schemas.printable import printable_cell
from trainer.controls.evaluate import Labels
from trainer.report.charts.html import render
from trainer.report.report_numbers import Report
from trainer.report.sections.changes_section import changes
from trainer.report.sections.choice_section import choice
from trainer.report.sections.data_section import data
from trainer.report.sections.meeting_section import meeting
from trainer.report.sections.overview_section import clusters, figures
from trainer.report.sections.segments_section import recency, segment_cards, side_by_side
from trainer.report.sections.space_section import space
from trainer.report.sections.worth_section import worth
from trainer.report.verdict import verdict
from trainer.steps.encode import Matrix


def page(report: Report, components: Matrix, labels: Labels) -> bytes:
    """The HTML page, as UTF-8.

    Args:
        report: the numbers.
        components: the components of the training users, shape (rows, components).
        labels: the index in ``report.segments`` for each row, shape (rows,).
    """
    report = convert(_printable(to_builtins(report)), Report)
    html = render(
        "page.html",
        report=report,
        trained_on=_trained_on(report),
        meeting=meeting(report),
        figures=figures(report),
        verdict=verdict(report),
        clusters=clusters(report, components, labels),
        side_by_side=side_by_side(report),
        recency=recency(report),
        segments=segment_cards(report),
        worth=worth(report),
        choice=choice(report),
        space=space(report),
        changes=changes(report),
        data=data(report),
    )
    return html.encode("utf-8", "replace")


def _printable(part: Any) -> Any:
    """A copy with control characters escaped in every text: the shop's values may contain any character."""
    if isinstance(part, str):
        return printable_cell(part)
    if isinstance(part, dict):
        return {_printable(name): _printable(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [_printable(each) for each in part]
    return part


def _trained_on(report: Report) -> str:
    zone = zone_of(report.settings.time_zone)
    until = "all facts" if report.as_of is None else f"facts before {bound_text(report.as_of, zone)}"
    bounds = (("from", report.start), ("before", report.end))
    window = " and ".join(f"{word} {bound_text(at, zone)}" for word, at in bounds if at is not None)
    trained = f"{until}, users with an order {window}" if window else until
    return trained if report.day is UNSET else f"{trained}, as of {report.day}"
