"""Compares a user's data in Redis with the state that the log gives, field by field. Pure."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from schemas.inputs.decode import canonical
from streamer.batch.batch_users import fields_of
from streamer.place.redis_keys import ORDER_PREFIX, STATE, due_score
from streamer.segment.active_model import ActiveModel
from streamer.segment.decide_event import placed
from streamer.segment.neighbours import angle
from streamer.user.days.day_totals import without_days
from streamer.user.history import FIELD_PREFIX as HISTORY_PREFIX
from streamer.user.order_index import all_entries
from streamer.user.order_rules import Rules
from streamer.user.stored.stored_state import decode, unpack_order
from streamer.user.user_state import Facts, UserState

_DECIDED = ("segment", "segment_name", "provisional", "sequence")
# If a newer release agrees with a decision, only Redis notes the newer release and activation.
_PLAIN = (*_DECIDED, "model_version", "activation")

ModelOf = Callable[[str, str | None], ActiveModel | None]
"""Returns a model of a space. The arguments are the space and the version of the release that decided the
user, or None."""


class Kept(Struct, frozen=True):
    """A user's data in Redis.

    Attributes:
        fields: the user's hash.
        angles: the user's angle in radians, by space; a space without an angle is left out.
        swept: the user is in the lane's set of users by sweep.
        index: the entries of the user's index of orders.
        due: the day on which the user is due, as in Redis (20240301); None if it is never due.
    """

    fields: Mapping[str, bytes]
    angles: Mapping[str, float]
    swept: bool
    index: frozenset[str] = frozenset()
    due: int | None = None


class Difference(Struct, frozen=True):
    """A field of a user that differs between the log and Redis; the values are JSON values."""

    field: str
    log: object
    redis: object


def differences(
    expected: UserState, kept: Kept, model_of: ModelOf, rules: Rules, day: date | None
) -> list[Difference]:
    """The fields that differ; empty if Redis agrees with the log.

    Args:
        expected: the user's whole state from the log, with the decision in ``user-segments``.
        kept: the user's data in Redis at the same place.
        model_of: gives the model of a space; None if the model is not known.
        rules: the settings of the fold.
        day: the lane's day; None if no declared feature reads the day.
    """
    if not kept.fields:
        known = expected.decided is not None or expected.facts != UserState(expected.user_id).facts
        return [Difference("user", "known", "missing")] if known else []
    stored = kept.fields.get(STATE)
    try:
        held = decode(expected.user_id, stored, {})
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return [Difference(STATE, "readable", str(error))]
    return [
        *_facts(expected, held, rules, day),
        *_orders(expected, kept),
        *_index(expected, held, kept, rules),
        *_decision(expected, held),
        *_plain(held, kept),
        *_position(expected, held, kept, model_of, rules, day),
        *_swept(expected, kept),
        *_left_over(expected, held, kept),
    ]


def _facts(expected: UserState, held: UserState, rules: Rules, day: date | None) -> Iterator[Difference]:
    """Compare the facts; days that lie in no window on the lane's day may have been dropped."""
    facts = expected.facts
    if day is not None and rules.reach and held.facts.dropped_to > facts.dropped_to:
        facts = without_days(facts, min(held.facts.dropped_to, day.toordinal() - rules.reach))
    right, found = _by_name(facts), _by_name(held.facts)
    for name in sorted(right.keys() | found.keys()):
        if right.get(name) != found.get(name):
            yield Difference(name, right.get(name), found.get(name))


def _by_name(facts: Facts) -> dict[str, Any]:
    """The facts that are not empty, by name."""
    named = msgspec.to_builtins(asdict(facts))
    return {name: value for name, value in named.items() if value}


def _orders(expected: UserState, kept: Kept) -> Iterator[Difference]:
    user_id, begin = expected.user_id, len(ORDER_PREFIX)
    right = {k: canonical(order).decode() for k, order in expected.orders.items() if order is not None}
    found = {
        name[begin:]: _order_text(user_id, name[begin:], value)
        for name, value in kept.fields.items()
        if name.startswith(ORDER_PREFIX)
    }
    for order_id in sorted(right.keys() | found.keys()):
        if right.get(order_id) != found.get(order_id):
            yield Difference(ORDER_PREFIX + order_id, right.get(order_id), found.get(order_id))


def _order_text(user_id: str, order_id: str, stored: bytes) -> str:
    """A stored order as canonical JSON; the bytes themselves if they are no order."""
    try:
        return canonical(unpack_order(user_id, order_id, stored)).decode()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return stored.decode(errors="backslashreplace")


def _index(expected: UserState, held: UserState, kept: Kept, rules: Rules) -> Iterator[Difference]:
    """Compare the index of orders: it must cover all orders, or there must be no index."""
    right = all_entries(expected.user_id, expected.orders.values(), rules) if held.indexed else frozenset()
    for entry in sorted(right ^ kept.index):
        yield Difference("index of orders", *((entry, None) if entry in right else (None, entry)))


def _decision(expected: UserState, held: UserState) -> Iterator[Difference]:
    right, found = expected.decided, held.decided
    for name in _DECIDED:
        of_log, of_redis = getattr(right, name, None), getattr(found, name, None)
        if of_log != of_redis:
            yield Difference(name, of_log, of_redis)
    if right is None or found is None or right.models_topic != found.models_topic:
        return
    if found.activation < right.activation:
        yield Difference("activation", right.activation, found.activation)


def _plain(held: UserState, kept: Kept) -> Iterator[Difference]:
    """Compare the plain fields for readers with the state in Redis."""
    fields = fields_of(held)
    for name in _PLAIN:
        right, found = fields.get(name), kept.fields.get(name)
        if right != _text(found):
            yield Difference(f"field {name}", right, _text(found))


def _position(
    expected: UserState, held: UserState, kept: Kept, model_of: ModelOf, rules: Rules, day: date | None
) -> Iterator[Difference]:
    """Compare the components by a release of the stored position's space, and the angle in its index.

    With features of time, the components are of the day when the user was last decided, which nobody knows.
    Then a user who would be decided otherwise on the lane's day must be due.
    """
    position = held.position
    if position is None:
        if expected.facts.alive:
            yield Difference("components", "there", None)
        return
    model = model_of(position.space, None if held.decided is None else held.decided.model_version)
    if model is not None:
        now, other = placed(expected, model, rules, day)
        of_log = None if now.position is None else now.position.components
        if day is None or not model.scorer.reads_day:
            if of_log != position.components:
                yield Difference("components", of_log, position.components)
        elif other and _decided_by(held, model) and not _is_due(kept, day):
            yield Difference("due", due_score(day), kept.due)
    at = angle(position.components)
    if kept.angles.get(position.space) != at:
        yield Difference(f"angle in {position.space}", at, kept.angles.get(position.space))


def _decided_by(held: UserState, model: ActiveModel) -> bool:
    """Whether this release decided the user; a sweep will decide the others."""
    return held.decided is not None and held.decided.model_version == model.release.version


def _is_due(kept: Kept, day: date) -> bool:
    return kept.due is not None and kept.due <= due_score(day)


def _swept(expected: UserState, kept: Kept) -> Iterator[Difference]:
    if expected.facts.alive != kept.swept:
        yield Difference("among the lane's users", expected.facts.alive, kept.swept)


def _left_over(expected: UserState, held: UserState, kept: Kept) -> Iterator[Difference]:
    """The data that an erasure should have deleted with the state: history, due day, and angles.

    A bootstrap may know a user's decision and no fact. Such a user has a history, and the others not.
    """
    if expected.facts.alive:
        return
    if kept.due is not None:
        yield Difference("due", None, kept.due)
    for name in sorted(kept.fields):
        if name.startswith(HISTORY_PREFIX) and not expected.exists:
            yield Difference(name, None, _text(kept.fields[name]))
    for space, at in sorted(kept.angles.items()):
        if held.position is None or held.position.space != space:
            yield Difference(f"angle in {space}", None, at)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")
