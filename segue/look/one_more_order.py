"""The segment of a user after one more order. Pure."""

from __future__ import annotations

from datetime import date, datetime

from msgspec.structs import replace

from schemas.input_events import Item, Order
from segue.show.user_moves import OrderMove
from streamer.segment.active_model import ActiveModel
from streamer.user.fold_events import fold
from streamer.user.order_rules import Rules
from streamer.user.user_features import features
from streamer.user.user_state import OrdersMissing, UserState

# A worker knows an order by its id. No producer sends a control character.
_IMAGINED = "\x00"


def one_more_order(
    state: UserState, model: ActiveModel, rules: Rules, day: date | None, now: datetime
) -> OrderMove | None:
    """Return the segment after an order of now, of whose one item nothing is known.

    Args:
        state: the user's state, with the decision of this model.
        model: the release that decides.
        rules: the settings of the features and the scoring.
        day: the lane's day; None if no declared feature reads the day.
        now: the time of the order.

    Returns:
        The segment; None if no feature of the model changes with such an order, or the state needs its
        other orders to say so.
    """
    if state.decided is None:
        return None
    looked_for = replace(state, orders={**state.orders, _IMAGINED: None})
    try:
        ordered = fold(looked_for, Order(state.user_id, _IMAGINED, now, (Item(),)), rules)
    except OrdersMissing:
        return None
    before, after = features(state, rules, day), features(ordered, rules, day)
    if all(before[each.name] == after[each.name] for each in model.release.features):
        return None
    score = model.scorer.score(after, state.decided.segment, rules.min_margin)
    return OrderMove(score.segment, score.segment_name)
