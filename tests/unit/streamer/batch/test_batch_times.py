"""Times that lie ahead of their record's own: dead letters, whatever reads the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from schemas.input_events import Event, Item, Order, Signup, UserErased
from schemas.inputs.decode import encode_order, encode_signup
from streamer.batch.read_batch import Batch, read_batch
from streamer.interfaces.lane_interfaces import Record
from streamer.place.place import FoldSettings
from tests.support.worlds.lane_world import TOPICS, World

WRITTEN = datetime(2024, 1, 1, tzinfo=UTC)
LIMIT = WRITTEN + timedelta(days=1)
BEYOND = LIMIT + timedelta(microseconds=1)
ORDER = Order("7", "1", WRITTEN, (Item(brand="Ön"),))


def record(event: Event, timestamp_ms: int = int(WRITTEN.timestamp()) * 1_000) -> Record:
    ours = isinstance(event, Order)
    key, value = encode_order(event) if isinstance(event, Order) else encode_signup(event)
    return Record(TOPICS.orders if ours else TOPICS.signups, 0, 0, key, value, timestamp_ms)


def batch_of(one: Record, max_ahead: timedelta = timedelta(days=1)) -> Batch:
    return read_batch([one], {TOPICS.orders: 0, TOPICS.signups: 0}, TOPICS, FoldSettings(1), max_ahead)


def reason(batch: Batch) -> str:
    (letter,) = batch.dead_letters
    return dict(letter.headers)["segue_reason"].decode()


@pytest.mark.parametrize(
    ("at_the_limit", "name"),
    [
        (Signup("7", LIMIT), "created_at"),
        (replace(ORDER, created_at=LIMIT), "created_at"),
        (replace(ORDER, updated_at=LIMIT), "updated_at"),
        (UserErased("7", LIMIT), "erased_at"),
    ],
)
def test_a_time_beyond_the_records_own_by_more_than_the_setting_is_a_dead_letter(
    at_the_limit: Event, name: str
) -> None:
    assert batch_of(record(at_the_limit)).dead_letters == []
    beyond = replace(at_the_limit, **{name: BEYOND})
    assert reason(batch_of(record(beyond))) == (
        f"{name}: 2024-01-02T00:00:00.000001Z is more than 1 day ahead of the record's own time, "
        f"2024-01-01T00:00:00Z"
    )
    assert batch_of(record(beyond), timedelta(days=2)).dead_letters == []


def test_a_record_without_a_time_has_none_to_compare_with() -> None:
    assert batch_of(record(replace(ORDER, created_at=BEYOND), -1)).dead_letters == []


def test_any_past_is_taken() -> None:
    assert batch_of(record(Signup("7", datetime(1, 1, 1, tzinfo=UTC)))).dead_letters == []


def test_an_erasure_of_the_year_9999_takes_nobody_away() -> None:
    world = World()
    world.send(ORDER, UserErased("7", datetime(9999, 12, 31, tzinfo=UTC)))
    world.run()
    assert [change.kind for change in world.changes("7")] == ["moved"]
    assert len(world.records(TOPICS.dead_letters)) == 1
