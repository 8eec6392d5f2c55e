"""Where each field of an event is in a source's JSON: a form's paths,
and the form's own places for the rest.
"""

from functools import cache
from typing import Literal

from msgspec import Struct

from schemas.event_fields import KNOWN, Field, FieldType, Level
from schemas.inputs.fields_read import FieldsRead
from schemas.inputs.forms.event_form import EventForm, Source
from schemas.inputs.forms.written_numbers import DecimalMark
from schemas.inputs.forms.written_times import UNITS

Kind = Literal["id", "time"] | FieldType

# The fields of the event itself, which are no values for features.
EVENT_FIELDS: dict[Source, dict[str, Kind]] = {
    "signups": {"user_id": "id", "event_id": "id", "created_at": "time"},
    "orders": {
        "order_id": "id",
        "user_id": "id",
        "event_id": "id",
        "created_at": "time",
        "updated_at": "time",
    },
}
ITEMS = "items"


class Places(Struct, frozen=True):
    """A form's own places of fields, for those that the settings do not map.

    Attributes:
        fields: paths by field.
        own: the path to a shop's own fields of the user or the order, which end it.
        shown: what errors put before each path: the place of the part of the record that is mapped.
    """

    fields: tuple[tuple[str, str], ...] = ()
    own: str = ""
    shown: str = ""


class Wanted(Struct, frozen=True):
    """One field: where it is, and where it goes.

    Attributes:
        name: its name in Segue.
        into: the path to it in Segue's own form.
        path: the path to it in the source's JSON.
        shown: the same as text, for errors.
        kind: the kind of its values.
        values: other values by the source's values.
        needed: whether a wrong value refuses the event.
    """

    name: str
    into: tuple[str, ...]
    path: tuple[str, ...]
    shown: str
    kind: Kind
    values: dict[str, str]
    needed: bool


class Plan(Struct, frozen=True):
    """All that an adapter takes from a record.

    Attributes:
        event: the fields of the event.
        items: where the items of an order are; None if nothing reads items.
        item: the fields of each item.
        deep: where paths of several parts begin: the columns of a row that they lead into.
        names: by path in Segue's own form, the source's path as text; an item's fields begin with ``items.``.
        dates: the form of the times.
        days: the form of values in fields of type date.
        decimal: the decimal mark of numbers in text.
    """

    event: tuple[Wanted, ...]
    items: Wanted | None
    item: tuple[Wanted, ...]
    deep: frozenset[str]
    names: dict[str, str]
    dates: str | None
    days: str | None
    decimal: DecimalMark

    def in_source(self, path: str) -> str:
        """Return the source's path for a path of Segue's own form, such as ``items[2].price``."""
        if path in self.names:
            return self.names[path]
        line, bracket, rest = path.partition("[")
        number, _, inner = rest.partition("]")
        if line != ITEMS or not bracket or ITEMS not in self.names:
            return path
        inner = inner.removeprefix(".")
        within = f".{self.names.get(f'{ITEMS}.{inner}', inner)}" if inner else ""
        return f"{self.names[ITEMS]}[{number}]{within}"


def parts_of(path: str) -> tuple[str, ...]:
    """Return the parts of a path; a part that is a number goes into an array."""
    return tuple(path.split("."))


@cache
def plan_of(form: EventForm, topic: Source, read: FieldsRead, places: Places) -> Plan:
    """Return what to take from a record.

    Args:
        form: the form with its paths.
        topic: the input topic.
        read: the fields that features read.
        places: the form's own places of fields.
    """
    given, by_form = dict(form.paths), dict(places.fields)
    values = {name: dict(pairs) for name, pairs in form.values}

    def wanted(name: str, into: tuple[str, ...], kind: Kind, place: str, *, needed: bool) -> Wanted:
        path = given.get(name) or by_form.get(name) or place
        shown = path if name.startswith("item.") or _level(name) == "item" else places.shown + path
        return Wanted(name, into, parts_of(path), shown, kind, values.get(name, {}), needed)

    def own(fields: tuple[Field, ...], before: str) -> list[Wanted]:
        return [wanted(f.name, f.path, f.type, f"{before}{f.column}", needed=True) for f in fields]

    def known(level: Level) -> list[Wanted]:
        return [
            wanted(
                f.name,
                f.path,
                "id" if f.name == "product_id" else f.type,
                f.name,
                needed=f.name in read.known,
            )
            for f in KNOWN.values()
            if f.level == level
        ]

    level: Level = "user" if topic == "signups" else "order"
    event = [wanted(name, (name,), kind, name, needed=True) for name, kind in EVENT_FIELDS[topic].items()]
    event += known(level) + own(read.user if topic == "signups" else read.order, places.own)
    items = item = None
    if topic == "orders" and read.items:
        items = wanted(ITEMS, (ITEMS,), "text", ITEMS, needed=True)
        item = known("item") + own(read.item, "")
    outer = [*event, *([items] if items else [])]
    deep = frozenset(each.path[0] for each in outer if len(each.path) > 1)
    names = {".".join(each.into): each.shown for each in outer}
    names |= {f"{ITEMS}.{'.'.join(each.into)}": each.shown for each in item or ()}
    # Without a schema a date of Debezium is a number of days, whatever the unit of its times.
    in_units = form.form == "debezium" and form.dates in UNITS and form.dates != "unix_days"
    days = None if in_units else form.dates
    return Plan(tuple(event), items, tuple(item or ()), deep, names, form.dates, days, form.decimal)


def _level(name: str) -> str | None:
    return KNOWN[name].level if name in KNOWN else None
