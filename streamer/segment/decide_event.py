"""One step of the whole: fold a fact, score the user, compare, and tell the changes.

``process`` decides. ``placed`` gives a position and leaves the decision alone, for healing, where Kafka
already holds the decisions. Both are pure.
"""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from schemas.input_events import Event
from schemas.outputs.segment_change import Cause, Change
from streamer.segment.active_model import ActiveModel
from streamer.segment.detect_change import erased_change, kind_of, segment_change
from streamer.user.fold_events import fold
from streamer.user.order_rules import Rules
from streamer.user.user_features import features
from streamer.user.user_state import Decided, Position, UserState, told


class Step(Struct, frozen=True):
    """A user's next state and the changes that led to it, oldest first, at most two."""

    state: UserState
    changes: tuple[Change, ...] = ()


def process(
    state: UserState, event: Event, cause: Cause, model: ActiveModel, rules: Rules, now: datetime
) -> Step:
    """Apply one event and decide.

    Raises:
        streamer.user.fold_events.OrdersMissing: give the state with all of its orders.
    """
    folded = fold(state, event, rules)
    changes: list[Change] = []
    if state.decided is not None and folded.facts.erased_at != state.facts.erased_at:
        changes.append(
            erased_change(
                state, state.decided, cause=cause, occurred_at=event.at, emitted_at=now, prefix=rules.prefix
            )
        )
    decided = state.decided
    if folded is state and decided is not None and decided.by(model.topic_id, model.activation):
        return Step(state)
    step = decide(folded, cause, event.at, model, rules, now)
    return Step(step.state, (*changes, *step.changes))


def decide(
    state: UserState, cause: Cause, occurred_at: datetime, model: ActiveModel, rules: Rules, now: datetime
) -> Step:
    """Score a user as it is and tell the change, if it is one."""
    if not state.facts.alive:
        return Step(replace(state, position=None))
    values = features(state, rules)
    present = None if state.decided is None else state.decided.segment
    score = model.scorer.score(values, present, rules.min_margin)
    position = Position(model.release.space, score.components, score.missing)
    kind = kind_of(state.decided, score)
    if kind is None:
        assert state.decided is not None
        agreed: Decided = replace(
            state.decided,
            model_version=model.release.version,
            activation=model.activation,
            models_topic=model.topic_id,
        )
        return Step(replace(state, position=position, decided=agreed))
    change = segment_change(
        state,
        kind,
        score,
        values,
        model=model,
        cause=cause,
        occurred_at=occurred_at,
        emitted_at=now,
        prefix=rules.prefix,
    )
    return Step(told(replace(state, position=position), change, model.topic_id), (change,))


def placed(state: UserState, model: ActiveModel, rules: Rules) -> tuple[UserState, bool]:
    """The state with its position by this model, its decision untouched; and whether the user is due for a sweep.

    It is due where this model would decide otherwise: the decision was made from other facts, under other settings or
    from a state that was wrong.
    """
    if not state.facts.alive:
        return replace(state, position=None), False
    present = None if state.decided is None else state.decided.segment
    score = model.scorer.score(features(state, rules), present, rules.min_margin)
    position = Position(model.release.space, score.components, score.missing)
    return replace(state, position=position), kind_of(state.decided, score) is not None
