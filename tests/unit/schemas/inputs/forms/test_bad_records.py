"""What is refused in each form, in the words of the source."""

import json
from base64 import b64encode
from copy import deepcopy
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.errors import BadEvent
from schemas.input_events import Order, Signup, UserErased
from schemas.inputs.decode import decode_order, decode_signup
from schemas.inputs.fields_read import fields_read
from schemas.inputs.forms.event_form import EventForm, NoEvent
from schemas.times import EPOCH, parse
from tests.support.inputs.event_samples import EVENTS, FEATURES, Sample

READ = fields_read(FEATURES, statuses=True)
AWAY = "away"
UNAVAILABLE = "__debezium_unavailable_value"


def sample(example: str, what: str) -> Sample:
    return next(each for each in EVENTS if (each.example, each.what) == (example, what))


SHOPIFY = sample("Shopify", "orders/create")
WOO = sample("WooCommerce", "order.updated")
TRACK = sample("Segment and RudderStack", "Order Completed")
IDENTIFY = sample("Segment and RudderStack", "identify")
ROW = sample("Debezium", "an order without schema, decimals as text")
TYPED = sample("Debezium", "a snapshot's user, in schema and payload")
GONE = sample("Debezium", "a deleted order")
USER = sample("Debezium", "a new user, with the envelope")
CLOUD = sample("CloudEvents", "an order in structured mode")

BASE64 = sample("CloudEvents", "an order in base64")
ERASURE = sample("CloudEvents", "an erasure by the envelope's type")


def changed(fields: Any, path: str, value: object) -> Any:
    """Return the fields with another value at a path, or without it."""
    fields = deepcopy(fields)
    *parts, last = path.split(".")
    holder = fields
    for part in parts:
        holder = holder[int(part)] if isinstance(holder, list) else holder[part]
    if value is AWAY:
        del holder[last]
    else:
        holder[last] = value
    return fields


def refused(case: Sample, path: str, value: object) -> str:
    decode = decode_signup if case.topic == "signups" else decode_order
    record = json.dumps(changed(case.fields, path, value)).encode()
    with pytest.raises(BadEvent) as error:
        decode(None, record, EPOCH, check_key=False, read=READ, form=case.form)
    return str(error.value)


@pytest.mark.parametrize(
    ("case", "path", "value", "reason"),
    [
        (SHOPIFY, "customer", None, "customer.id: is missing"),
        (SHOPIFY, "customer", 7, "customer.id: cannot be read: customer is 7, not an object"),
        (SHOPIFY, "customer.id", "7.0", 'customer.id: "7.0" is a whole number written as a float: send 7'),
        (SHOPIFY, "id", AWAY, "id: is missing"),
        (SHOPIFY, "created_at", "01.02.2024", 'created_at: "01.02.2024" is not an RFC 3339 time'),
        (SHOPIFY, "line_items", AWAY, "line_items: an order needs at least one item"),
        (SHOPIFY, "line_items", [None], "line_items[0]: null is not an object"),
        (SHOPIFY, "line_items.1.price", "12,50", 'line_items[1].price: "12,50" is not a number; if it has'),
        (SHOPIFY, "line_items.1.price", "12,5,0", 'line_items[1].price: "12,5,0" is not a number'),
        (SHOPIFY, "line_items.1.vendor", 5, "line_items[1].vendor: 5 is not text"),
        (SHOPIFY, "line_items.1.grams", "heavy", 'line_items[1].grams: "heavy" is not a number'),
        (
            SHOPIFY,
            "line_items.1.quantity",
            "0",
            "line_items[1].quantity: 0 is not a whole number of at least 1",
        ),
        (SHOPIFY, "source_name", True, "source_name: true is not text"),
        (SHOPIFY, "financial_status", 5, "financial_status: 5 is not text"),
        (WOO, "customer_id", 0, "customer_id: is missing"),
        (
            WOO,
            "date_created_gmt",
            "22/03/2024",
            'date_created_gmt: "22/03/2024" is not a time in the form %Y-%m',
        ),
        (
            WOO,
            "line_items.0.meta_data",
            5,
            "line_items[0].meta_data.0.value: cannot be read: meta_data is 5, not an object",
        ),
        (WOO, "date_modified_gmt", 7, "date_modified_gmt: 7 is not a time in the form %Y-%m-%dT%H:%M:%S"),
        (IDENTIFY, "type", AWAY, "type: is missing: a call of Segment has one, such as identify or track"),
        (IDENTIFY, "type", None, "type: is missing"),
        (IDENTIFY, "type", 7, "type: 7 is not the name of a call of Segment, such as identify or track"),
        (IDENTIFY, "traits.age", 200, "traits.age: 200 is outside 0..150"),
        (IDENTIFY, "traits.plan", [1], "traits.plan: an array is not text"),
        (IDENTIFY, "timestamp", AWAY, "timestamp: is missing"),
        (IDENTIFY, "context", 5, "context.traits: cannot be read: context is 5, not an object"),
        (TRACK, "properties.order_id", AWAY, "properties.order_id: is missing"),
        (TRACK, "properties.products.0.brand", 1, "properties.products[0].brand: 1 is not text"),
        (TRACK, "properties.products", AWAY, "properties.products: an order needs at least one item"),
        (ROW, "after.customer_id", AWAY, "after.customer_id: is missing"),
        (ROW, "after.placed_at", "soon", 'after.placed_at: "soon" is not a time in the form unix_us'),
        (ROW, "after.lines", "[{", "after.lines: the value is not valid JSON"),
        (ROW, "after.lines", [{"price": "BOI="}], 'after.lines[0].price: "BOI=" is not a number'),
        (ROW, "after", None, "after: is missing"),
        (ROW, "after", [], "after: an array is not a row"),
        (ROW, "op", "t", 'op: "t" empties the table, and says of no user what to do'),
        (ROW, "op", "z", 'op: "z" is not known: a change of Debezium has c, u, r or d'),
        (ROW, "op", None, "op: is missing: a change of Debezium has c, u, r or d"),
        (ROW, "op", AWAY, "op: is missing"),
        (ROW, "after.lines", UNAVAILABLE, f'after.lines: "{UNAVAILABLE}" stands for a large value that the'),
        (ROW, "after.lines", [UNAVAILABLE], f'after.lines: "{UNAVAILABLE}" stands for a large value'),
        (ROW, "after.state", UNAVAILABLE, f'after.state: "{UNAVAILABLE}" stands for a large value'),
        (
            ROW,
            "after.state",
            b64encode(UNAVAILABLE.encode()).decode(),
            f'after.state: "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==" ({UNAVAILABLE}) stands for a',
        ),
        (ROW, "after.state", UNAVAILABLE.encode().hex(), 'after.state: "5f5f646562657a69756d5f756e61766169'),
        (ROW, "after.lines", [{"price": UNAVAILABLE}], f'after.lines[0].price: "{UNAVAILABLE}" stands for a'),
        (ROW, "after.state", f'{{"{UNAVAILABLE}":"{UNAVAILABLE}"}}', 'after.state: "{'),
        (GONE, "before.customer_id", AWAY, "before.customer_id: is missing"),
        (
            TYPED,
            "payload.after.id",
            "%",
            'after.id: "%" is not a value of the type org.apache.kafka.connect.data',
        ),
        (
            TYPED,
            "payload.source.ts_ms",
            10**30,
            "source.ts_ms: 1000000000000000000000000000000 is a time outside",
        ),
        (
            CLOUD,
            "specversion",
            AWAY,
            "specversion: is missing: the record is no CloudEvent in structured mode",
        ),
        (CLOUD, "data", AWAY, "data: is missing"),
        (CLOUD, "data", "x", 'data: "x" is not an object'),
        (CLOUD, "id", True, "id: true is neither text nor a whole number"),
        (CLOUD, "data.event_id", True, "data.event_id: true is neither text nor a whole number"),
        (CLOUD, "data_base64", "e30=", "data_base64: stands beside data, and only one of them"),
        (ERASURE, "data.erased_at", "soon", 'data.erased_at: "soon" is not an RFC 3339 time'),
        (ERASURE, "data.user_id", AWAY, "data.user_id: is missing"),
        (ERASURE, "id", True, "id: true is neither"),
        (BASE64, "data_base64", 7, "data_base64: 7 is not text in base64"),
        (BASE64, "data_base64", AWAY, "data: is missing"),
        (BASE64, "data_base64", "%", 'data_base64: "%" is not base64'),
        (BASE64, "data_base64", "W10=", "data: an array is not an object"),
        (CLOUD, "data.buyer", AWAY, "data.buyer: is missing"),
        (CLOUD, "data.items.0.brand", 1, "data.items[0].brand: 1 is not text"),
    ],
)
def test_a_reason_names_the_source_s_field(case: Sample, path: str, value: object, reason: str) -> None:
    assert refused(case, path, value).startswith(reason)


def test_a_placeholder_of_debezium_names_the_fix_and_refuses_only_where_it_is_read() -> None:
    reason = refused(ROW, "after.state", UNAVAILABLE)
    assert reason.endswith(
        "the change does not have:"
        " set REPLICA IDENTITY FULL for the table in PostgreSQL, or let no feature read this column"
    )
    record = json.dumps(changed(ROW.fields, "after.state", UNAVAILABLE)).encode()
    read = fields_read(FEATURES[:1], statuses=False)
    order = decode_order(None, record, EPOCH, check_key=False, read=read, form=ROW.form)
    assert order.status is None


ORDER_ITEM = {"id": 9, "order_id": 10001, "customer_id": 1004, "placed_at": 1_706_693_400_000_000, "sku": 3}
CHANGED = {"source": {"ts_ms": 1_706_693_401_000, "table": "order_items"}}


@pytest.mark.parametrize(
    ("record", "column"),
    [
        ({**CHANGED, "before": None, "after": ORDER_ITEM, "op": "c"}, "after.lines"),
        ({**ORDER_ITEM, "__source_ts_ms": 1_706_693_401_000}, "lines"),
    ],
    ids=["with the envelope", "unwrapped"],
)
def test_a_row_of_order_items_is_no_order(record: dict[str, Any], column: str) -> None:
    with pytest.raises(BadEvent) as error:
        decode_order(None, json.dumps(record).encode(), EPOCH, check_key=False, read=READ, form=ROW.form)
    assert str(error.value) == (
        f"{column}: is missing: the row of an order needs a column with its items; `segue join` makes such"
        " rows of a topic of orders and a topic of order_items (docs/events.md, Debezium)"
    )


_ADD_FIELDS = "set add.fields = source.ts_ms in Debezium's ExtractNewRecordState"
_MAP_USER = "map created_at to a column"
_MAP_ORDER = "map updated_at to a column"


@pytest.mark.parametrize(
    ("case", "unwrapped", "times", "reason"),
    [
        (USER, False, {}, f"source.ts_ms: is missing: send the time of the change, or {_MAP_USER}"),
        (ROW, False, {}, f"source.ts_ms: is missing: send the time of the change, or {_MAP_ORDER}"),
        (
            USER,
            False,
            {"ts_ms": "soon"},
            f'source.ts_ms: "soon" is not a time in milliseconds since 1970: correct it, or {_MAP_USER}',
        ),
        (
            ROW,
            False,
            {"ts_us": True},
            f"source.ts_us: true is not a time in microseconds since 1970: correct it, or {_MAP_ORDER}",
        ),
        (
            USER,
            True,
            {},
            f"__source_ts_ms: is missing: {_ADD_FIELDS}, or {_MAP_USER}",
        ),
        (
            ROW,
            True,
            {},
            f"__source_ts_ms: is missing: {_ADD_FIELDS}, or {_MAP_ORDER}",
        ),
        (
            USER,
            True,
            {"ts_ms": "soon"},
            f'__source_ts_ms: "soon" is not a time in milliseconds since 1970: correct it, or {_MAP_USER}',
        ),
    ],
)
def test_a_change_without_a_time_names_the_time_and_the_fix(
    case: Sample, unwrapped: bool, times: dict[str, object], reason: str
) -> None:
    row = {name: value for name, value in case.fields["after"].items() if name != "created_at"}
    record = {"op": "c", "after": row, "source": times}
    if unwrapped:
        record = row | {f"__source_{name}": value for name, value in times.items()}
    decode = decode_signup if case.topic == "signups" else decode_order
    with pytest.raises(BadEvent) as error:
        decode(None, json.dumps(record).encode(), EPOCH, check_key=False, read=READ, form=case.form)
    assert str(error.value) == reason


def test_an_order_whose_row_was_never_updated_needs_no_time_of_the_change() -> None:
    row = json.dumps(ROW.fields["after"] | {"updated_at": None}).encode()
    order = decode_order(None, row, EPOCH, check_key=False, read=READ, form=ROW.form)
    assert order.updated_at is None


@pytest.mark.parametrize("case", [USER, ROW, GONE], ids=lambda case: case.what)
def test_a_payload_without_a_schema_is_the_change(case: Sample) -> None:
    decode = decode_signup if case.topic == "signups" else decode_order
    wrapped = json.dumps({"payload": case.fields}).encode()
    event = decode(None, wrapped, EPOCH, check_key=False, read=READ, form=case.form)
    assert event == decode(None, case.value, EPOCH, check_key=False, read=READ, form=case.form)


def test_a_key_with_a_payload_and_no_schema_names_the_user() -> None:
    assert decode_signup(b'{"payload": {"id": 7}}', None, EPOCH, form=USER.form) == UserErased("7", EPOCH)


@pytest.mark.parametrize(
    ("key", "value", "user_id"),
    [
        (None, {"id": 7, "__deleted": "true"}, "k7"),
        (None, {"op": "d", "before": {"id": 7}, "ts_ms": 1}, "k7"),
        (b'{"id": 7}', None, "k7"),
        (b'{"schema": {}, "payload": {"id": "7"}}', None, "k7"),
        (b'{"id": 8}', None, "8"),
        # The key of a forwarded record has Segue's id.
        (b"7", None, "7"),
    ],
)
def test_a_deleted_row_erases_the_user_of_its_other_value(
    key: bytes | None, value: object, user_id: str
) -> None:
    form = EventForm("debezium", (("user_id", "id"),), (("user_id", (("7", "k7"),)),))
    record = None if value is None else json.dumps(value).encode()
    event = decode_signup(key, record, EPOCH, check_key=False, read=READ, form=form)
    assert (type(event), event.user_id) == (UserErased, user_id)


@pytest.mark.parametrize("case", EVENTS, ids=lambda case: f"{case.example}: {case.what}")
def test_what_is_no_object_is_refused(case: Sample) -> None:
    decode = decode_signup if case.topic == "signups" else decode_order
    with pytest.raises(BadEvent, match="the value is an array, not a JSON object"):
        decode(None, b"[]", EPOCH, check_key=False, read=READ, form=case.form)


def test_a_wrong_value_that_no_feature_reads_refuses_no_event() -> None:
    """As in Segue's own form: it counts as no value, also if the path leads nowhere."""
    form = EventForm(paths=(("gender", "person.sex"),))
    value = b'{"user_id": 7, "created_at": "2024-01-31T09:30:00Z", "person": 5, "age": "old"}'
    read = fields_read(FEATURES[4:5], statuses=False)
    event = decode_signup(None, value, EPOCH, check_key=False, read=read, form=form)
    assert not isinstance(event, UserErased)
    assert (event.age, event.gender) == (None, None)


def test_items_are_not_looked_for_if_no_feature_reads_them() -> None:
    record = json.dumps(changed(SHOPIFY.fields, "line_items", AWAY)).encode()
    read = fields_read(FEATURES[:5], statuses=False)
    assert decode_order(None, record, EPOCH, check_key=False, read=read, form=SHOPIFY.form).items == ()


@pytest.mark.parametrize("key", [None, b"5551234567890123456"])
def test_another_key_than_the_user_id_names_rekey(key: bytes | None) -> None:
    with pytest.raises(BadEvent, match="key the record by its user id, or set rekey = true"):
        decode_order(key, SHOPIFY.value, EPOCH, read=READ, form=SHOPIFY.form)


def test_the_user_id_as_the_key_is_right() -> None:
    assert isinstance(
        decode_order(b"6660001112223334445", SHOPIFY.value, EPOCH, read=READ, form=SHOPIFY.form), Order
    )


@pytest.mark.parametrize("case", EVENTS, ids=lambda case: f"{case.example}: {case.what}")
def test_segue_s_own_erasure_is_understood_under_every_form(case: Sample) -> None:
    """``segue forget`` sends it."""
    value = b'{"type": "user.erased", "user_id": 7, "erased_at": "2024-01-31T09:30:00Z"}'
    form = case.forms.signups
    assert decode_signup(b"7", value, EPOCH, form=form) == UserErased("7", parse("2024-01-31T09:30:00Z"))
    assert decode_signup(b"7", None, EPOCH, form=form) == UserErased("7", EPOCH)


def test_under_a_mapping_an_erasure_without_segue_s_own_user_id_is_read_as_a_signup() -> None:
    value = b'{"type": "user.erased", "id": 7, "created_at": "2024-01-31T09:30:00Z"}'
    form = EventForm(paths=(("user_id", "id"),))
    assert decode_signup(b"7", value, EPOCH, form=form) == Signup("7", parse("2024-01-31T09:30:00Z"))


def test_null_orders_are_refused_but_for_tombstones() -> None:
    with pytest.raises(BadEvent, match="the value is null, which only signups may have"):
        decode_order(None, None, EPOCH, form=SHOPIFY.form)
    with pytest.raises(NoEvent):
        decode_order(None, None, EPOCH, form=ROW.form)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (None, "key: is missing"),
        (b'{"uid": 7}', "key.id: is missing"),
        (b'{"id": 7', r'key: "{\"id\": 7" is'),
        (b"Struct{id=7}", 'key: "Struct{id=7}" is a record and not an id'),
    ],
)
def test_a_tombstone_without_a_user_erases_nobody(key: bytes | None, reason: str) -> None:
    form = sample("Debezium", "a tombstone").form
    if key == b'{"id": 7':
        # Not JSON, and not a record either: a plain id, as under every form.
        assert decode_signup(key, None, EPOCH, form=form) == UserErased('{"id": 7', EPOCH)
        return
    with pytest.raises(BadEvent) as error:
        decode_signup(key, None, EPOCH, form=form)
    assert str(error.value).startswith(reason)


def test_a_deleted_row_is_refused_where_no_form_says_what_it_means() -> None:
    value = b'{"user_id": 7, "created_at": "2024-01-31T09:30:00Z", "__deleted": "true"}'
    with pytest.raises(BadEvent, match='the row was deleted, and that is no event: set form = "debezium"'):
        decode_signup(b"7", value, EPOCH, form=EventForm())


def test_a_framed_value_without_a_registry_is_refused_in_one_sentence() -> None:
    with pytest.raises(BadEvent) as error:
        decode_order(b"7", b"\0\0\0\0\x0c{}", EPOCH, form=SHOPIFY.form)
    assert str(error.value) == (
        "the value has the frame of a Schema Registry (schema 12):"
        " set schema_registry to the registry's address"
    )


def test_a_framed_value_is_read_by_the_function_handed_in() -> None:
    fields = json.loads(SHOPIFY.own or b"")
    order = decode_order(None, b"\0\0\0\0\x0c?", EPOCH, check_key=False, read=READ, unframe=lambda _: fields)
    assert order == decode_order(None, SHOPIFY.own, EPOCH, check_key=False, read=READ)


@pytest.mark.parametrize("fields", [5, True, "x", {"a": 1}])
def test_a_schema_without_a_list_of_fields_is_no_schema(fields: object) -> None:
    row = ROW.fields.get("after", ROW.fields)
    record = json.dumps({"schema": {"fields": fields}, "payload": {**row, "__source_ts_ms": 1}}).encode()
    decode = decode_signup if ROW.topic == "signups" else decode_order
    assert decode(None, record, EPOCH, check_key=False, read=READ, form=ROW.form).user_id


@pytest.mark.parametrize(
    ("text", "price"),
    [("12,50", 12.5), ("1.234,5", 1234.5), ("1\u202f234", 1234.0), ("-1'000,25", -1000.25), ("7", 7.0)],
)
def test_a_declared_decimal_comma(text: str, price: float) -> None:
    order = with_prices(text)
    assert isinstance(order, Order)
    assert order.items[1].price == price


@pytest.mark.parametrize("text", ["12.50", "1.23,5", "1.234'567", "1,2,3", ",5", "1.2345"])
def test_no_number_under_a_decimal_comma(text: str) -> None:
    with pytest.raises(BadEvent, match="is not a number"):
        with_prices(text)


def with_prices(text: str) -> object:
    """An order of a source with decimal commas."""
    record = changed(changed(SHOPIFY.fields, "line_items.0.price", text), "line_items.1.price", text)
    form = replace(SHOPIFY.form, decimal=",")
    return decode_order(None, json.dumps(record).encode(), EPOCH, check_key=False, read=READ, form=form)
