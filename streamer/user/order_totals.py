"""What a user's counted orders come to, kept up to date as versions of an order come and go.

An order that no longer counts takes back what it gave. What it leaves is mostly told by the facts alone;
only where it held a first time, an extreme or the newest value must the other orders be asked.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from schemas.input_events import Order
from streamer.user.order_rules import Rules
from streamer.user.order_values import numbers_of, texts_of
from streamer.user.other_orders import Others, latest_in
from streamer.user.user_state import TALLIES, Contradiction, Facts, Latest, Sum, Tally

# min or max.
Choose = Callable[[Iterable[int]], int]


def recounted(
    user_id: str, facts: Facts, was: Order | None, now: Order | None, rules: Rules, others: Others
) -> dict[str, Any]:
    """The fields of the facts that change when ``was`` no longer counts and ``now`` does; either may be None.

    Args:
        others: all orders that count now.

    Raises:
        Contradiction: ``was`` takes back what the facts do not have.
    """
    if was is None and now is None:
        return {}
    changed: dict[str, Any] = {
        TALLIES[source]: _retally(facts.tally(source), was, now, source, others) for source in rules.tallied
    }
    changed["counted"] = facts.counted + (now is not None) - (was is not None)
    if rules.summed:
        changed["sums"] = _resum(facts.sums, was, now, rules.summed)
    if rules.least:
        changed["least"] = _extremes(facts.least, was, now, rules.least, min, others.least)
    if rules.most:
        changed["most"] = _extremes(facts.most, was, now, rules.most, max, others.most)
    if rules.latest:
        changed["latest"] = _latest(user_id, facts.latest, was, now, rules.latest, others)
    return changed


def _retally(
    tallies: Mapping[str, Tally], was: Order | None, now: Order | None, source: str, others: Others
) -> dict[str, Tally]:
    """``others`` are asked only where ``was`` was the first to hold a value that other orders hold too."""
    after = dict(tallies)
    first_lost: set[str] = set()
    if was is not None:
        for value, items in texts_of(was, source).items():
            tally = after.pop(value, None)
            if tally is None or tally.items < items:
                raise Contradiction(f"order {was.order_id!r} has {source} {value!r}, which is not counted")
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
    firsts = others.firsts(source, first_lost) if first_lost else {}
    for value in first_lost - firsts.keys():
        raise Contradiction(f"no order has {source} {value!r}, which is counted")
    return after | {value: Tally(after[value].items, at) for value, at in firsts.items()}


def _resum(
    sums: Mapping[str, Sum], was: Order | None, now: Order | None, sources: tuple[str, ...]
) -> dict[str, Sum]:
    after = dict(sums)
    for source in sources:
        known = after.pop(source, Sum(0, 0))
        total, count = known.total, known.count
        for order, sign in ((was, -1), (now, 1)):
            for number, times in numbers_of(order, source) if order is not None else ():
                total += sign * number * times
                count += sign * times
        if count < 0 or (count == 0 and total != 0):
            raise Contradiction(f"less than nothing is left of the sum of {source}")
        if count:
            after[source] = Sum(total, count)
    return after


def _extremes(
    extremes: Mapping[str, int],
    was: Order | None,
    now: Order | None,
    sources: tuple[str, ...],
    choose: Choose,
    left_of: Callable[[str], int | None],
) -> dict[str, int]:
    """``left_of`` is asked only where ``was`` held the extreme and ``now`` holds none as extreme."""
    after = dict(extremes)
    for source in sources:
        known = after.get(source)
        come = [number for number, _ in numbers_of(now, source)] if now is not None else []
        gone = [number for number, _ in numbers_of(was, source)] if was is not None else []
        if come and (known is None or choose([known, *come]) in come):
            after[source] = choose(come)
        elif gone and known is None:
            raise Contradiction(f"an order has a number in {source}, and no extreme is known")
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
    """``others`` are asked only where ``was`` was the newest and ``now`` is not."""
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
