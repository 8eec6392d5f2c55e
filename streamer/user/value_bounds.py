"""The most values that one user's state may hold: a guard against poison.

No other rule of the fold depends on the order of arrival.
"""

from collections.abc import Mapping
from typing import Any, NoReturn

from schemas.errors import BadEvent
from streamer.user.days.day_totals import values_within_reach
from streamer.user.order_rules import Rules
from streamer.user.order_values import is_of_items
from streamer.user.user_state import TALLIES, UserState

# The most different values that one user may have of one counted source, and the most different days.
MAX_VALUES = 4_096


def check_values(state: UserState, changed: Mapping[str, Any], rules: Rules) -> None:
    """Refuse an order that brings too many different values.

    Args:
        state: the state before the order.
        changed: the fields of the facts that the order changes.
        rules: the settings; they say which values are kept.

    Raises:
        BadEvent: the state would hold more than :data:`MAX_VALUES` of a source.
    """
    for source in rules.tallied:
        tallies = changed.get(TALLIES[source]) if source in TALLIES else changed.get("own", {}).get(source)
        values = len(tallies or ())
        if values > MAX_VALUES and values > len(state.facts.tally(source)):
            _refuse_values(source, f"{values:,} different values of {source}")

    for source in rules.window_tallied:
        before = values_within_reach(state.facts.totals, source, rules.reach)
        values = values_within_reach(changed.get("totals", {}), source, rules.reach)
        if values > MAX_VALUES and values > before:
            _refuse_values(source, f"{values:,} values of {source} on the days of one window")
    if "days" in changed:
        check_days("orders", len(changed["days"]), len(state.facts.days))


def _refuse_values(source: str, values: str) -> NoReturn:
    raise BadEvent(
        "items" if is_of_items(source) else source.removeprefix("order."),
        f"the user would have {values}, and a user has at most {MAX_VALUES:,}",
    )


def check_days(what: str, now: int, before: int) -> None:
    """Refuse a fact that brings too many different days.

    Raises:
        BadEvent: the state would hold more than :data:`MAX_VALUES` days.
    """
    if now > MAX_VALUES and now > before:
        raise BadEvent(
            "created_at",
            f"the user would have {what} on {now:,} different days, and a user has at most {MAX_VALUES:,}",
        )
