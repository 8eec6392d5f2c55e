"""What the setting ``events`` says about an input topic: the form of its events,
and where their fields are.
"""

from typing import Literal

from msgspec import Struct

from schemas.inputs.forms.written_numbers import DecimalMark

FormName = Literal["mapping", "segment", "debezium", "cloudevents"]
Source = Literal["signups", "orders"]


class EventForm(Struct, frozen=True, omit_defaults=True):
    """The form of the events on one topic.

    Attributes:
        form: the name of the form.
        paths: by field, the path to it in the source's JSON. Fields of an item have the names of sources of
            features (``brand``, ``item.weight``), and so have a shop's own fields (``order.channel``).
        values: by field, other values by the source's values.
        dates: how times are written that are not RFC 3339 (:mod:`schemas.inputs.forms.written_times`).
        decimal: the decimal mark of numbers in text (:mod:`schemas.inputs.forms.written_numbers`).
    """

    form: FormName = "mapping"
    paths: tuple[tuple[str, str], ...] = ()
    values: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    dates: str | None = None
    decimal: DecimalMark = "."


class EventForms(Struct, frozen=True, omit_defaults=True):
    """The forms of both inputs; None for events in Segue's own form."""

    signups: EventForm | None = None
    orders: EventForm | None = None


class NoEvent(Exception):
    """The record is no event for this topic, such as a page view: it is counted and passed over."""
