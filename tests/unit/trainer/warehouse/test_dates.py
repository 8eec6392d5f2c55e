"""A date in the warehouse and the same date in another system's events are one day, also west of UTC."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from schemas.features import Feature
from schemas.input_events import Signup
from schemas.inputs.decode import decode_signup
from schemas.inputs.fields_read import fields_read
from schemas.inputs.forms.event_form import EventForm
from schemas.times import EPOCH
from tests.support.inputs.shops import Shop, write_csv, write_duckdb
from trainer.warehouse import Csv, Reading, open_warehouse

BORN = (Feature("days_since_birth", "days_since", "user.born"),)
ZONE = "America/New_York"
TODAY = date(2024, 7, 4)


def day_in_stream(record: dict[str, Any], form: EventForm) -> int:
    """Return the days since the date in an event."""
    read = fields_read(BORN, statuses=False, time_zone=ZONE)
    event = decode_signup(None, json.dumps(record).encode(), EPOCH, check_key=False, read=read, form=form)
    assert isinstance(event, Signup)
    return (TODAY - date.fromisoformat(str(event.own["user.born"]))).days


def test_a_date_of_debezium_is_the_day_of_the_warehouse(tmp_path: Path) -> None:
    path = write_duckdb(Shop().user("7"), tmp_path / "shop.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute("alter table users add born date; update users set born = '1990-05-01'")
    with open_warehouse(path, reading=Reading(features=BORN, time_zone=ZONE, today=TODAY)) as warehouse:
        (days,) = warehouse.features(None, (), BORN)["days_since_birth"].to_pylist()
    fields = [{"field": "born", "name": "io.debezium.time.Date"}]
    row = {"user_id": 7, "born": 7425, "__source_ts_ms": 1_706_693_401_000}
    record = {"schema": {"fields": fields}, "payload": row}
    assert days == day_in_stream(record, EventForm("debezium")) == (TODAY - date(1990, 5, 1)).days


@pytest.mark.parametrize(
    ("form", "created_at", "born", "day"),
    [
        ("%d.%m.%Y", "31.12.2023", "1.5.1990", date(1990, 5, 1)),
        # A time is in UTC, and in New York it is still the day before.
        ("%d.%m.%Y %H:%M", "31.12.2023 09:30", "1.5.1990 02:00", date(1990, 4, 30)),
    ],
)
def test_a_declared_form_reads_the_same_day_in_a_csv_file_and_in_an_event(
    tmp_path: Path, form: str, created_at: str, born: str, day: date
) -> None:
    path = write_csv(Shop().user("7", created_at, born=born), tmp_path)
    reading = Reading(Csv(dates=(form,)), features=BORN, time_zone=ZONE, today=TODAY)
    with open_warehouse(path, reading=reading) as warehouse:
        (days,) = warehouse.features(None, (), BORN)["days_since_birth"].to_pylist()
    record = {"user_id": 7, "created_at": created_at, "born": born}
    assert days == day_in_stream(record, EventForm(dates=form)) == (TODAY - day).days
