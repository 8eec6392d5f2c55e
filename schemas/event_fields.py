"""The fields of events that features can read: those that Segue knows, and any other field of a shop's own.

A field is named ``user.<path>``, ``order.<path>`` or ``item.<path>``; a dot in the path goes into an object.
On the stream it is the field of the event's JSON with that path, in the warehouse the column with that name.
The known fields have short names: ``age`` is ``user.age``.
"""

import re
from functools import cache
from typing import Literal

from msgspec import Struct

Level = Literal["user", "order", "item"]
FieldType = Literal["text", "number", "boolean", "date"]

LEVELS: tuple[Level, ...] = ("user", "order", "item")
FIELD_TYPES: tuple[FieldType, ...] = ("text", "number", "boolean", "date")
MAX_PATH_BYTES = 200

# Ids and times: the event's own, which no feature can read. An order's items are fields of level item.
_RESERVED: dict[Level, tuple[str, ...]] = {
    "user": ("user_id", "id", "created_at", "event_id", "type", "erased_at"),
    "order": ("order_id", "user_id", "created_at", "updated_at", "event_id", "items"),
    "item": ("id", "order_id", "inventory_item_id"),
}
_PART = re.compile(r'[^\s.:"\\\x00-\x1f\x7f]+')


class Field(Struct, frozen=True):
    """A field of events.

    Attributes:
        name: its name as a source: ``brand``, or ``item.weight`` for a field of a shop's own.
        level: whether the user, the order or each item of an order has it.
        type: the type of its values.
        path: the way to it in the JSON of the event or the item.
        own: whether it is a field of a shop's own, which Segue knows only from the settings.
    """

    name: str
    level: Level
    type: FieldType
    path: tuple[str, ...]
    own: bool = False

    @property
    def column(self) -> str:
        """The name of its column in the warehouse."""
        return ".".join(self.path)


def _known(level: Level, kind: FieldType, *names: str) -> dict[str, Field]:
    return {name: Field(name, level, kind, (name,)) for name in names}


KNOWN: dict[str, Field] = {
    **_known("user", "number", "age"),
    **_known("user", "text", "gender", "country", "traffic_source"),
    **_known("item", "text", "brand", "category", "product_id"),
    **_known("order", "text", "status"),
    **_known("item", "number", "price", "quantity"),
}


def short_name(source: str) -> str:
    """Return the short name of a known field, and any other source as it is.

    >>> short_name("user.age"), short_name("user.income")
    ('age', 'user.income')
    """
    level, _, path = source.partition(".")
    known = KNOWN.get(path)
    return path if known is not None and known.level == level else source


@cache
def field_of(source: str, kind: FieldType | None = None) -> Field | None:
    """Return the field that a source names; None if it names none.

    Args:
        source: a short name, or ``user.<path>``, ``order.<path>``, ``item.<path>``.
        kind: the type of a field of a shop's own; None: text. A known field has its own type.

    >>> field_of("item.size.width", "number")
    Field(name='item.size.width', level='item', type='number', path=('size', 'width'), own=True)
    """
    known = KNOWN.get(short_name(source))
    if known is not None:
        return known
    level = _level(source)
    if level is None or why_no_field(source) is not None:
        return None
    return Field(source, level, kind or "text", tuple(source.split(".")[1:]), own=True)


def why_no_field(source: str) -> str | None:
    """Return why a source that begins like a field of a shop's own is none; None if it is one, or begins
    else.

    >>> why_no_field("order.items"), why_no_field("item.a b")
    ("items is the event's own",
     'a field has no blanks, colons, double quotes, backslashes or control characters')
    """
    level = _level(source)
    if level is None:
        return None
    path = source.split(".")[1:]
    if path[0] in _RESERVED[level]:
        return f"{path[0]} is the event's own"
    if len(source.encode()) > MAX_PATH_BYTES:
        return f"it has more than {MAX_PATH_BYTES} bytes"
    if not all(path):
        return "a part of it is empty"
    if not all(_PART.fullmatch(part) for part in path):
        return "a field has no blanks, colons, double quotes, backslashes or control characters"
    return None


def _level(source: str) -> Level | None:
    return next((each for each in LEVELS if source.startswith(f"{each}.")), None)
