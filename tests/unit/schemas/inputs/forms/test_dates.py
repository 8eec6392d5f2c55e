"""Dates stay dates: a day of a person's life lies in no time zone."""

import json
from datetime import date
from typing import Any

import pytest

from schemas.errors import BadEvent
from schemas.features import Feature
from schemas.input_events import Signup
from schemas.inputs.decode import decode_order, decode_signup
from schemas.inputs.fields_read import fields_read
from schemas.inputs.forms.event_form import EventForm
from schemas.inputs.forms.framed_values import as_json
from schemas.times import EPOCH, parse

FEATURES = (
    Feature("days_since_birth", "days_since", "user.born"),
    Feature("birthday", "attribute", "user.birthday"),
)
# West of UTC a midnight in UTC is still the day before.
READ = fields_read(FEATURES, statuses=False, time_zone="America/New_York")
DEBEZIUM = EventForm("debezium", (("created_at", "since"), ("user.birthday", "born")))
MIDNIGHT = parse("2024-01-31T00:00:00Z")


def own_of(record: dict[str, Any], form: EventForm) -> Signup:
    event = decode_signup(None, json.dumps(record).encode(), EPOCH, check_key=False, read=READ, form=form)
    assert isinstance(event, Signup)
    return event


@pytest.mark.parametrize("name", ["io.debezium.time.Date", "org.apache.kafka.connect.data.Date"])
def test_a_date_of_debezium_is_the_same_date_in_every_zone_and_midnight_as_a_time(name: str) -> None:
    fields = [{"field": "born", "name": name}, {"field": "since", "name": name}]
    row = {"user_id": 7, "born": 7425, "since": 19753}
    signup = own_of({"schema": {"fields": fields}, "payload": row}, DEBEZIUM)
    assert signup.own == {"user.born": "1990-05-01", "user.birthday": "1990-05-01"}
    assert signup.created_at == MIDNIGHT


def test_a_timestamp_of_debezium_is_still_a_time_with_its_date_in_the_zone() -> None:
    fields = [{"field": "born", "name": "io.debezium.time.Timestamp"}]
    row = {"user_id": 7, "born": 641_520_000_000, "since": "2024-01-31T00:00:00Z"}
    signup = own_of({"schema": {"fields": fields}, "payload": row}, DEBEZIUM)
    assert signup.own == {"user.born": "1990-04-30", "user.birthday": "1990-05-01T00:00:00Z"}


@pytest.mark.parametrize("form", [None, EventForm(), EventForm(dates="unix_us")], ids=str)
def test_a_date_of_avro_is_the_same_date_in_every_zone_and_midnight_as_a_time(form: EventForm | None) -> None:
    fields = {"user_id": 7, "created_at": date(2024, 1, 31), "born": date(1990, 5, 1), "order_id": 1}
    framed = b"\0\0\0\0\x0c?"
    signup = decode_signup(b"7", framed, EPOCH, read=READ, form=form, unframe=lambda _: as_json(fields))
    assert isinstance(signup, Signup)
    assert (signup.own, signup.created_at) == ({"user.born": "1990-05-01"}, MIDNIGHT)
    order = decode_order(b"7", framed, EPOCH, read=READ, form=form, unframe=lambda _: as_json(fields))
    assert order.created_at == MIDNIGHT


@pytest.mark.parametrize(
    ("born", "form", "day"),
    [
        ("31.12.1990", "%d.%m.%Y", "1990-12-31"),
        (7669, "unix_days", "1990-12-31"),
        ("7669", "unix_days", "1990-12-31"),
        (662_601_600, "unix", "1990-12-30"),  # midnight in UTC
        ("1990-12-31", "%d.%m.%Y %H:%M", "1990-12-31"),
        ("1990-12-31", "unix", "1990-12-31"),
        ("1990-12-31T00:00:00-05:00", "%d.%m.%Y", "1990-12-31"),
        ("31.12.1990 %H", "%d.%m.%Y %%H", "1990-12-31"),
        (" ", "%d.%m.%Y", None),
    ],
)
def test_the_declared_form_reads_fields_of_the_type_date(born: object, form: str, day: str | None) -> None:
    record = {"user_id": 7, "created_at": "2024-01-31T00:00:00Z", "born": born}
    assert own_of(record, EventForm(dates=form)).own == ({} if day is None else {"user.born": day})


@pytest.mark.parametrize("born", ["31.2.1990", "1990-02-31", 7669])
def test_what_is_no_date_in_the_declared_form(born: object) -> None:
    record = {"user_id": 7, "created_at": "2024-01-31T00:00:00Z", "born": born}
    with pytest.raises(BadEvent) as error:
        own_of(record, EventForm(dates="%d.%m.%Y"))
    reason = f"born: {json.dumps(born)} is neither a date such as 2024-01-31 nor in the form %d.%m.%Y"
    assert str(error.value) == reason


def test_a_date_of_debezium_without_a_schema_is_not_read_in_the_unit_of_its_times() -> None:
    form = EventForm("debezium", dates="unix_us")
    with pytest.raises(BadEvent, match="born: 7669 is neither a date such as 2024-01-31 nor a time"):
        own_of({"user_id": 7, "born": 7669, "__source_ts_ms": 1_706_693_401_000}, form)
