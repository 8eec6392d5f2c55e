"""The totals of a user's counted orders by day, for features over a window of days.

The fold keeps a day until :func:`pruned` drops it: then the day lies in no window any more. An order of a
dropped day changes nothing, whenever it arrives.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial

from msgspec.structs import replace

from schemas.days import date_in
from schemas.input_events import Order
from streamer.user.order_rules import Rules
from streamer.user.order_totals import resummed, retallied
from streamer.user.other_orders import Others
from streamer.user.user_state import Contradiction, DayTotals, Facts, UserState

_NONE = DayTotals()


def retotalled(
    facts: Facts, was: Order | None, now: Order | None, rules: Rules, others: Others
) -> dict[int, DayTotals]:
    """The totals by day after one order is replaced by another version.

    Args:
        facts: the facts before the change.
        was: the version that no longer counts; None if there is none.
        now: the version that counts from now on; None if there is none.
        rules: the settings; they say which totals are kept.
        others: access to all orders that count now.

    Raises:
        Contradiction: ``was`` takes back more than the facts hold.
    """
    after = dict(facts.totals)
    for day, gone, come in _by_day(was, now, rules):
        if day <= facts.dropped_to:
            continue
        totals = after.pop(day, _NONE)
        tallies = {
            source: retallied(
                totals.tallies.get(source, {}),
                gone,
                come,
                source,
                partial(others.firsts_on, day, rules.zone, source),
            )
            for source in rules.window_tallied
        }
        changed = DayTotals(
            totals.orders + (come is not None) - (gone is not None),
            resummed(totals.sums, gone, come, rules.window_summed),
            {source: tally for source, tally in tallies.items() if tally},
        )
        if changed.orders < 0 or (not changed.orders and (changed.sums or changed.tallies)):
            raise Contradiction(f"the totals of {date.fromordinal(day)} do not match the orders")
        if changed.orders:
            after[day] = changed
    return after


def pruned(state: UserState, rules: Rules, day: date | None) -> UserState:
    """The state without the days that lie in no window at ``day``, nor at any later day."""
    facts = state.facts
    if not rules.reach or day is None or not facts.held:
        return state
    dropped_to = max(facts.dropped_to, day.toordinal() - rules.reach)
    return state if dropped_to == facts.dropped_to else replace(state, facts=without_days(facts, dropped_to))


def without_days(facts: Facts, dropped_to: int) -> Facts:
    """The facts without the totals of the days up to this one, given as an ordinal."""
    totals = {at: totals for at, totals in facts.totals.items() if at > dropped_to}
    return replace(facts, totals=totals, dropped_to=dropped_to)


def values_within_reach(totals: Mapping[int, DayTotals], source: str, reach: int) -> int:
    """How many values of a source lie in the newest days that one window covers, counted for each day."""
    newest = max(totals, default=0)
    return sum(len(each.tallies.get(source, ())) for day, each in totals.items() if day > newest - reach)


def _by_day(
    was: Order | None, now: Order | None, rules: Rules
) -> Iterator[tuple[int, Order | None, Order | None]]:
    """The days that change, each with the version that goes and the version that comes."""
    gone = None if was is None else date_in(was.created_at, rules.zone).toordinal()
    come = None if now is None else date_in(now.created_at, rules.zone).toordinal()
    if gone is not None and gone == come:
        yield gone, was, now
        return
    if gone is not None:
        yield gone, was, None
    if come is not None:
        yield come, None, now
