"""Debezium's changes of a table's rows: with its envelope, or unwrapped by ExtractNewRecordState.

Both may stand in ``{"schema": …, "payload": …}``, as JsonConverter writes them with schemas.enable. Sources:
Debezium's documentation of the PostgreSQL and MySQL connectors, "Data change events" and "Data type
mappings", and of "New Record State Extraction".
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from schemas.errors import BadEvent
from schemas.inputs import field_checks, json_text, null_keys
from schemas.inputs.fields_read import FieldsRead
from schemas.inputs.forms.connect_values import plain_row
from schemas.inputs.forms.event_form import EventForm, NoEvent, Source
from schemas.inputs.forms.field_paths import ITEMS, Places, Plan, plan_of
from schemas.inputs.forms.translate_fields import Fields, look_up, other_value, translated, with_json
from schemas.inputs.forms.written_times import since_1970

DELETED_STATUS = "Deleted"
"""The status of an order whose row was deleted."""
# The time of the change in the database, before the time when the connector read it.
_CHANGED = ((("source", "ts_us"), 1), (("source", "ts_ms"), 1_000), (("ts_us",), 1), (("ts_ms",), 1_000))
_OPERATIONS = ("c", "u", "r", "d")
_WHOLE_ORDER = (
    "the row of an order needs a column with its items; `segue join` makes such rows of a topic of orders and"
    " a topic of order_items (docs/events.md, Debezium)"
)
_CHANGED_UNWRAPPED = (
    (("__source_ts_us",), 1),
    (("__source_ts_ms",), 1_000),
    (("__ts_us",), 1),
    (("__ts_ms",), 1_000),
)


class Change(Struct, frozen=True):
    """A change of one row.

    Attributes:
        row: the row after the change; for a deleted row before it.
        schema: the row's schema; None if the record has none.
        deleted: whether the row was deleted.
        changed_at: the time of the change, RFC 3339; None if the record does not say.
        changed_in: the path to this time, for errors.
        shown: what errors put before a column's name.
    """

    row: Mapping[str, object]
    schema: object
    deleted: bool
    changed_at: str | None
    changed_in: str
    shown: str


def from_debezium(
    record: Mapping[str, object], form: EventForm, topic: Source, read: FieldsRead
) -> tuple[Fields, Plan]:
    """Return the event in Segue's own form, and where its fields were.

    A deleted user is erased as of the change. A deleted order is a version with the status
    :data:`DELETED_STATUS`. Without a path, the time of the change is the time of a user's profile and the
    ``updated_at`` of an order.

    Args:
        record: the record's JSON: a change with its envelope, or an unwrapped row.
        form: the topic's form; it may have paths to fields.
        topic: what the record's topic holds.
        read: what features read.

    Raises:
        BadEvent: the record cannot be read.
        NoEvent: the record is a message of Debezium's own.
    """
    change = change_in(record)
    newest = "created_at" if topic == "signups" else "updated_at"
    plan = plan_of(form, topic, read, Places(shown=change.shown))
    needed = {each.path[0] for each in (*plan.event, *([plan.items] if plan.items else ())) if each.needed}
    row = with_json(plain_row(change.row, change.schema, needed, change.shown), plan.deep)
    if plan.items is not None and plan.items.path[0] not in row and not change.deleted:
        raise BadEvent(plan.items.shown, f"is missing: {_WHOLE_ORDER}")
    if change.deleted and topic == "signups":
        user = next(each for each in plan.event if each.name == "user_id")
        user_id = other_value(look_up(row, user.path, user.shown), user.values)
        fields: Fields = {"type": field_checks.ERASED_TYPE, "user_id": user_id}
        if change.changed_at is None:
            return fields, plan
        return fields | {"erased_at": change.changed_at}, _with_name(plan, "erased_at", change.changed_in)
    if change.changed_at is not None and (change.deleted or newest not in dict(form.paths)):
        others = tuple(each for each in plan.event if each.name != newest)
        fields = translated(row, replace(plan, event=others), json_items=True)
        fields[newest] = change.changed_at
        plan = _with_name(plan, newest, change.changed_in)
    else:
        fields = translated(row, plan, json_items=True)
        # An order's updated_at may be null, but a row without the column says nothing of its newest change.
        silent = fields.get(newest) is None and (topic == "signups" or newest not in row)
        if silent and newest not in dict(form.paths):
            raise _no_time(record, newest, unwrapped=not change.shown)
    if change.deleted:
        fields["status"] = DELETED_STATUS
        if ITEMS in fields and not fields[ITEMS]:
            fields[ITEMS] = [{}]
    return fields, plan


def _with_name(plan: Plan, name: str, path: str) -> Plan:
    """Return the plan with another path of a field for errors."""
    return replace(plan, names={**plan.names, name: path})


def user_id_in_key(key: bytes | None, form: EventForm) -> str:
    """Return the id of the user whose row's tombstone has this key: plain text, or the row's key as JSON.

    Plain text is Segue's own id, as in a forwarded record. JSON has the source's id.

    Raises:
        BadEvent: the key has no such id.
    """
    if key is None or not key.lstrip().startswith(b"{"):
        return null_keys.user_id_in(key)
    try:
        parsed = json_text.load(key)
    except BadEvent:
        return null_keys.user_id_in(key)
    columns, _ = _payload(parsed if isinstance(parsed, Mapping) else {})
    column = dict(form.paths).get("user_id", "user_id")
    values = dict(dict(form.values).get("user_id", ()))
    try:
        return field_checks.required_id({column: other_value(columns.get(column), values)}, column)
    except BadEvent as error:
        raise BadEvent(f"key.{column}", error.problem) from None


def change_in(record: Mapping[str, object]) -> Change:
    """Return the change that a record tells of.

    Raises:
        BadEvent: the record is no change of a row.
        NoEvent: it is a message of Debezium's own.
    """
    payload, schema = _payload(record)
    operation = payload.get("op")
    if "after" not in payload and "before" not in payload and not isinstance(payload.get("source"), Mapping):
        deleted = payload.get(field_checks.DELETED) in (True, "true")
        return Change(payload, schema, deleted, *_changed_at(payload, _CHANGED_UNWRAPPED), "")
    if operation == "m":
        raise NoEvent
    if operation == "t":
        raise BadEvent(
            "op", '"t" empties the table, and says of no user what to do: erase the users by `segue forget`'
        )
    if operation not in _OPERATIONS:
        said = "is missing" if operation is None else f"{field_checks.shown(operation)} is not known"
        raise BadEvent("op", f"{said}: a change of Debezium has c, u, r or d")
    side = "before" if operation == "d" else "after"
    row = payload.get(side)
    if not isinstance(row, Mapping):
        said = "is missing" if row is None else f"{field_checks.shown(row)} is not a row"
        raise BadEvent(side, said)
    return Change(row, _field(schema, side), operation == "d", *_changed_at(payload, _CHANGED), f"{side}.")


def row_before(record: Mapping[str, object]) -> tuple[Mapping[str, object], object] | None:
    """Return the row before an update and its schema; None if the record does not have this row."""
    payload, schema = _payload(record)
    row = payload.get("before")
    if payload.get("op") != "u" or not isinstance(row, Mapping):
        return None
    return row, _field(schema, "before")


def _payload(record: Mapping[str, object]) -> tuple[Mapping[str, object], object]:
    """Return what ``{"schema": …, "payload": …}`` holds, and the schema if there is one; else the record."""
    payload = record.get("payload")
    # A row may have a column with the name payload, but not only this column.
    if isinstance(payload, Mapping) and ("schema" in record or len(record) == 1):
        return payload, record.get("schema")
    return record, None


def _field(schema: object, name: str) -> object:
    """Return the schema of a field of a struct; None if there is none."""
    fields = schema.get("fields") if isinstance(schema, Mapping) else None
    if not isinstance(fields, list):
        return None
    return next((f for f in fields if isinstance(f, Mapping) and f.get("field") == name), None)


def _changed_at(
    payload: Mapping[str, object], places: tuple[tuple[tuple[str, ...], int], ...]
) -> tuple[str | None, str]:
    """Return the time of the change, and the path to it as text; None and "" if the record does not say."""
    for path, micros in places:
        where = ".".join(path)
        value = look_up(payload, path, where)
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and value > 0:
            try:
                return since_1970(value, timedelta(microseconds=micros)), where
            except ValueError as error:
                raise BadEvent(where, f"{field_checks.shown(value)} {error}") from None
    return None, ""


def _no_time(record: Mapping[str, object], newest: str, *, unwrapped: bool) -> BadEvent:
    """Return the error for a record without a time of the change,
    where nothing else gives its newest time.
    """
    payload, _ = _payload(record)
    for path, micros in _CHANGED_UNWRAPPED if unwrapped else _CHANGED:
        where = ".".join(path)
        value = look_up(payload, path, where)
        if value is not None:
            unit = "microseconds" if micros == 1 else "milliseconds"
            wrong = f"{field_checks.shown(value)} is not a time in {unit} since 1970"
            return BadEvent(where, f"{wrong}: correct it, or map {newest} to a column")
    if unwrapped:
        fix = "set add.fields = source.ts_ms in Debezium's ExtractNewRecordState"
        return BadEvent("__source_ts_ms", f"is missing: {fix}, or map {newest} to a column")
    return BadEvent("source.ts_ms", f"is missing: send the time of the change, or map {newest} to a column")
