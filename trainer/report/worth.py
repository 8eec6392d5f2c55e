"""What the segments are worth: what their users did next, and whether similar users are alike."""

from collections.abc import Callable

from trainer.followup import DAYS, LEAST_USERS, SHUFFLES, Followup, Outcome, SegmentFollowup
from trainer.report.bars import Bar, bar_chart
from trainer.report.dots import DotRow, dot_chart, legend
from trainer.report.html import card, number, soft, table
from trainer.report.numbers import Report
from trainer.report.svg import colour

_OUTCOMES = {"repeat": "orders again (yes or no)", "orders": "number of orders", "spend": "spend"}


def worth(report: Report) -> str:
    """The cards."""
    return "\n".join([*_followup(report), _affinity(report)])


def _followup(report: Report) -> list[str]:
    found = report.followup
    if found is None:
        return [
            card(
                f"The {DAYS} days after",
                soft(
                    f"Cannot be told: {DAYS} days before the last fact, fewer than {LEAST_USERS} users had all "
                    "features."
                ),
            )
        ]
    when = (
        f"{found.users:,} users, put into segments by what was known at {found.since:%Y-%m-%d}, and their orders "
        f"from then to {found.until:%Y-%m-%d}"
    )
    cards = [
        card(
            f"Who orders again within {DAYS} days",
            _bars(report, found, "Repeat rate of each segment", _repeat),
            soft(f"{when}. The whiskers are 95% intervals, the line is everybody."),
        )
    ]
    if all(each.spend is not None for each in found.segments):
        cards.append(
            card(
                f"Spend per user in these {DAYS} days",
                _bars(report, found, "Spend per user of each segment", _spend),
                soft("In the warehouse's currency; the whiskers are 95% intervals, the line is everybody."),
            )
        )
    return [*cards, card("What segments say about the future", _eta(found))]


Measure = Callable[[SegmentFollowup], tuple[float, str, float | None]]


def _repeat(each: SegmentFollowup) -> tuple[float, str, float | None]:
    margin = 1.96 * (each.repeat_rate * (1 - each.repeat_rate) / each.users) ** 0.5
    return each.repeat_rate, f"{each.repeat_rate:.1%} of {each.users:,}", margin


def _spend(each: SegmentFollowup) -> tuple[float, str, float | None]:
    return each.spend or 0.0, number(each.spend or 0.0, ",.2f"), each.spend_margin


def _bars(report: Report, found: Followup, name: str, measure: Measure) -> str:
    places = {segment.id: place for place, segment in enumerate(report.segments)}
    rows = []
    for each in found.segments:
        amount, figure, margin = measure(each)
        place = places[each.segment]
        label = f"{each.segment}  {report.segments[place].name}"
        rows.append(Bar(label, max(amount, 0.0), figure, colour(place), margin))
    everybody = sum(measure(each)[0] * each.users for each in found.segments) / found.users
    return bar_chart(name, rows, mark=max(everybody, 0.0))


def _eta(found: Followup) -> str:
    head = ("what users do", "η² of the segments", "shuffled, mean", "shuffled, largest")
    said = "</p><p>".join(_said(each) for each in found.outcomes)
    if all(each.by_chance for each in found.outcomes):
        said = "<b>The segments say no more about any of these than segments dealt out at random.</b>"
    return (
        table(head, map(_told, found.outcomes), numbers=3)
        + soft(
            "η² is the share of the variance between users that lies between segments: 0 when the segments have equal "
            f"means. Beside it stand {SHUFFLES} shuffles of the segments among the users."
        )
        + f"<p>{said}</p>"
    )


def _told(each: Outcome) -> tuple[str, ...]:
    return (
        _OUTCOMES[each.outcome],
        f"{each.eta_squared:.2%}",
        f"{each.shuffled:.2%}",
        f"{each.shuffled_most:.2%}",
    )


def _said(each: Outcome) -> str:
    what = _OUTCOMES[each.outcome].capitalize()
    if each.by_chance:
        return f"<b>{what}: the segments say no more than chance.</b>"
    return f"{what}: the segments say something, {each.eta_squared:.1%} of the variance."


def _affinity(report: Report) -> str:
    found = report.affinity
    if found is None:
        return card("Are similar users alike?", soft("Too few users to tell."))
    rows = [
        DotRow(
            f"same {each.feature.replace('_', ' ')}",
            f"{number(100 * each.difference, '+.1f')} ± {100 * each.margin:.1f} points",
            (each.similar, each.segment, each.everybody),
        )
        for each in found.features
    ]
    return card(
        "Are similar users alike?",
        dot_chart("Users with the same value", rows, percent=True),
        legend(["similar users", "random users of the same segment", "random users"]),
        soft(
            f"How often {found.users:,} users, drawn with a fixed seed, have the same value as {found.similar} others "
            "of each sort. To the right: similar users against random ones of the same segment, with a 95% interval."
        ),
    )
