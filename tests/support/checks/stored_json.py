"""Stored states and orders as JSON with names, read by the layout in docs/redis.md and not by the product."""

import json
from typing import Any

import msgspec

STATE = ("format", "facts", "decided", "position", "entered", "indexed")
FACTS = (
    *("signed_up_at", "profile", "held", "counted", "brands", "categories", "product_ids", "statuses"),
    *("sums", "least", "most", "latest", "erased_at", "own", "days", "signups", "totals", "dropped_to"),
)
DECIDED = (
    *("segment", "segment_name", "provisional", "sequence", "model_version", "activation", "models_topic"),
)
POSITION = ("space", "components", "missing")
ORDER = ("created_at", "items", "status", "updated_at", "former", "own")
ITEM = ("brand", "category", "product_id", "price", "quantity", "own")


def state_json(stored: bytes) -> dict[str, Any]:
    """Return a stored state, without the fields that are empty; times are text."""
    if stored.startswith(b"{"):
        return dict(json.loads(stored))
    state = _named(STATE, msgspec.msgpack.decode(stored))
    state["facts"] = _filled(_named(FACTS, state["facts"]))
    for name, names in (("decided", DECIDED), ("position", POSITION)):
        if state[name] is not None:
            state[name] = _named(names, state[name])
    read = {name: value for name, value in state.items() if value or name == "facts"}
    return dict(json.loads(msgspec.json.encode(read)))


def order_json(user_id: str, order_id: str, stored: bytes) -> bytes:
    """Return a stored order as canonical JSON."""
    if stored.startswith(b"{"):
        return stored
    return msgspec.json.encode(_order(user_id, order_id, msgspec.msgpack.decode(stored)), order="sorted")


def _order(user_id: str, order_id: str, row: list[Any]) -> dict[str, Any]:
    order = _named(ORDER, row)
    order["items"] = [_filled(_named(ITEM, item)) for item in order["items"]]
    order["former"] = [_order(user_id, order_id, version) for version in order["former"]]
    return {"user_id": user_id, "order_id": order_id, "items": [], **_filled(order)}


def _named(names: tuple[str, ...], row: list[Any]) -> dict[str, Any]:
    return dict(zip(names, row, strict=True))


def _filled(fields: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is empty; a price of 0 is none of it."""
    return {name: value for name, value in fields.items() if value or (name == "price" and value is not None)}
