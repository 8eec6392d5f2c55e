"""The lanes of both steps: what they refuse, and where they go on."""

from __future__ import annotations

import json

import pytest

from schemas.errors import NeedsRebuild
from schemas.topics import MAX_INPUT_BYTES
from segue.join.join_count import JoinCount
from segue.join.order_lane import OrderLane
from segue.join.row_lane import RowLane
from streamer.interfaces.lane_errors import LaneClosing
from streamer.interfaces.lane_interfaces import Bounds, Committed
from tests.support.inputs.debezium_tables import ShopTables
from tests.support.worlds.join_world import COLUMNS, FIX, TABLES, TOPICS, FailingLog, JoinWorld

AT_US = 1_706_693_400_000_000


def an_order(world: JoinWorld, shop: ShopTables, note: str = "", **more: object) -> None:
    row = {"id": 2, "customer_id": 7, "placed_at": AT_US, "state": "paid", **more}
    world.write("orders", 2, shop.put("orders", row, AT_US))
    world.write("items", 4, shop.put("items", {"id": 4, "order_id": 2, "maker": "Acme", "note": note}, AT_US))


def reasons(world: JoinWorld) -> list[str]:
    letters = world.records(TOPICS.dead_letters)
    return [dict(letter.headers)["segue_reason"].decode() for letter in letters]


def test_counts_and_dead_letters_of_both_steps() -> None:
    world, shop = JoinWorld(), ShopTables()
    an_order(world, shop)
    world.write("items", 6, b"{")
    world.kafka.append(TOPICS.order_rows, 0, b"7", b"{}")
    world.finish()
    assert len(world.orders()) >= 1
    assert [reason.partition(":")[0] for reason in sorted(reasons(world))] == [
        "only `segue join` writes to this topic, and it did not write this",
        "the value is not valid JSON",
    ]
    places = [lane.place for lane, _ in world.lanes]
    assert sum(place.rows for place in places if place is not None) == 3
    assert sum(place.letters for place in places if place is not None) == 2


def test_an_order_that_no_worker_takes_is_a_dead_letter_and_the_lane_goes_on() -> None:
    world, shop = JoinWorld(), ShopTables()
    an_order(world, shop, note="x" * 600_000, of_order="y" * 600_000)
    world.finish()
    (reason,) = reasons(world)
    assert reason.startswith("order '2' has 1,")
    assert reason.endswith(
        f"no worker takes more than {MAX_INPUT_BYTES:,}: leave columns out by Debezium's column.exclude.list"
    )
    an_order(world, shop)
    world.finish()
    assert world.orders()[-1].status == "paid"


def test_columns_that_nest_as_deep_as_a_record_may_do_no_harm() -> None:
    world = JoinWorld()
    deep: object = 1
    for _ in range(98):
        deep = [deep]
    an_order(world, ShopTables(), deep=deep)
    world.write(
        "items", 6, json.dumps({"id": 6, "order_id": 2, "d": [deep], "__source_ts_us": AT_US}).encode()
    )
    world.finish()
    an_order(world, ShopTables(), state="sent")
    world.finish()
    assert reasons(world) == []
    assert b"sent" in (world.records(TOPICS.orders)[-1].value or b"")


def test_an_order_of_nobody_comes_to_the_lanes_without_a_key() -> None:
    world = JoinWorld()
    an_order(world, ShopTables(), customer_id=None)
    world.finish()
    assert {record.key for record in world.records(TOPICS.orders)} == {None}
    assert world.orders() == []


def test_a_topic_of_rows_that_was_made_anew_is_not_joined_in_silence() -> None:
    world = JoinWorld()
    an_order(world, ShopTables())
    world.finish()
    world.kafka.create(TOPICS.order_rows, 2)
    for number in range(len(world.lanes) - 2):
        world.crash(number)
    with pytest.raises(NeedsRebuild, match=rf"^topic eu\.segue-order-rows was made anew, .* {FIX}$"):
        world.crash(len(world.lanes) - 2)


def test_a_table_whose_topic_was_made_anew_is_read_from_its_beginning() -> None:
    world, shop = JoinWorld(), ShopTables()
    an_order(world, shop)
    world.finish()
    for topic in (TABLES.orders, TABLES.items):
        world.kafka.create(topic, 2)
    for number in range(len(world.lanes)):
        world.crash(number)
    an_order(world, shop, state="sent")
    world.finish()
    assert world.orders()[-1].status == "sent"


class Shortened(FailingLog):
    """A log whose first records Kafka has deleted."""

    begin = 0

    def watch(self, topic: str) -> Bounds:
        bounds = super().watch(topic)
        return Bounds(max(bounds.begin, self.begin), bounds.end, bounds.topic_id)


def lane_with(log: FailingLog, *, closing: bool = False) -> OrderLane:
    return OrderLane(0, log, COLUMNS, TOPICS, 2, "murmur2", FIX, closing=lambda: closing)


def test_rows_that_kafka_deleted_before_they_were_read_are_not_passed_over() -> None:
    world = JoinWorld()
    for number in range(3):
        world.kafka.append(TOPICS.order_rows, 0, json.dumps([str(number)]).encode(), None)
    log = Shortened(world.kafka, 0, (TOPICS.order_rows,))
    topic_id = log.watch(TOPICS.order_rows).topic_id
    world.kafka.offsets[TOPICS.order_rows, 0] = Committed(1, topic_id)
    log.begin = 2
    with pytest.raises(NeedsRebuild, match=r"begins at offset 2, and rows from offset 1 on were not read"):
        lane_with(log).take_over()
    # An offset that an operator sets names no topic, and counts.
    world.kafka.offsets[TOPICS.order_rows, 0] = Committed(2, None)
    lane = lane_with(log)
    lane.take_over()
    lane.step(0)
    assert world.kafka.offsets[TOPICS.order_rows, 0].offset == 3
    assert lane.place == JoinCount()


def test_a_lane_that_must_close_closes() -> None:
    world = JoinWorld()
    log = FailingLog(world.kafka, 0, (TOPICS.order_rows,))
    lane = lane_with(log, closing=True)
    assert lane.place is None
    lane.take_over()
    with pytest.raises(LaneClosing):
        lane.step(0)
    rows, _ = world.lanes[0]
    assert isinstance(rows, RowLane)
