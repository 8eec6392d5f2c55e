"""Decode input records to events, and encode events; this is the only place that checks inputs.

The functions are pure. Nothing checks the events of :func:`decode_signup` and :func:`decode_order` again. A
record that they refuse becomes a dead letter, with the error's message as its reason. docs/contract.md lists
the rules.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from schemas.days import zone_of
from schemas.errors import BadEvent
from schemas.input_events import Item, Order, Signup, UserErased
from schemas.inputs import field_checks, json_text, null_keys
from schemas.inputs.fields_read import EVERY_FIELD, FieldsRead
from schemas.inputs.forms.event_form import EventForm
from schemas.inputs.forms.framed_values import Unframe, is_framed, without_registry
from schemas.inputs.forms.read_form import ADAPTERS, id_of_null, in_source
from schemas.inputs.forms.written_times import midnight
from schemas.inputs.own_values import own_profile, own_values, with_own
from schemas.inputs.times_ahead import check_ahead
from schemas.inputs.usual_events import MAX_ITEMS, usual_order, usual_signup
from schemas.topics import MAX_INPUT_BYTES

_TIMES = ("created_at", "updated_at", "erased_at")
_Value = TypeVar("_Value")
_Event = TypeVar("_Event", bound=Signup | Order | UserErased)


def decode_signup(
    key: bytes | None,
    value: bytes | None,
    at: datetime,
    *,
    check_key: bool = True,
    read: FieldsRead = EVERY_FIELD,
    form: EventForm | None = None,
    unframe: Unframe = without_registry,
    max_ahead: timedelta | None = None,
) -> Signup | UserErased:
    """Decode a record of ``signups``.

    Args:
        key: the record's key, the user id as UTF-8 text.
        value: the record's value; null (None or JSON's null) erases the user in the key.
        at: the record's time (UTC); an erasure without ``erased_at`` takes it.
        check_key: whether the key must be the user id; False with re-keying. The key of a null value is
            always the user id.
        read: what features read (:func:`schemas.inputs.fields_read.fields_read`). In any other known field a
            wrong value counts as no value. Without a feature that reads items an order has none.
        form: the form of another system's events; None for Segue's own form. Under every form Segue's own
            erasure is understood, because ``segue forget`` sends it.
        unframe: parses a value with the frame of a Schema Registry.
        max_ahead: how far a time in the event may lie ahead of the record's time; None for any time.

    Raises:
        BadEvent: the record breaks a rule; the error names the field, in the source's words, and what is
            wrong.
        NoEvent: the record is in the form, but is no event for this topic.
    """
    if form is None and (usual := usual_signup(value, read)) is not None:
        return _checked(usual, key, at, max_ahead, check_key=check_key)
    fields = value_fields(value, unframe)
    if fields is None:
        user_id = None if form is None else id_of_null(key, form, "signups")
        return UserErased(user_id or null_keys.user_id_in(key), at)
    if form is None or _is_own_erasure(fields):
        return _signup(key, _with_times(fields, value), at, read, max_ahead, check_key=check_key)
    fields, plan = ADAPTERS[form.form](fields, form, "signups", read)
    try:
        return _signup(key, fields, at, read, max_ahead, check_key=check_key, or_rekey=True)
    except BadEvent as error:
        raise in_source(error, plan) from None


def _is_own_erasure(fields: Mapping[str, object]) -> bool:
    return fields.get("type") == field_checks.ERASED_TYPE and "user_id" in fields


def _signup(
    key: bytes | None,
    fields: Mapping[str, object],
    at: datetime,
    read: FieldsRead,
    max_ahead: timedelta | None,
    *,
    check_key: bool,
    or_rekey: bool = False,
) -> Signup | UserErased:
    user_id = field_checks.required_id(fields, "user_id")
    event_id = field_checks.optional_id(fields, "event_id")
    event: Signup | UserErased
    if fields.get("type") == field_checks.ERASED_TYPE:
        event = UserErased(user_id, field_checks.optional_time(fields, "erased_at") or at, event_id)
    else:
        field_checks.not_deleted(fields, "erase a user by an event of type user.erased, or by null")
        event = Signup(
            user_id,
            field_checks.required_time(fields, "created_at"),
            _value(field_checks.age, fields, "age", read),
            _value(field_checks.text, fields, "gender", read),
            _value(field_checks.text, fields, "country", read),
            _value(field_checks.text, fields, "traffic_source", read),
            event_id,
            own_profile(fields, read.user, zone_of(read.time_zone)),
        )
    return _checked(event, key, at, max_ahead, check_key=check_key, or_rekey=or_rekey)


def decode_order(
    key: bytes | None,
    value: bytes | None,
    at: datetime,
    *,
    check_key: bool = True,
    read: FieldsRead = EVERY_FIELD,
    form: EventForm | None = None,
    unframe: Unframe = without_registry,
    max_ahead: timedelta | None = None,
) -> Order:
    """Decode a record of ``orders``.

    Args:
        key: the record's key, the user id as UTF-8 text.
        value: the record's value; it may not be null.
        at: the record's time (UTC).
        check_key: as in :func:`decode_signup`, like all that follow.
        read: what features read. Without a feature that reads items an order has none.
        form: the form of another system's events; None for Segue's own form.
        unframe: parses a value with the frame of a Schema Registry.
        max_ahead: how far a time in the event may lie ahead of the record's time; None for any time.

    Raises:
        BadEvent: the record breaks a rule; the error names the field, in the source's words, and what is
            wrong.
        NoEvent: the record is in the form, but is no event for this topic.
    """
    if form is None and (usual := usual_order(value, read)) is not None:
        return _checked(usual, key, at, max_ahead, check_key=check_key)
    fields = value_fields(value, unframe)
    if fields is None:
        if form is not None:
            id_of_null(key, form, "orders")
        raise BadEvent("", "the value is null, which only signups may have (it erases the user)")
    if form is None:
        return _order(key, _with_times(fields, value), at, read, max_ahead, check_key=check_key)
    fields, plan = ADAPTERS[form.form](fields, form, "orders", read)
    try:
        return _order(key, fields, at, read, max_ahead, check_key=check_key, or_rekey=True)
    except BadEvent as error:
        raise in_source(error, plan) from None


def _order(
    key: bytes | None,
    fields: Mapping[str, object],
    at: datetime,
    read: FieldsRead,
    max_ahead: timedelta | None,
    *,
    check_key: bool,
    or_rekey: bool = False,
) -> Order:
    field_checks.not_deleted(fields, "send the order with a status that says so")
    order_id = field_checks.required_id(fields, "order_id")
    user_id = field_checks.required_id(fields, "user_id")
    order = Order(
        user_id,
        order_id,
        field_checks.required_time(fields, "created_at"),
        _items(fields, read),
        _value(field_checks.text, fields, "status", read),
        field_checks.optional_time(fields, "updated_at"),
        field_checks.optional_id(fields, "event_id"),
        own=own_values(fields, read.order),
    )
    return _checked(order, key, at, max_ahead, check_key=check_key, or_rekey=or_rekey)


def _checked(
    event: _Event,
    key: bytes | None,
    at: datetime,
    max_ahead: timedelta | None,
    *,
    check_key: bool,
    or_rekey: bool = False,
) -> _Event:
    """Return the event after the checks against its record."""
    if check_key:
        _check_key(key, event.user_id, or_rekey=or_rekey)
    if max_ahead is not None:
        check_ahead(event, at, max_ahead)
    return event


def canonical(order: Order) -> bytes:
    """Return an order's canonical bytes: its fields without ``event_id``, as compact JSON with sorted keys.

    Times are in UTC, ids are text, and absent fields are left out. If two versions have the same time, the
    version with the larger canonical bytes counts.

    >>> from schemas import times
    >>> at = times.parse("2024-01-31T10:30:00+01:00")
    >>> canonical(Order("7", "12", at, (Item("Acme", quantity=2),), event_id="e1")).decode()
    '{"created_at":"2024-01-31T09:30:00Z","items":[{"brand":"Acme","quantity":2}],"order_id":"12","user_id":"7"}'
    """
    return _CANONICAL.encode(msgspec.structs.replace(order, event_id=None))


def order_of(canonical_bytes: bytes) -> Order:
    """Decode :func:`canonical` bytes; the order has no ``event_id``."""
    return _ORDER.decode(canonical_bytes)


def encode_signup(event: Signup | UserErased) -> tuple[bytes, bytes]:
    """Return key and value of the event's record on ``signups``, as :func:`decode_signup` reads it."""
    fields = {name: field for name, field in msgspec.structs.asdict(event).items() if field is not None}
    own = fields.pop("own", {})
    if isinstance(event, UserErased):
        fields = {"type": field_checks.ERASED_TYPE} | fields
    return event.user_id.encode(), _PLAIN.encode(with_own(fields, own, amounts=False))


def encode_order(order: Order) -> tuple[bytes, bytes]:
    """Return key and value of the order's record on ``orders``, as :func:`decode_order` reads it."""
    fields = _wire(order)
    fields["items"] = [_wire(item) for item in order.items]
    if not order.items:
        del fields["items"]
    return order.user_id.encode(), _PLAIN.encode(fields)


_PLAIN = msgspec.json.Encoder()
# Order omits fields with the default value None. msgspec writes UTC times exactly as schemas.times.text does;
# a test checks this.
_CANONICAL = msgspec.json.Encoder(order="sorted")
_ORDER = msgspec.json.Decoder(Order)


def _wire(holder: Order | Item) -> dict[str, Any]:
    """Return the fields of an order or an item with a value, with its own values at their paths."""
    fields = {name: value for name, value in msgspec.structs.asdict(holder).items() if value is not None}
    fields.pop("former", None)
    return with_own(fields, fields.pop("own"), amounts=True)


def value_fields(value: bytes | None, unframe: Unframe) -> Mapping[str, object] | None:
    """Return the fields of a record's value; None if the value is null.

    Args:
        value: the record's value.
        unframe: parses a value with the frame of a Schema Registry.

    Raises:
        BadEvent: the value is too large, or is no JSON object.
    """
    if value is None:
        return None
    if len(value) > MAX_INPUT_BYTES:
        raise BadEvent("", f"the value has {len(value):,} bytes, more than {MAX_INPUT_BYTES:,}")
    fields = unframe(value) if is_framed(value) else json_text.load(value)
    if fields is None or isinstance(fields, dict):
        return fields
    raise BadEvent("", f"the value is {field_checks.shown(fields)}, not a JSON object")


def _with_times(fields: Mapping[str, object], value: bytes | None) -> Mapping[str, object]:
    """Return the fields of an event in Segue's own form: a date of Avro is midnight where a time must be."""
    if value is None or not is_framed(value):
        return fields
    return {**fields, **{name: midnight(fields[name]) for name in _TIMES if name in fields}}


def _items(fields: Mapping[str, object], read: FieldsRead) -> tuple[Item, ...]:
    if not read.items:
        return ()
    lines = fields.get("items")
    if lines is None or lines == []:
        raise BadEvent("items", "an order needs at least one item")
    if not isinstance(lines, list):
        raise BadEvent("items", f"{field_checks.shown(lines)} is not an array of items")
    if len(lines) > MAX_ITEMS:
        raise BadEvent("items", f"an order has at most {MAX_ITEMS:,} items, this one has {len(lines):,}")
    return tuple([_item(index, line, read) for index, line in enumerate(lines)])


def _item(index: int, line: object, read: FieldsRead) -> Item:
    if not isinstance(line, dict):
        raise BadEvent(f"items[{index}]", f"{field_checks.shown(line)} is not an object")
    try:
        return Item(
            _value(field_checks.text, line, "brand", read),
            _value(field_checks.text, line, "category", read),
            _value(field_checks.optional_id, line, "product_id", read),
            _value(field_checks.price, line, "price", read),
            _value(field_checks.quantity, line, "quantity", read),
            own_values(line, read.item),
        )
    except BadEvent as error:
        raise BadEvent(f"items[{index}].{error.path}", error.problem) from None


def _value(
    check: Callable[[Mapping[str, object], str], _Value | None],
    fields: Mapping[str, object],
    name: str,
    read: FieldsRead,
) -> _Value | None:
    """Return a field's value. A wrong value is an error if a feature reads the field; else return None."""
    try:
        return check(fields, name)
    except BadEvent:
        if name in read.known:
            raise
        return None


def _check_key(key: bytes | None, user_id: str, *, or_rekey: bool) -> None:
    if key == user_id.encode():
        return
    fix = "key the record by its user id" + (", or set rekey = true" if or_rekey else "")
    if key is None:
        raise BadEvent("key", f"is missing, the user id is {field_checks.shown(user_id)}: {fix}")
    raise BadEvent(
        "key",
        f"{field_checks.shown(key.decode(errors='replace'))} is not the user id"
        f" {field_checks.shown(user_id)}: {fix}",
    )
