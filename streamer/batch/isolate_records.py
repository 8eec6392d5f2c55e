"""Finds the event that can never be applied, so it becomes a dead letter and does not stop the lane.

A wrong state or a wrong model also raises errors. This module separates the three cases.
"""

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from schemas.errors import BadEvent, SegueError
from schemas.input_events import Event
from streamer.batch.batch_users import Users
from streamer.batch.refusals import bad_event
from streamer.interfaces.lane_errors import InDoubt, NotReady
from streamer.segment.active_model import ActiveModel
from streamer.user.fold_events import holds_together
from streamer.user.order_rules import Rules
from streamer.user.user_features import features
from streamer.user.user_state import Contradiction, UserState

T = TypeVar("T")


def applied(
    users: Users,
    event: Event,
    step: Callable[[UserState], T],
    rules: Rules,
    model: ActiveModel,
    day: date | None,
) -> T | BadEvent:
    """The result of ``step`` for the event's user, or the reason why the event can never be applied.

    Args:
        users: the users of the batch.
        event: the event.
        step: applies the event to its user's state.
        rules: the settings of the fold.
        model: the release that decides.
        day: the day that features of time count to; None only if no declared feature reads it.

    Raises:
        Exception: the error of ``step`` is not the event's fault. The user's state contradicts itself, the
            model cannot score any user, or a second try succeeds.
    """
    try:
        return users.apply(event.user_id, step)
    except BadEvent as bad:
        return bad
    except (SegueError, InDoubt, NotReady, Contradiction, MemoryError):
        raise
    except Exception as error:
        state = users.read_whole(event.user_id)
        if not holds_together(state, rules):
            users.raise_torn(event.user_id, error)
        if _fails(step, state):
            model.scorer.score(features(UserState(event.user_id), rules, day))
            return bad_event(error)
        raise


def _fails(step: Callable[[UserState], object], state: UserState) -> bool:
    """Whether the step fails again."""
    try:
        step(state)
    except Exception:  # noqa: BLE001 - any error means that the step fails again
        return True
    return False
