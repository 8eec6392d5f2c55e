"""The demo's data: a shop's history, the events of the month after it, and a few bad events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from schemas.topics import Topics
from segue.events.send_events import Outgoing

WAREHOUSE = Path(__file__).parent.parent / "data" / "thelook"
"""thelook e-commerce, made by Google's generator; README.txt in the folder names the source."""
AS_OF = datetime(2024, 12, 1, tzinfo=UTC)
"""Facts before this time are history, for the model and the users' states; later facts are events."""


def bad_events(topics: Topics) -> list[Outgoing]:
    """Return three events that cannot be applied, each for another reason."""
    at = '"created_at": "2024-12-15T12:00:00Z"'
    return [
        Outgoing(
            topics.signups,
            b"900001",
            f'{{"user_id": "900001", {at}, "age": 212}}'.encode(),
            "a signup of a user aged 212",
        ),
        Outgoing(
            topics.orders,
            b"900002",
            f'{{"user_id": "900002", "order_id": "1", {at}, "items": []}}'.encode(),
            "an order without items",
        ),
        Outgoing(topics.orders, b"900003", b"<order id='1'/>", "an order in XML"),
    ]


def with_bad_events(events: Iterable[Outgoing], topics: Topics) -> list[Outgoing]:
    """Return the events, with the bad events spread evenly among them."""
    played = list(events)
    bad = bad_events(topics)
    step = len(played) // (len(bad) + 1)
    for index, event in reversed(list(enumerate(bad, start=1))):
        played.insert(index * step, event)
    return played
