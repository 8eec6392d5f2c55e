"""A user's features, from the facts of the user's state."""

from schemas.outputs.segment_change import FeatureValue
from streamer.user.order_rules import Rules
from streamer.user.user_state import UserState


def features(state: UserState, rules: Rules) -> dict[str, FeatureValue]:
    """The values of all declared features by name, in the declared order; None if a value is missing."""
    user_id, facts = state.user_id, state.facts
    return {name: get(user_id, facts) for name, get in rules.getters}
