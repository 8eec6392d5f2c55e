"""The day on which a user's decision will be another, if nothing happens until then."""

from __future__ import annotations

from datetime import date

from segue.show.user_card import NextMove
from streamer.segment.active_model import ActiveModel
from streamer.segment.decide_event import placed
from streamer.segment.detect_change import kind_of
from streamer.segment.due_day import due_day
from streamer.user.order_rules import Rules
from streamer.user.user_features import features
from streamer.user.user_state import UserState

# A due day may come before the decision changes; then the search goes on from there.
_MOST_DUE_DAYS = 16


def next_move(state: UserState, model: ActiveModel, rules: Rules, day: date | None) -> NextMove | None:
    """Return the user's next decision by the days alone; None if there is none, or none was found.

    Args:
        state: the user's state, with the decision of this model.
        model: the release that decides.
        rules: the settings of the features and the scoring.
        day: the lane's day; None if no declared feature reads the day.
    """
    decided = state.decided
    if decided is None:
        return None
    for _ in range(_MOST_DUE_DAYS):
        state, _ = placed(state, model, rules, day)
        day = due_day(state, model, rules, day)
        if day is None:
            return None
        score = model.scorer.score(features(state, rules, day), decided.segment, rules.min_margin)
        if kind_of(decided, score) is not None:
            return NextMove(day, score.segment, score.segment_name, score.provisional)
    return None
