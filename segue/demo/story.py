"""The demo's data: a shop's history, the events of the month after it, and a few bad events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.input_events import Order, Signup
from schemas.topics import Topics
from segue.events.send_events import Outgoing

WAREHOUSE = Path(__file__).parent.parent / "data" / "thelook"
"""thelook e-commerce, made by Google's generator; README.txt in the folder names the source."""
AS_OF = datetime(2024, 12, 1, tzinfo=UTC)
_LAST_DAY = date(2024, 12, 30)


@dataclass(frozen=True, slots=True)
class Story:
    """A shop, and the time that divides its facts.

    Attributes:
        warehouse: the folder of the shop's tables.
        as_of: facts before this time are history, for the model and the users' states; later facts are
            events.
        moved_days: how many days all times of the shop were moved.
        signups: whether signups are played, too; else orders alone.
    """

    warehouse: Path = WAREHOUSE
    as_of: datetime = AS_OF
    moved_days: int = 0
    signups: bool = True

    def facts(self, facts: Iterable[Signup | Order]) -> Iterator[Signup | Order]:
        """Yield those of the shop's facts that are played."""
        return (fact for fact in facts if self.signups or isinstance(fact, Order))


def story_until(today: date, folder: Path) -> Story:
    """Write the shop with all times moved by whole days, so that the last fact is of yesterday.

    A worker decides features of time as of the date of its clock, so the facts must end about then. The days
    between two facts stay, so every run shows the same. Recency, frequency and money are of orders: users
    without an order would only be provisional.

    Args:
        today: the date in UTC.
        folder: gets the tables.
    """
    days = (today - _LAST_DAY).days - 1
    folder.mkdir(exist_ok=True)
    for path in WAREHOUSE.glob("*.parquet"):
        table = pq.read_table(path)
        for place, column in enumerate(table.schema):
            if pa.types.is_timestamp(column.type):
                moved = pc.add(table[column.name], pa.scalar(timedelta(days=days), pa.duration("us")))
                table = table.set_column(place, column.name, moved.cast(column.type))
        pq.write_table(table, folder / path.name, compression="zstd")
    return Story(folder, AS_OF + timedelta(days=days), days, signups=False)


def bad_events(topics: Topics, *, signups: bool = True) -> list[Outgoing]:
    """Return three events that cannot be applied, each for another reason.

    Args:
        topics: the names of the topics.
        signups: whether a signup may be among them; else orders alone.
    """
    at = '"created_at": "2024-12-15T12:00:00Z"'
    first = (
        Outgoing(
            topics.signups,
            b"900001",
            f'{{"user_id": "900001", {at}, "age": 212}}'.encode(),
            "a signup of a user aged 212",
        )
        if signups
        else Outgoing(
            topics.orders,
            b"900001",
            b'{"user_id": "900001", "order_id": "0", "created_at": "soon", "items": []}',
            'an order at the time "soon"',
        )
    )
    return [
        first,
        Outgoing(
            topics.orders,
            b"900002",
            f'{{"user_id": "900002", "order_id": "1", {at}, "items": []}}'.encode(),
            "an order without items",
        ),
        Outgoing(topics.orders, b"900003", b"<order id='1'/>", "an order in XML"),
    ]


def with_bad_events(events: Iterable[Outgoing], bad: list[Outgoing]) -> list[Outgoing]:
    """Return the events, with the bad events spread evenly among them."""
    played = list(events)
    step = len(played) // (len(bad) + 1)
    for index, event in reversed(list(enumerate(bad, start=1))):
        played.insert(index * step, event)
    return played
