"""How a feature over a window of days is read from a user's totals by day."""

from collections.abc import Iterator
from datetime import date

from schemas.inputs.amounts import amount
from streamer.user.order_values import most_frequent
from streamer.user.user_state import DayTotals, Facts, Sum, Tally

Day = date | None


def count_in(days: int, _: str, facts: Facts, day: Day) -> int | None:
    """The number of orders."""
    return sum(totals.orders for totals in _within(facts, days, day)) or None


def sum_in(days: int, source: str, _: str, facts: Facts, day: Day) -> float | None:
    """The sum of a source's numbers."""
    summed = _summed(days, source, facts, day)
    return amount(summed.total) if summed.count else None


def mean_in(days: int, source: str, _: str, facts: Facts, day: Day) -> float | None:
    """The mean of a source's numbers."""
    summed = _summed(days, source, facts, day)
    return amount(summed.total) / float(summed.count) if summed.count else None


def distinct_in(days: int, source: str, _: str, facts: Facts, day: Day) -> int | None:
    """The number of different values of a source."""
    return len(_tallied(days, source, facts, day)) or None


def most_frequent_in(days: int, source: str, user_id: str, facts: Facts, day: Day) -> str | None:
    """The value with the most items."""
    return most_frequent(user_id, _tallied(days, source, facts, day))


def _within(facts: Facts, days: int, day: Day) -> Iterator[DayTotals]:
    """The totals of the last so many days, up to the day."""
    assert day is not None
    today = day.toordinal()
    return (totals for at, totals in facts.totals.items() if today - days < at <= today)


def _summed(days: int, source: str, facts: Facts, day: Day) -> Sum:
    sums = [totals.sums[source] for totals in _within(facts, days, day) if source in totals.sums]
    return Sum(sum(each.total for each in sums), sum(each.count for each in sums))


def _tallied(days: int, source: str, facts: Facts, day: Day) -> dict[str, Tally]:
    tallies: dict[str, Tally] = {}
    for totals in _within(facts, days, day):
        for value, tally in totals.tallies.get(source, {}).items():
            known = tallies.get(value, Tally(0, tally.first_at))
            tallies[value] = Tally(known.items + tally.items, min(known.first_at, tally.first_at))
    return tallies
