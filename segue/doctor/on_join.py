"""A check of `segue join`, if the settings name tables to join: its groups, and how far they are behind."""

from __future__ import annotations

from confluent_kafka import KafkaException, TopicPartition

from schemas.counted import counted
from schemas.errors import SegueError
from segue.config.others.join_tables import JoinTables
from segue.config.settings import Settings
from segue.connect.group_members import members_of
from segue.doctor.check import OK, WARN, Check
from segue.doctor.on_kafka import DEADLINE_S, MANY_EVENTS, failed, lag_of
from segue.join.join_topics import join_groups
from streamer.kafka.kafka_admin import Admin

_NAME, _START = "join", "start it: segue join"


def check_join(settings: Settings) -> list[Check]:
    """Return the check; none if the setting ``join`` names no tables."""
    tables = settings.joined
    if tables is None:
        return []
    try:
        return [_checked(settings, tables, Admin(settings.kafka_client, DEADLINE_S))]
    except (SegueError, KafkaException) as error:
        return [failed(_NAME, error)]


def _checked(settings: Settings, tables: JoinTables, admin: Admin) -> Check:
    rows = settings.topics.order_rows
    found = admin.describe([tables.orders, tables.items, rows])
    if absent := [name for name in (tables.orders, tables.items) if name not in found]:
        fix = "Debezium makes a topic with the first row of its table; or correct [join] in segue.toml"
        return Check(_NAME, WARN, f"missing: {', '.join(absent)}", fix)
    if rows not in found:
        return Check(_NAME, WARN, "it has never run", _START)
    groups = join_groups(settings.group)
    # The members first; why: segue/doctor/on_triggers.py.
    members = members_of(settings.kafka_client, groups.rows, DEADLINE_S)
    total = 0
    for group, topic in ((groups.orders, tables.orders), (groups.items, tables.items), (groups.rows, rows)):
        members_of(settings.kafka_client, group, DEADLINE_S)
        where = [TopicPartition(topic, partition) for partition in range(found[topic].partitions)]
        total += sum(lag_of(admin, place) for place in admin.committed(group, where))
    processes = "1 process" if members == 1 else f"{members} processes"
    text = (
        f"{groups.rows} has {processes}; at most {counted(total, 'row')} behind, transaction markers included"
    )
    if not members:
        return Check(_NAME, WARN, text, _START)
    if total > MANY_EVENTS:
        return Check(_NAME, WARN, text, "look at the log of segue join; else start it once more")
    return Check(_NAME, OK, text)
