"""The features that the fold makes of events, as a worker reads them from Kafka's records."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from schemas.input_events import Event, Order
from schemas.inputs.decode import decode_order, decode_signup, encode_order, encode_signup
from schemas.inputs.fields_read import FieldsRead
from schemas.times import EPOCH
from streamer.user.fold_events import fold
from streamer.user.order_rules import Rules
from streamer.user.user_features import features
from streamer.user.user_state import UserState


def recorded(event: Event, read: FieldsRead) -> Event:
    """The event as a worker reads it from the record that `segue ingest` writes."""
    if isinstance(event, Order):
        return decode_order(*encode_order(event), EPOCH, read=read)
    return decode_signup(*encode_signup(event), EPOCH, read=read)


def folded(events: Iterable[Event], rules: Rules) -> dict[str, UserState]:
    states: dict[str, UserState] = {}
    for event in events:
        state = states.get(event.user_id) or UserState(event.user_id)
        states[event.user_id] = fold(state, event, rules)
    return states


def from_fold(events: Iterable[Event], rules: Rules, day: date | None = None) -> dict[str, dict[str, Any]]:
    return {user_id: features(state, rules, day) for user_id, state in folded(events, rules).items()}
