"""One step for one event: fold it, score the user, compare, and return the changes.

``process`` decides. ``placed`` sets the position and leaves the decision alone; healing uses it, because
Kafka already holds the decisions. Both functions are pure.
"""

from datetime import date, datetime

from msgspec import Struct
from msgspec.structs import replace

from schemas.input_events import Event
from schemas.outputs.segment_change import Cause, Change
from streamer.segment.active_model import ActiveModel
from streamer.segment.detect_change import erased_change, kind_of, segment_change
from streamer.user.days.day_totals import pruned
from streamer.user.fold_events import fold
from streamer.user.order_rules import Rules
from streamer.user.user_features import features
from streamer.user.user_state import Decided, Position, UserState, with_change


class Step(Struct, frozen=True):
    """A user's next state and the changes that led to it, oldest first, at most two."""

    state: UserState
    changes: tuple[Change, ...] = ()


def process(
    state: UserState, event: Event, cause: Cause, model: ActiveModel, rules: Rules, now: datetime
) -> Step:
    """Return the next state and the changes after one event.

    Args:
        state: the user's state before the event.
        event: the event of this user.
        cause: the record of the event, and the day of the features; the changes name both.
        model: the release that decides.
        rules: the settings of the fold and the scoring.
        now: the time of the changes' ``emitted_at``.

    Raises:
        streamer.user.user_state.OrdersMissing: call again with a state that has all of its orders.
        schemas.errors.BadEvent: the event cannot be applied.
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
    """Score a user without a new event; return the next state and the change, if there is one.

    Args:
        state: the user's state.
        cause: the record that led to this decision, and the day of its features; the change names both.
        occurred_at: the time of the cause.
        model: the release that decides.
        rules: the settings of the scoring.
        now: the time of the change's ``emitted_at``.

    Returns:
        A step with at most one change. An erased user only loses the position.
    """
    if not state.facts.alive:
        return Step(replace(state, position=None))
    state = pruned(state, rules, cause.decided_on)
    values = features(state, rules, cause.decided_on)
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
    return Step(with_change(replace(state, position=position), change, model.topic_id), (change,))


def placed(state: UserState, model: ActiveModel, rules: Rules, day: date | None) -> tuple[UserState, bool]:
    """The state with its position by this model, and whether a sweep must decide the user.

    The decision stays as it is. The user needs a sweep if this model would decide differently. Then the
    decision was made from other facts, under other settings, on another day, or from a wrong state.

    Args:
        state: the user's state.
        model: the release that gives the position.
        rules: the settings of the scoring.
        day: the day that features of time count to; None only if no declared feature reads it.
    """
    if not state.facts.alive:
        return replace(state, position=None), False
    state = pruned(state, rules, day)
    present = None if state.decided is None else state.decided.segment
    score = model.scorer.score(features(state, rules, day), present, rules.min_margin)
    position = Position(model.release.space, score.components, score.missing)
    return replace(state, position=position), kind_of(state.decided, score) is not None
