"""Which fields of the events a shop's features read."""

from functools import cache

from msgspec import Struct

from schemas.days import UTC_NAME
from schemas.event_fields import KNOWN, Field, Level
from schemas.features import ORDER_VALUE, SIGNUP, Feature


class FieldsRead(Struct, frozen=True):
    """What features read of the events. A wrong value elsewhere refuses no event.

    Attributes:
        known: the names of the known fields.
        user: the fields of a shop's own that a signup brings.
        order: those of an order.
        item: those of each item.
        items: whether an order needs items.
        signups: whether the time of signups is read.
        time_zone: the zone in which a time becomes a date; UTC if no date is read.
    """

    known: frozenset[str] = frozenset(KNOWN)
    user: tuple[Field, ...] = ()
    order: tuple[Field, ...] = ()
    item: tuple[Field, ...] = ()
    items: bool = True
    signups: bool = False
    time_zone: str = UTC_NAME

    @property
    def profile(self) -> bool:
        """Whether a feature reads a signup."""
        return self.signups or bool(self.user) or any(KNOWN[name].level == "user" for name in self.known)

    @property
    def own(self) -> tuple[Field, ...]:
        """All fields of a shop's own."""
        return (*self.user, *self.order, *self.item)


EVERY_FIELD = FieldsRead()
"""Every known field, and none of a shop's own."""


@cache
def fields_read(features: tuple[Feature, ...], *, statuses: bool, time_zone: str = UTC_NAME) -> FieldsRead:
    """Return the fields of events that these features read.

    Args:
        features: the features.
        statuses: whether orders are excluded by their status.
        time_zone: the zone in which a time becomes a date.

    >>> sorted(fields_read((Feature("spend", "sum", "order_value"),), statuses=False).known)
    ['price', 'quantity']
    """
    read = {field for feature in features for field in _fields_of(feature)}
    known = frozenset(field.name for field in read if not field.own)

    def own(level: Level) -> tuple[Field, ...]:
        return tuple(sorted((f for f in read if f.own and f.level == level), key=lambda f: f.name))

    return FieldsRead(
        known | {"status"} if statuses else known,
        own("user"),
        own("order"),
        own("item"),
        items=any(field.level == "item" for field in read),
        signups=any(feature.source == SIGNUP for feature in features),
        time_zone=time_zone if any(field.type == "date" for field in read) else UTC_NAME,
    )


def _fields_of(feature: Feature) -> set[Field]:
    field = feature.field
    if field is None:
        return {KNOWN["price"], KNOWN["quantity"]} if feature.source == ORDER_VALUE else set()
    # Each item counts with its quantity, except in a count of different values.
    weighted = field.level == "item" and feature.kind != "distinct"
    return {field, KNOWN["quantity"]} if weighted else {field}
