"""The totals of a user's counted orders, kept up to date as versions of an order come and go.

An order that no longer counts takes back its part of the totals. Mostly the facts alone give the new totals.
The other orders are read only if the order held a first time, an extreme or the newest value.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from schemas.days import date_in
from schemas.input_events import Order
from streamer.user.order_rules import Rules
from streamer.user.order_values import numbers_of, texts_of
from streamer.user.other_orders import Others, latest_in
from streamer.user.user_state import TALLIES, Contradiction, Facts, Latest, Sum, Tally

# min or max.
Choose = Callable[[Iterable[int]], int]
FirstsOf = Callable[[Collection[str]], dict[str, datetime]]
"""Returns the smallest ``created_at`` of the orders that count now, for each of these values."""


def recounted(
    user_id: str, facts: Facts, was: Order | None, now: Order | None, rules: Rules, others: Others
) -> dict[str, Any]:
    """The changed fields of the facts, by name, after one order is replaced by another version.

    Args:
        user_id: the user.
        facts: the facts before the change.
        was: the version that no longer counts; None if there is none.
        now: the version that counts from now on; None if there is none.
        rules: the settings; they say which totals are kept.
        others: access to all orders that count now.

    Returns:
        New values by field of :class:`Facts`; empty if both versions are None.

    Raises:
        Contradiction: ``was`` takes back more than the facts hold.
    """
    if was is None and now is None:
        return {}
    if was is None and now is not None and rules.only_tallies:
        return one_more(facts, now, rules)
    changed: dict[str, Any] = {}
    own: dict[str, dict[str, Tally]] = {}
    for source in rules.tallied:
        tallies = retallied(facts.tally(source), was, now, source, partial(others.firsts, source))
        if source in TALLIES:
            changed[TALLIES[source]] = tallies
        elif tallies:
            own[source] = tallies
    if own or facts.own:
        changed["own"] = own
    changed["counted"] = facts.counted + (now is not None) - (was is not None)
    if rules.summed:
        changed["sums"] = resummed(facts.sums, was, now, rules.summed)
    if rules.least:
        changed["least"] = _extremes(facts.least, was, now, rules.least, min, others.least)
    if rules.most:
        changed["most"] = _extremes(facts.most, was, now, rules.most, max, others.most)
    if rules.latest:
        changed["latest"] = _latest(user_id, facts.latest, was, now, rules.latest, others)
    if rules.order_days:
        changed["days"] = _redated(facts.days, was, now, rules)
    return changed


def one_more(facts: Facts, order: Order, rules: Rules) -> dict[str, Any]:
    """The changed fields of the facts with this counted order more, if :attr:`Rules.only_tallies`.

    It gives what the general way gives, in a third of the time.
    """
    changed: dict[str, Any] = {"counted": facts.counted + 1}
    for source, field in rules.only_tallies:
        changed[field] = _with_items(getattr(facts, field), order, source)
    return changed


def _with_items(before: Mapping[str, Tally], order: Order, source: str) -> dict[str, Tally]:
    tallies, at = dict(before), order.created_at
    for item in order.items:
        value = getattr(item, source)
        if value is not None:
            known, items = tallies.get(value), 1 if item.quantity is None else item.quantity
            if known is None:
                tallies[value] = Tally(items, at)
            else:
                tallies[value] = Tally(known.items + items, min(known.first_at, at))
    return tallies


def retallied(
    tallies: Mapping[str, Tally], was: Order | None, now: Order | None, source: str, firsts_of: FirstsOf
) -> dict[str, Tally]:
    """The new tallies.

    Args:
        tallies: the tallies before the change.
        was: the version that no longer counts; None if there is none.
        now: the version that counts from now on; None if there is none.
        source: the source of the values.
        firsts_of: called only if ``was`` held a value first, and other orders hold it too.
    """
    after = dict(tallies)
    first_lost: set[str] = set()
    if was is not None:
        for value, items in texts_of(was, source).items():
            tally = after.pop(value, None)
            if tally is None or tally.items < items:
                raise Contradiction(
                    f"order {was.order_id!r} has {source} {value!r}, but the state does not count this value"
                )
            if tally.items > items:
                after[value] = Tally(tally.items - items, tally.first_at)
                if tally.first_at == was.created_at:
                    first_lost.add(value)
    if now is not None:
        for value, items in texts_of(now, source).items():
            known = after.get(value)
            if known is None:
                after[value] = Tally(items, now.created_at)
            else:
                after[value] = Tally(known.items + items, min(known.first_at, now.created_at))
                if now.created_at <= known.first_at:
                    first_lost.discard(value)
    if not first_lost:
        return after
    firsts = firsts_of(first_lost)
    for value in first_lost - firsts.keys():
        raise Contradiction(f"the state counts {source} {value!r}, but no order has this value")
    return after | {value: Tally(after[value].items, at) for value, at in firsts.items()}


def resummed(
    sums: Mapping[str, Sum], was: Order | None, now: Order | None, sources: tuple[str, ...]
) -> dict[str, Sum]:
    """The new sums by source."""
    after = dict(sums)
    for source in sources:
        known = after.pop(source, Sum(0, 0))
        total, count = known.total, known.count
        for order, sign in ((was, -1), (now, 1)):
            for number, times in numbers_of(order, source) if order is not None else ():
                total += sign * number * times
                count += sign * times
        if count < 0 or (count == 0 and total != 0):
            raise Contradiction(
                f"the sum of {source} does not match the orders: {total} over {count} numbers remain"
            )
        if count:
            after[source] = Sum(total, count)
    return after


def _redated(days: Mapping[int, int], was: Order | None, now: Order | None, rules: Rules) -> dict[int, int]:
    """The new number of orders by day."""
    after = dict(days)
    if was is not None:
        day = date_in(was.created_at, rules.zone).toordinal()
        left = after.pop(day, 0) - 1
        if left < 0:
            raise Contradiction(f"order {was.order_id!r} is of a day on which the state counts no order")
        if left:
            after[day] = left
    if now is not None:
        day = date_in(now.created_at, rules.zone).toordinal()
        after[day] = after.get(day, 0) + 1
    return after


def _extremes(
    extremes: Mapping[str, int],
    was: Order | None,
    now: Order | None,
    sources: tuple[str, ...],
    choose: Choose,
    left_of: Callable[[str], int | None],
) -> dict[str, int]:
    """The new extremes. ``left_of`` is called only if ``was`` held the extreme and ``now`` does not."""
    after = dict(extremes)
    for source in sources:
        known = after.get(source)
        come = [number for number, _ in numbers_of(now, source)] if now is not None else []
        gone = [number for number, _ in numbers_of(was, source)] if was is not None else []
        if come and (known is None or choose([known, *come]) in come):
            after[source] = choose(come)
        elif gone and known is None:
            raise Contradiction(f"an order has a number in {source}, but the state has no extreme of it")
        elif known in gone:
            left = left_of(source)
            after.pop(source)
            if left is not None:
                after[source] = left
    return after


def _latest(
    user_id: str,
    latest: Mapping[str, Latest],
    was: Order | None,
    now: Order | None,
    sources: tuple[str, ...],
    others: Others,
) -> dict[str, Latest]:
    """The new newest values. ``others`` is read only if ``was`` was the newest order and ``now`` is not."""
    after = dict(latest)
    for source in sources:
        known = after.get(source)
        come = None if now is None else latest_in(user_id, now, source)
        if come is not None and (known is None or come.place >= known.place):
            after[source] = come
        elif known is not None and was is not None and known.order_id == was.order_id:
            after.pop(source)
            left = others.latest(source)
            if left is not None:
                after[source] = left
    return after
