"""A trigger's report as sentences."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.counted import counted
from segue.triggers.report.holdout_numbers import Difference, HoldoutReport

_NAMES = {"orders": "orders per user", "spend": "spend per user"}


def report_lines(report: HoldoutReport) -> Iterator[str]:
    """Yield the lines of one trigger's report."""
    both = report.comparison
    yield (
        f"{report.trigger}: {counted(both.treated.users, 'user')} got the webhook,"
        f" {both.held_out.users:,} were held out ({100 * report.holdout:g}%); {report.days} days after."
    )
    if report.dead:
        yield (
            f"  No receiver took the last webhook of {counted(report.dead, 'user')}: a dead letter counts as"
            " sent."
        )
    if report.unfinished:
        upto = (
            "the warehouse has no facts" if report.until is None else f"orders up to {report.until:%Y-%m-%d}"
        )
        yield f"  Not counted: {counted(report.unfinished, 'user')} whose days have not passed ({upto})."
    if report.regrouped:
        yield (
            f"  Not counted: {counted(report.regrouped, 'user')} whose group changed with the file's holdout,"
            f" now {100 * report.holdout:g}%."
        )
    if both.not_enough is not None:
        yield f"  Not enough yet: {both.not_enough}."
    for difference in both.differences:
        yield from _lines(difference)


def _lines(difference: Difference) -> Iterator[str]:
    yield (
        f"  {_NAMES[difference.outcome]}: {difference.treated:,.3f} with, {difference.held_out:,.3f} without:"
        f" {difference.difference:+,.3f} (95%: {difference.low:+,.3f} to {difference.high:+,.3f})."
    )
    if difference.is_seen:
        yield (
            f"    The trigger changed it; an effect of {difference.smallest:,.3f} would be seen in 4 of 5"
            " such reports."
        )
    else:
        yield f"    No effect seen; one of {difference.smallest:,.3f} would be seen in 4 of 5 such reports."
