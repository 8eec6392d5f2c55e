"""A user's features, from the facts of the user's state."""

from datetime import date

from schemas.outputs.segment_change import FeatureValue
from streamer.user.order_rules import Rules
from streamer.user.user_state import UserState


def features(state: UserState, rules: Rules, day: date | None) -> dict[str, FeatureValue]:
    """The values of all declared features by name, in the declared order; None if a value is missing.

    ``day`` is the day that features of time count to; None only if no declared feature reads it.
    """
    user_id, facts = state.user_id, state.facts
    return {name: get(user_id, facts, day) for name, get in rules.getters}
