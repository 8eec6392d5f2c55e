"""The fold: a user's state and one more fact give the next state.

It is idempotent and ignores order: facts applied twice, or in another order, give the same state. No
clock, no I/O, and the state that comes in is never changed.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace

from schemas.changes import FeatureValue
from schemas.decode import canonical
from schemas.events import PROFILE_FIELDS, Event, Item, Order, Signup, UserErased
from streamer.state import Dated, Facts, ProfileValue, Tally, UserState

ItemValue = Callable[[Item], str | None]


class OrdersMissing(Exception):
    """The fold needs every order of this user, and the state holds only some of them."""

    def __init__(self, user_id: str) -> None:
        super().__init__(user_id)
        self.user_id = user_id


def fold(state: UserState, event: Event, exclude_statuses: frozenset[str]) -> UserState:
    """Apply one fact.

    Returns:
        The next state; the same object where the fact changes nothing.

    Raises:
        OrdersMissing: an order that counted is withdrawn, and what it leaves can only be told with all
            of the user's orders at hand.
    """
    return _applied(state, event, exclude_statuses, own_orders=False)


def fold_all(state: UserState, events: Iterable[Event], exclude_statuses: frozenset[str]) -> UserState:
    """Apply many facts, as :func:`fold` does one by one, but with one copy of the orders for all.

    Raises:
        OrdersMissing: as :func:`fold`.
    """
    now = replace(state, orders=dict(state.orders))
    for event in events:
        now = _applied(now, event, exclude_statuses, own_orders=True)
    return now


def _applied(
    state: UserState, event: Event, exclude_statuses: frozenset[str], *, own_orders: bool
) -> UserState:
    """One fact; with ``own_orders`` the state's orders are nobody else's and may be written."""
    erased_at = state.facts.erased_at
    if erased_at is not None and event.at <= erased_at:
        return state
    match event:
        case Signup():
            return _with_signup(state, event)
        case Order():
            return _with_order(state, event, exclude_statuses, own_orders=own_orders)
        case UserErased():
            return _erased(state, event, exclude_statuses)


def features(state: UserState) -> dict[str, FeatureValue]:
    """The model's inputs, by name in the order of :data:`schemas.features.FEATURES`; None: missing."""
    facts = state.facts
    profile = facts.profile
    values: dict[str, FeatureValue] = {
        name: profile[name].value if name in profile else None for name in PROFILE_FIELDS
    }
    values["total_orders"] = facts.counted or None
    values["most_frequent_brand"] = _most_frequent(state.user_id, facts.brands)
    values["most_frequent_category"] = _most_frequent(state.user_id, facts.categories)
    return values


def _with_signup(state: UserState, signup: Signup) -> UserState:
    facts = state.facts
    profile = facts.profile
    for name in PROFILE_FIELDS:
        value: ProfileValue | None = getattr(signup, name)
        if value is None:
            continue
        known = profile.get(name)
        if known is None or (signup.at, _size(value)) > (known.at, _size(known.value)):
            profile = {**profile, name: Dated(signup.at, value)}
    signed_up_at = signup.at if facts.signed_up_at is None else max(facts.signed_up_at, signup.at)
    if profile is facts.profile and signed_up_at == facts.signed_up_at:
        return state
    return replace(state, facts=replace(facts, profile=profile, signed_up_at=signed_up_at))


def _size(value: ProfileValue) -> bytes | float:
    """What "larger" goes by: a text's UTF-8 bytes, a number itself. One field has one of the two."""
    return value.encode() if isinstance(value, str) else value


def _with_order(
    state: UserState, order: Order, exclude_statuses: frozenset[str], *, own_orders: bool
) -> UserState:
    former = state.orders.get(order.order_id) if state.whole else state.orders[order.order_id]
    if former is not None and not _supersedes(order, former):
        return state
    orders = state.orders if own_orders else dict(state.orders)
    orders[order.order_id] = order
    was = former if former is not None and former.status not in exclude_statuses else None
    now = order if order.status not in exclude_statuses else None
    facts = state.facts

    def counted() -> Iterable[Order]:
        if not state.whole:
            raise OrdersMissing(state.user_id)
        return (o for o in orders.values() if o is not None and o.status not in exclude_statuses)

    return replace(
        state,
        orders=orders,
        facts=replace(
            facts,
            held=facts.held + (former is None),
            counted=facts.counted + (now is not None) - (was is not None),
            brands=_retally(facts.brands, was, now, _brand, counted),
            categories=_retally(facts.categories, was, now, _category, counted),
        ),
    )


def _supersedes(order: Order, former: Order) -> bool:
    """The newest version counts; at equal times the larger canonical bytes."""
    if order.at != former.at:
        return order.at > former.at
    return canonical(order) > canonical(former)


def _brand(item: Item) -> str | None:
    return item.brand


def _category(item: Item) -> str | None:
    return item.category


def _values(order: Order | None, value_of: ItemValue) -> dict[str, int]:
    """How many items of an order hold each value; a null value is none."""
    counts: dict[str, int] = {}
    for item in order.items if order is not None else ():
        value = value_of(item)
        if value is not None:
            counts[value] = counts.get(value, 0) + item.count
    return counts


def _retally(
    tallies: Mapping[str, Tally],
    was: Order | None,
    now: Order | None,
    value_of: ItemValue,
    counted: Callable[[], Iterable[Order]],
) -> dict[str, Tally]:
    """Withdraw one version of an order and count another.

    ``counted`` gives all counted orders; it is asked only where the version withdrawn was the first
    to hold a value that other orders hold too.
    """
    after = dict(tallies)
    first_lost: set[str] = set()
    if was is not None:
        for value, items in _values(was, value_of).items():
            tally = after.pop(value)
            if tally.items > items:
                after[value] = Tally(tally.items - items, tally.first_at)
                if tally.first_at == was.created_at:
                    first_lost.add(value)
    if now is not None:
        for value, items in _values(now, value_of).items():
            known = after.get(value)
            if known is None:
                after[value] = Tally(items, now.created_at)
            else:
                after[value] = Tally(known.items + items, min(known.first_at, now.created_at))
                if now.created_at <= known.first_at:
                    first_lost.discard(value)
    if first_lost:
        orders = list(counted())
        for value in first_lost:
            first_at = min(o.created_at for o in orders if value in _values(o, value_of))
            after[value] = Tally(after[value].items, first_at)
    return after


def _erased(state: UserState, erasure: UserErased, exclude_statuses: frozenset[str]) -> UserState:
    """Forget all facts up to ``erased_at``; later ones, if there are any, begin a new life."""
    facts = state.facts
    if facts.held and not state.whole:
        raise OrdersMissing(state.user_id)
    erased_at = erasure.erased_at
    signed_up_at = facts.signed_up_at
    reborn = UserState(
        state.user_id,
        Facts(
            signed_up_at=signed_up_at if signed_up_at is not None and signed_up_at > erased_at else None,
            profile={name: dated for name, dated in facts.profile.items() if dated.at > erased_at},
            erased_at=erased_at,
        ),
    )
    return fold_all(reborn, (o for o in state.orders.values() if o is not None), exclude_statuses)


def _most_frequent(user_id: str, tallies: Mapping[str, Tally]) -> str | None:
    """The value with the most items; tied, the one held first; still tied, the smallest MD5.

    The MD5 of ``user_id:value`` is a fair coin that both SQL and Python can toss: an alphabetical rule
    leaks the number of items into the value's code.
    """
    if not tallies:
        return None
    most = max(tally.items for tally in tallies.values())
    tied = {value: tally.first_at for value, tally in tallies.items() if tally.items == most}
    if len(tied) == 1:
        return next(iter(tied))
    first_at: datetime = min(tied.values())
    return min(
        (value for value, at in tied.items() if at == first_at),
        key=lambda value: hashlib.md5(f"{user_id}:{value}".encode(), usedforsecurity=False).hexdigest(),
    )
