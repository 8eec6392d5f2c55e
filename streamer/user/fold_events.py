"""The fold: a user's state and one more fact give the next state.

The fold is idempotent and ignores order: facts applied twice, or in another order, give the same state.
The fold has no clock and no I/O, and it never changes its input.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import NoReturn

from msgspec.structs import replace

from schemas.days import date_in
from schemas.input_events import PROFILE_FIELDS, Event, Order, Signup, UserErased
from schemas.inputs.decode import canonical
from streamer.user import order_index
from streamer.user.days.day_totals import retotalled
from streamer.user.order_index import IndexedOrders
from streamer.user.order_rules import Rules
from streamer.user.order_totals import recounted
from streamer.user.other_orders import Others, WholeOrders
from streamer.user.user_state import (
    Contradiction,
    Dated,
    Facts,
    OrdersMissing,
    ProfileValue,
    UserState,
)
from streamer.user.value_bounds import check_days, check_values

# A bound against poison: no real order changes its `created_at` this often.
_MOST_FORMER = 16


# Receives a fact that cannot be applied, and the reason.
Refuse = Callable[[Event, Exception], None]


def fold(state: UserState, event: Event, rules: Rules) -> UserState:
    """Return the state after one fact.

    Returns:
        The next state. The same object if the fact changes nothing.

    Raises:
        OrdersMissing: the fold needs all of the user's orders, for example because a counted order is
            withdrawn.
        EndsMissing: the fold needs more of the user's index of orders. A subclass of OrdersMissing.
        BadEvent: the state would hold more values than :mod:`streamer.user.value_bounds` allows.
    """
    return _applied(state, event, rules, own_orders=False)


def fold_all(
    state: UserState, events: Iterable[Event], rules: Rules, refuse: Refuse, *, bounded: bool = True
) -> UserState:
    """Return the state after many facts; like repeated :func:`fold`, but it copies the orders only once.

    Args:
        state: the state before the facts.
        events: the facts, in any order.
        rules: the settings of the fold.
        refuse: called with each fact that cannot be applied. The fact is left out, as the lane leaves it
            out.
        bounded: refuse a fact that takes the state over its bound.

    Returns:
        The next state.

    Raises:
        OrdersMissing: as in :func:`fold`.
    """
    now = replace(state, orders=dict(state.orders))
    for event in events:
        try:
            now = _applied(now, event, rules, own_orders=True, bounded=bounded)
        except (OrdersMissing, Contradiction, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - any error belongs to this fact
            refuse(event, error)
    return now


def holds_together(state: UserState, rules: Rules) -> bool:
    """Whether a whole state's facts agree with its orders."""
    stored = state.facts
    orders = [order for order in state.orders.values() if order is not None]
    try:
        begin = UserState(state.user_id, Facts(dropped_to=stored.dropped_to))
        facts = _counted_again(begin, orders, rules).facts
    except Exception:  # noqa: BLE001 - no fold makes a state whose orders cannot be counted
        return False
    return stored == replace(
        facts,
        signed_up_at=stored.signed_up_at,
        profile=stored.profile,
        erased_at=stored.erased_at,
        signups=stored.signups,
    )


def _counted_again(state: UserState, orders: Iterable[Order], rules: Rules) -> UserState:
    """The state after these orders, without the bound: an older version may have accepted more values."""

    def fail(_: Event, error: Exception) -> NoReturn:
        raise error

    return fold_all(state, orders, rules, fail, bounded=False)


def _applied(
    state: UserState, event: Event, rules: Rules, *, own_orders: bool, bounded: bool = True
) -> UserState:
    """The state after one fact.

    Args:
        own_orders: the caller owns the dictionary of the state's orders, so the fold may write to it.
    """
    erased_at = state.facts.erased_at
    # An order made before the erasure stays erased, even if a later version of it arrives.
    made_at = event.created_at if isinstance(event, Order) else event.at
    if erased_at is not None and made_at <= erased_at:
        return state
    match event:
        case Signup():
            return _with_signup(state, event, rules, bounded=bounded)
        case Order():
            return _with_order(state, event, rules, own_orders=own_orders, bounded=bounded)
        case UserErased():
            return _erased(state, event, rules)


def _with_signup(state: UserState, signup: Signup, rules: Rules, *, bounded: bool) -> UserState:
    facts = state.facts
    profile = facts.profile
    values: dict[str, ProfileValue | None] = {name: getattr(signup, name) for name in PROFILE_FIELDS}
    for name, value in (values | signup.own).items():
        if value is None:
            continue
        known = profile.get(name)
        if known is None or (signup.at, _size(value)) > (known.at, _size(known.value)):
            profile = {**profile, name: Dated(signup.at, value)}
    signed_up_at = signup.at if facts.signed_up_at is None else max(facts.signed_up_at, signup.at)
    signups = _with_day(facts.signups, signup, rules) if rules.signup_days else facts.signups
    if profile is facts.profile and signups is facts.signups and signed_up_at == facts.signed_up_at:
        return state
    if bounded:
        check_days("signups", len(signups), len(facts.signups))
    return replace(state, facts=replace(facts, profile=profile, signed_up_at=signed_up_at, signups=signups))


def _with_day(signups: dict[int, datetime], signup: Signup, rules: Rules) -> dict[int, datetime]:
    """The newest signup by day; with the newest of each day, any erasure leaves the right first day."""
    day = date_in(signup.at, rules.zone).toordinal()
    known = signups.get(day)
    return signups if known is not None and known >= signup.at else {**signups, day: signup.at}


def _size(value: ProfileValue) -> bytes | float:
    """The key that compares two values of one field: a text's UTF-8 bytes, or the number itself."""
    return value.encode() if isinstance(value, str) else value


def _with_order(
    state: UserState, order: Order, rules: Rules, *, own_orders: bool, bounded: bool
) -> UserState:
    if order.event_id is not None:
        order = replace(order, event_id=None)  # the stored form has no event id
    former = state.orders.get(order.order_id) if state.whole else state.orders[order.order_id]
    if former is not None:
        order = _newest(former, order)
        if order == former:
            return state
    if (
        former is None
        and not (state.whole or state.indexed)
        and state.facts.held == order_index.MOST_UNINDEXED
    ):
        raise OrdersMissing(state.user_id)  # this order starts the user's index, which covers all orders
    orders = state.orders if own_orders else dict(state.orders)
    orders[order.order_id] = order
    excluded = rules.exclude_statuses

    was = former if former is not None and former.status not in excluded else None
    now = order if order.status not in excluded else None
    if was is not None and now is not None and _bare(was) == _bare(now):
        return replace(state, orders=orders)
    try:
        others = _others(state, orders, rules)
        changed = recounted(state.user_id, state.facts, was, now, rules, others)
        if rules.reach:
            changed["totals"] = retotalled(state.facts, was, now, rules, others)
        if bounded:
            check_values(state, changed, rules)
    except Exception:
        if own_orders:
            _put_back(orders, order.order_id, former)
        raise
    facts = replace(state.facts, held=state.facts.held + (former is None), **changed)
    return replace(state, orders=orders, facts=facts)


def _others(state: UserState, orders: Mapping[str, Order | None], rules: Rules) -> Others:
    """Access to all of the user's counted orders.

    Args:
        orders: the orders that were read, with the present change applied.
    """
    if state.indexed and not state.whole:
        return IndexedOrders(state.user_id, orders, state.ends, rules)

    def counted() -> Iterable[Order]:
        if not state.whole:
            raise OrdersMissing(state.user_id)
        return (o for o in orders.values() if o is not None and o.status not in rules.exclude_statuses)

    return WholeOrders(state.user_id, counted)


def _put_back(orders: dict[str, Order | None], order_id: str, former: Order | None) -> None:
    if former is None:
        del orders[order_id]
    else:
        orders[order_id] = former


def _newest(held: Order, order: Order) -> Order:
    """The newest version of an order; at equal times the version with the larger canonical bytes.

    It carries the older versions that may count again after an erasure. These are the versions whose
    ``created_at`` is later than that of every newer version. There are none if the producer never changes
    an order's ``created_at``.
    """
    if not held.former and held.created_at == order.created_at:
        return order if _supersedes(order, held) else held
    kept: list[Order] = []
    for version in sorted((*_versions(held), order), key=_newness, reverse=True):
        if not kept or version.created_at > kept[-1].created_at:
            kept.append(version)
    return replace(kept[0], former=tuple(kept[1 : 1 + _MOST_FORMER]))


def _supersedes(order: Order, held: Order) -> bool:
    if order.at != held.at:
        return order.at > held.at
    return canonical(order) > canonical(held)


def _newness(order: Order) -> tuple[datetime, bytes]:
    return order.at, canonical(order)


def _versions(order: Order) -> tuple[Order, ...]:
    return (_bare(order), *order.former)


def _bare(order: Order) -> Order:
    """The version without its former versions."""
    return replace(order, former=()) if order.former else order


def _erased(state: UserState, erasure: UserErased, rules: Rules) -> UserState:
    """The state without the facts up to ``erased_at``; later facts begin a new life."""
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
            signups={day: at for day, at in facts.signups.items() if at > erased_at},
        ),
    )
    versions = (version for o in state.orders.values() if o is not None for version in _versions(o))
    return _counted_again(reborn, versions, rules)
