"""Segment's and RudderStack's calls: ``identify`` is a signup, ``track`` of an order's events is an order.

Sources: Segment's specifications of identify, track and "V2 Ecommerce Events"; RudderStack has the same
names.
"""

from collections.abc import Mapping

from schemas.errors import BadEvent
from schemas.inputs.field_checks import shown
from schemas.inputs.fields_read import FieldsRead
from schemas.inputs.forms.event_form import EventForm, NoEvent, Source
from schemas.inputs.forms.field_paths import ITEMS, Places, Plan, plan_of
from schemas.inputs.forms.translate_fields import Fields, look_up, translated

# The status of the order by the name of the event.
STATUSES = {
    "Order Completed": "Completed",
    "Order Updated": "Updated",
    "Order Refunded": "Refunded",
    "Order Cancelled": "Cancelled",
}
# Such an event needs no products: the whole order is meant.
_OF_THE_WHOLE = ("Refunded", "Cancelled")
# RudderStack's SDKs put the time into originalTimestamp, and its server adds timestamp.
_TIMES = (("timestamp",), ("context", "timestamp"), ("originalTimestamp",))

SIGNUP_PLACES = Places(
    fields=(
        ("user_id", "userId"),
        ("event_id", "messageId"),
        ("created_at", "timestamp"),
        ("age", "traits.age"),
        ("gender", "traits.gender"),
        ("country", "traits.address.country"),
        ("traffic_source", "context.campaign.source"),
    ),
    own="traits.",
)
ORDER_PLACES = Places(
    fields=(
        ("order_id", "properties.order_id"),
        ("user_id", "userId"),
        ("event_id", "messageId"),
        ("created_at", "timestamp"),
        ("updated_at", "timestamp"),
        ("status", "status"),
        (ITEMS, "properties.products"),
    ),
    own="properties.",
)


def from_segment(
    call: Mapping[str, object], form: EventForm, topic: Source, read: FieldsRead
) -> tuple[Fields, Plan]:
    """Return the event in Segue's own form, and where its fields were.

    Args:
        call: the record's JSON.
        form: the topic's form; it may have paths to fields.
        topic: what the record's topic holds.
        read: what features read.

    Raises:
        BadEvent: the call cannot be read.
        NoEvent: the call is another one than the topic holds, or of nobody who is known.
    """
    kind = call.get("type")
    if kind is None:
        raise BadEvent("type", "is missing: a call of Segment has one, such as identify or track")
    if not isinstance(kind, str):
        raise BadEvent(
            "type", f"{shown(kind)} is not the name of a call of Segment, such as identify or track"
        )
    status = _status(call, kind, topic)
    if call.get("userId") in (None, "") and call.get("anonymousId") and "user_id" not in dict(form.paths):
        raise NoEvent
    body = {**call, "timestamp": _time(call)}
    if topic == "signups":
        plan = plan_of(form, topic, read, SIGNUP_PLACES)
        return translated({**body, "traits": _traits(call)}, plan), plan
    plan = plan_of(form, topic, read, ORDER_PLACES)
    fields = translated({**body, "status": status}, plan)
    if ITEMS in fields and not fields[ITEMS] and status in _OF_THE_WHOLE:
        fields[ITEMS] = [{}]
    return fields, plan


def _status(call: Mapping[str, object], kind: str, topic: Source) -> str | None:
    """Return the order's status; None for a signup."""
    if topic == "signups":
        if kind != "identify":
            raise NoEvent
        return None
    event = call.get("event")
    if kind != "track" or not isinstance(event, str) or event not in STATUSES:
        raise NoEvent
    return STATUSES[event]


def _time(call: Mapping[str, object]) -> object:
    found = (look_up(call, path, ".".join(path)) for path in _TIMES)
    return next((value for value in found if value is not None), None)


def _traits(call: Mapping[str, object]) -> object:
    """Return the call's traits; RudderStack's SDKs put them into the context."""
    context = look_up(call, ("context", "traits"), "context.traits")
    traits = call.get("traits")
    if isinstance(context, Mapping) and isinstance(traits, Mapping | None):
        return {**context, **(traits or {})}
    return traits
