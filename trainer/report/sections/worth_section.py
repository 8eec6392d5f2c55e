"""The section on the segments' value: later orders of their users, and whether similar users are alike."""

from collections.abc import Callable
from functools import partial

from markupsafe import Markup

from trainer.controls.affinity import Affinity
from trainer.controls.followup import DAYS, LEAST_USERS, SHUFFLES, Followup, SegmentFollowup
from trainer.report.advice import repeat_margin
from trainer.report.charts.bars import Bar, bar_chart
from trainer.report.charts.dots import DotRow, dot_chart, legend
from trainer.report.charts.html import money, number, render, words
from trainer.report.charts.svg import colour
from trainer.report.report_numbers import Report

_OUTCOMES = {"repeat": "orders again (yes or no)", "orders": "number of orders", "spend": "spend"}


def worth(report: Report) -> Markup:
    """The HTML of the cards."""
    followup, affinity = report.followup, report.affinity
    spend = followup is not None and all(each.spend is not None for each in followup.segments)
    return render(
        "worth.html",
        followup=followup,
        repeat_chart=followup and _bars(report, followup, "Repeat rate of each segment", _repeat),
        spend_chart=_bars(
            report, followup, "Spend per user of each segment", partial(_spend, report.shop.currency)
        )
        if followup and spend
        else None,
        outcomes=_OUTCOMES,
        days=DAYS,
        currency=report.shop.currency,
        least_users=LEAST_USERS,
        shuffles=SHUFFLES,
        affinity=affinity,
        affinity_chart=affinity and _alike(affinity),
        legend=legend(["similar users", "random users of the same segment", "random users"]),
    )


Measure = Callable[[SegmentFollowup], tuple[float, str, float | None]]


def _repeat(each: SegmentFollowup) -> tuple[float, str, float | None]:
    return each.repeat_rate, f"{each.repeat_rate:.1%} of {each.users:,}", repeat_margin(each)


def _spend(currency: str, each: SegmentFollowup) -> tuple[float, str, float | None]:
    return each.spend or 0.0, money(each.spend or 0.0, currency), each.spend_margin


def _bars(report: Report, found: Followup, name: str, measure: Measure) -> Markup:
    places = {segment.id: place for place, segment in enumerate(report.segments)}
    rows = []
    for each in found.segments:
        amount, figure, margin = measure(each)
        place = places[each.segment]
        label = f"{each.segment}  {report.segments[place].name}"
        rows.append(Bar(label, max(amount, 0.0), figure, colour(place), margin))
    everybody = sum(measure(each)[0] * each.users for each in found.segments) / found.users
    return bar_chart(name, rows, mark=max(everybody, 0.0))


def _alike(affinity: Affinity) -> Markup:
    rows = [
        DotRow(
            f"same {words(each.feature)}",
            f"{number(100 * each.difference, '+.1f')} ± {100 * each.margin:.1f} points",
            (each.similar, each.segment, each.everybody),
        )
        for each in affinity.features
    ]
    return dot_chart("Users with the same value", rows, percent=True)
