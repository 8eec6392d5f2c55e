"""Turns the warehouse's rows into the events that would have brought them over Kafka."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from schemas.input_events import Order, Signup
from schemas.inputs.decode import encode_order, encode_signup
from schemas.topics import Topics
from segue.events.send_events import Outgoing


def outgoing(facts: Iterable[Signup | Order], topics: Topics) -> Iterator[Outgoing]:
    """Yield each fact as an event of its input topic."""
    for fact in facts:
        if isinstance(fact, Order):
            key, value = encode_order(fact)
            yield Outgoing(topics.orders, key, value, f"order {fact.order_id} of user {fact.user_id}")
        else:
            key, value = encode_signup(fact)
            yield Outgoing(topics.signups, key, value, f"user {fact.user_id}")
