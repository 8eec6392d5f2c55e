"""Joins the rows of two tables to whole orders until a signal comes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, closing

import structlog

from schemas.inputs.fields_read import fields_read
from schemas.times import parse_length
from segue.config.registry_extra import unframe_of
from segue.config.settings import Settings
from segue.interruption import normal_end
from segue.join.join_count import JoinCount, count_text
from segue.join.join_topics import join_groups, prepare_join_topics, tables_to_join
from segue.join.order_columns import OrderColumns
from segue.join.order_lane import OrderLane
from segue.join.row_lane import RowLane
from segue.join.table_rows import RowReader, Table
from segue.lanes.lane_workers import GroupMember, OpenLane
from streamer.interfaces.lane_interfaces import Log
from streamer.kafka.kafka_client import Deadlines
from streamer.kafka.kafka_log import KafkaLog

_SAY_EVERY_S = 60.0

log = structlog.get_logger("segue.join")


def run_join(settings: Settings, say: Callable[[str], None]) -> None:
    """Join until a signal comes; then say what was done.

    Args:
        settings: name the Kafka, the topics and the tables.
        say: shows a sentence to people.

    Raises:
        SegueError: waiting does not help.
    """
    tables, groups = tables_to_join(settings), join_groups(settings.group)
    columns = columns_of(settings)
    unframe = unframe_of(settings)
    found = prepare_join_topics(settings, say)
    topics, partitioner = settings.topics, settings.partitioner

    def log_of(partition: int, topic: str, group: str, must_close: Callable[[], bool]) -> KafkaLog:
        deadlines = Deadlines(transaction_ms=settings.transaction_timeout_ms)
        return KafkaLog(partition, (topic,), group, settings.kafka_client, partitioner, deadlines, must_close)

    def rows_of(table: Table, topic: str, group: str) -> OpenLane[JoinCount]:
        reader = RowReader(table, tables, columns, unframe, parse_length(settings.max_ahead))

        def open_lane(partition: int, must_close: Callable[[], bool]) -> tuple[RowLane, Log]:
            kafka = log_of(partition, topic, group, must_close)
            lane = RowLane(
                partition,
                topic,
                kafka,
                reader,
                topics,
                found[topics.order_rows].partitions,
                groups.again,
                closing=must_close,
                max_batch=settings.max_batch,
            )
            return lane, kafka

        return open_lane

    def open_orders(partition: int, must_close: Callable[[], bool]) -> tuple[OrderLane, Log]:
        kafka = log_of(partition, topics.order_rows, groups.rows, must_close)
        lane = OrderLane(
            partition,
            kafka,
            columns,
            topics,
            found[topics.orders].partitions,
            partitioner,
            groups.again,
            closing=must_close,
            max_batch=settings.max_batch,
        )
        return lane, kafka

    options = {
        "session.timeout.ms": settings.session_timeout_ms,
        "heartbeat.interval.ms": settings.heartbeat_interval_ms,
    }

    def member(group: str, topic: str, open_lane: OpenLane[JoinCount]) -> GroupMember[JoinCount]:
        return GroupMember(settings.kafka_client, group, topic, options, open_lane)

    say(f"Joining {tables.orders} and {tables.items} into {topics.orders} at {settings.kafka}, until ctrl-C.")
    members = [
        member(groups.orders, tables.orders, rows_of("orders", tables.orders, groups.orders)),
        member(groups.items, tables.items, rows_of("items", tables.items, groups.items)),
        member(groups.rows, topics.order_rows, open_orders),
    ]
    with normal_end():
        try:
            with ExitStack() as open_members:
                for each in members:
                    open_members.enter_context(closing(each))
                _attend(members, say)
        finally:
            say(count_text(count for each in members for count in each.counted()))


def columns_of(settings: Settings) -> OrderColumns:
    """Return the columns of the tables, as the setting ``events.orders`` names them."""
    form = settings.forms.orders
    assert form is not None  # the setting `join` is refused without it
    read = fields_read(
        settings.read_features, statuses=bool(settings.exclude_statuses), time_zone=settings.time_zone
    )
    return OrderColumns(form, read)


def _attend(members: list[GroupMember[JoinCount]], say: Callable[[str], None]) -> None:
    """Take part in the groups until a signal comes."""
    said_s, live = time.monotonic(), False
    while True:
        for each in members:
            each.look()
        if not live and all(each.is_live() for each in members):
            live = True
            say("Live: every row from now on goes into its order.")
        if time.monotonic() - said_s >= _SAY_EVERY_S:
            said_s = time.monotonic()
            log.info("counted", so_far=count_text(count for each in members for count in each.counted()))
