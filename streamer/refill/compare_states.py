"""What Redis holds of a user, against what the log says: field by field. Pure."""

from collections.abc import Callable, Iterator, Mapping

import msgspec
from msgspec import Struct

from schemas.inputs.decode import canonical
from streamer.batch.batch_users import fields_of
from streamer.place.redis_keys import ORDER_PREFIX, STATE
from streamer.segment.active_model import ActiveModel
from streamer.segment.decide_event import placed
from streamer.segment.neighbours import angle
from streamer.user.history import FIELD_PREFIX as HISTORY_PREFIX
from streamer.user.order_index import all_entries
from streamer.user.order_rules import Rules
from streamer.user.user_state import UserState, decode

_DECIDED = ("segment", "segment_name", "provisional", "sequence")
# The release and activation that a user is decided by go on in Redis alone, where a newer one agrees.
_PLAIN = (*_DECIDED, "model_version", "activation")

ModelOf = Callable[[str, str | None], ActiveModel | None]
"""The model of a space; it is asked with the version of the release that decided the user, or None."""


class Kept(Struct, frozen=True):
    """What Redis holds of a user: the hash, the angle by space where it has one, whether sweeps know
    the user, and the index of its orders.
    """

    fields: Mapping[str, bytes]
    angles: Mapping[str, float]
    swept: bool
    index: frozenset[str] = frozenset()


class Difference(Struct, frozen=True):
    """A field of a user in which the log and Redis differ; the values are as JSON has them."""

    field: str
    log: object
    redis: object


def differences(told: UserState, kept: Kept, model_of: ModelOf, rules: Rules) -> list[Difference]:
    """What differs.

    Args:
        told: the user as the log says, whole, with what ``user-segments`` decided.
        kept: what Redis holds at the same place.
    """
    if not kept.fields:
        known = told.decided is not None or told.facts != UserState(told.user_id).facts
        return [Difference("user", "known", "missing")] if known else []
    stored = kept.fields.get(STATE)
    try:
        held = decode(told.user_id, stored, {})
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return [Difference(STATE, "readable", str(error))]
    return [
        *_facts(told, held),
        *_orders(told, kept),
        *_index(told, held, kept, rules),
        *_decision(told, held),
        *_plain(held, kept),
        *_position(told, held, kept, model_of, rules),
        *_swept(told, kept),
        *_left_over(told, held, kept),
    ]


def _facts(told: UserState, held: UserState) -> Iterator[Difference]:
    right, found = msgspec.to_builtins(told.facts), msgspec.to_builtins(held.facts)
    for name in sorted(right.keys() | found.keys()):
        if right.get(name) != found.get(name):
            yield Difference(name, right.get(name), found.get(name))


def _orders(told: UserState, kept: Kept) -> Iterator[Difference]:
    right = {ORDER_PREFIX + k: canonical(order) for k, order in told.orders.items() if order is not None}
    found = {name: value for name, value in kept.fields.items() if name.startswith(ORDER_PREFIX)}
    for name in sorted(right.keys() | found.keys()):
        if right.get(name) != found.get(name):
            yield Difference(name, _text(right.get(name)), _text(found.get(name)))


def _index(told: UserState, held: UserState, kept: Kept, rules: Rules) -> Iterator[Difference]:
    """The index of the orders is that of all of them, or none."""
    right = all_entries(told.user_id, told.orders.values(), rules) if held.indexed else frozenset()
    for entry in sorted(right ^ kept.index):
        yield Difference("index of orders", *((entry, None) if entry in right else (None, entry)))


def _decision(told: UserState, held: UserState) -> Iterator[Difference]:
    right, found = told.decided, held.decided
    for name in _DECIDED:
        of_log, of_redis = getattr(right, name, None), getattr(found, name, None)
        if of_log != of_redis:
            yield Difference(name, of_log, of_redis)
    if right is None or found is None or right.models_topic != found.models_topic:
        return
    if found.activation < right.activation:
        yield Difference("activation", right.activation, found.activation)


def _plain(held: UserState, kept: Kept) -> Iterator[Difference]:
    """The fields for readers say what the state says."""
    fields = fields_of(held)
    for name in _PLAIN:
        right, found = fields.get(name), kept.fields.get(name)
        if right != _text(found):
            yield Difference(f"field {name}", right, _text(found))


def _position(
    told: UserState, held: UserState, kept: Kept, model_of: ModelOf, rules: Rules
) -> Iterator[Difference]:
    """Components by the release of the stored position's space, and the angle in that space's index."""
    position = held.position
    if position is None:
        if told.facts.alive:
            yield Difference("components", "there", None)
        return
    model = model_of(position.space, None if held.decided is None else held.decided.model_version)
    if model is not None:
        right = placed(told, model, rules)[0].position
        of_log = None if right is None else right.components
        if of_log != position.components:
            yield Difference("components", of_log, position.components)
    at = angle(position.components)
    if kept.angles.get(position.space) != at:
        yield Difference(f"angle in {position.space}", at, kept.angles.get(position.space))


def _swept(told: UserState, kept: Kept) -> Iterator[Difference]:
    if told.facts.alive != kept.swept:
        yield Difference("among the lane's users", told.facts.alive, kept.swept)


def _left_over(told: UserState, held: UserState, kept: Kept) -> Iterator[Difference]:
    """What an erasure was to take besides the state: the history, and the angle in every index."""
    if told.facts.alive:
        return
    for name in sorted(kept.fields):
        if name.startswith(HISTORY_PREFIX):
            yield Difference(name, None, _text(kept.fields[name]))
    for space, at in sorted(kept.angles.items()):
        if held.position is None or held.position.space != space:
            yield Difference(f"angle in {space}", None, at)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")
