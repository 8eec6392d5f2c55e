"""The stored form of a state and of an order: MessagePack arrays, without the names of the fields.

Formats 1 to 6 are JSON with names. A state or an order with a whole number beyond 64 bits still is, because
MessagePack has no such numbers. JSON begins with ``{``, and so does no array in MessagePack.
"""

from datetime import datetime

import msgspec
from msgspec import Struct
from msgspec.structs import astuple

from schemas.input_events import Item, Order, OwnValues
from schemas.inputs.decode import canonical, order_of
from streamer.user.stored.stored_formats import NEWEST, UNNUMBERED, check_format, is_json
from streamer.user.user_state import Contradiction, Decided, Facts, Position, UserState


class _NamedFacts(Facts, frozen=True, omit_defaults=True, array_like=False):
    """The facts, with names."""


class _NamedDecided(Decided, frozen=True, array_like=False):
    """The decision, with names."""


class _NamedPosition(Position, frozen=True, array_like=False):
    """The position, with names."""


class _NamedState(Struct, frozen=True, omit_defaults=True):
    facts: _NamedFacts
    decided: _NamedDecided | None = None
    position: _NamedPosition | None = None
    entered: int = 0
    indexed: bool = False
    # `encode` always writes NEWEST, so the default only stands for data without a number.
    format: int = UNNUMBERED


class _StateRow(Struct, frozen=True, array_like=True):
    format: int
    facts: Facts
    decided: Decided | None
    position: Position | None
    entered: int
    indexed: bool


class _ItemRow(Item, frozen=True, array_like=True):
    """An item, as an array."""


class _OrderRow(Struct, frozen=True, array_like=True):
    created_at: datetime
    items: tuple[_ItemRow, ...]
    status: str | None
    updated_at: datetime | None
    former: tuple["_OrderRow", ...]
    own: OwnValues


# Made at import: see the decoder in streamer/place/place.py.
_json_decoder = msgspec.json.Decoder(_NamedState)
_json_encoder = msgspec.json.Encoder()
_state_decoder = msgspec.msgpack.Decoder(_StateRow)
_order_decoder = msgspec.msgpack.Decoder(_OrderRow)
_encoder = msgspec.msgpack.Encoder()


def encode(state: UserState) -> bytes:
    """The stored form of a state without its orders."""
    facts, decided, position = state.facts, state.decided, state.position
    try:
        return _encoder.encode((NEWEST, facts, decided, position, state.entered, state.indexed))
    except OverflowError:
        return _json_encoder.encode(
            _NamedState(
                _NamedFacts(*astuple(facts)),
                None if decided is None else _NamedDecided(*astuple(decided)),
                None if position is None else _NamedPosition(*astuple(position)),
                state.entered,
                state.indexed,
                NEWEST,
            )
        )


def decode(user_id: str, stored: bytes | None, orders: dict[str, Order | None]) -> UserState:
    """The state of a user, from its stored form and the orders that were read.

    Raises:
        Contradiction: more orders were read than the state counts.
        NewerFormat: a newer version wrote the state.
        msgspec.MsgspecError: the bytes are not a state.
    """
    if stored is None:
        return UserState(user_id)
    try:
        kept = _row_of(_json_decoder.decode(stored)) if is_json(stored) else _state_decoder.decode(stored)
    except msgspec.MsgspecError:
        check_format(stored, "a state")  # a newer format that cannot be read is named as such
        raise
    if kept.format > NEWEST:
        check_format(stored, "a state")
    held = sum(order is not None for order in orders.values())
    if held > kept.facts.held:
        raise Contradiction(f"the state counts {kept.facts.held} orders, but {held} are stored")
    return UserState(
        user_id,
        kept.facts,
        kept.decided,
        kept.position,
        kept.entered,
        orders=orders,
        whole=held == kept.facts.held,
        indexed=kept.indexed,
    )


def _row_of(state: _NamedState) -> _StateRow:
    decided, position = state.decided, state.position
    return _StateRow(
        state.format,
        Facts(*astuple(state.facts)),
        None if decided is None else Decided(*astuple(decided)),
        None if position is None else Position(*astuple(position)),
        state.entered,
        state.indexed,
    )


def pack_order(order: Order) -> bytes:
    """The stored form of an order, without its id and its user's."""
    try:
        return _encoder.encode(_order_row(order))
    except OverflowError:
        return canonical(order)


def unpack_order(user_id: str, order_id: str, stored: bytes) -> Order:
    """The order of a user, from its stored form.

    Raises:
        msgspec.MsgspecError: the bytes are not an order.
    """
    if is_json(stored):
        return order_of(stored)
    return _order_in(user_id, order_id, _order_decoder.decode(stored))


def _order_row(order: Order) -> tuple[object, ...]:
    items = [astuple(item) for item in order.items]
    former = [_order_row(version) for version in order.former]
    return order.created_at, items, order.status, order.updated_at, former, order.own


def _order_in(user_id: str, order_id: str, row: _OrderRow) -> Order:
    return Order(
        user_id,
        order_id,
        row.created_at,
        tuple([Item(*astuple(item)) for item in row.items]),
        row.status,
        row.updated_at,
        former=tuple([_order_in(user_id, order_id, version) for version in row.former]),
        own=row.own,
    )
