"""Quix Streams with its guarantee of exactly once: the users in its RocksDB, the index in Redis.

Signups and orders come on one topic. Quix joins topics in the order of time, and then it waits for the record
after the last one; a transaction marker in its place never comes, so it would wait for ever.

The index of similar users needs all users, but Quix keeps a state for each partition. So the index is in
Redis, outside of Quix's transaction: after a crash it may be ahead of the changes.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import redis
from confluent_kafka import ConsumerGroupState, KafkaException
from confluent_kafka.admin import AdminClient
from quixstreams import Application, State, message_context

from benchmarks.bare.bare_change import Headers, Input, decide, record_of
from benchmarks.bare.bare_events import decode_order, decode_signup
from benchmarks.bare.bare_similar import angle_of, similar_users
from benchmarks.bare.bare_store import BareStore
from benchmarks.bare.bare_user import BareUser, decode_user, encode_user, fold
from benchmarks.bare.table_score import TableScorer
from benchmarks.ways.way_job import READY, Job, done_and_wait, read_job, say

_READY_S = 60.0

# Key, value, headers of a change's record.
Change = tuple[bytes, bytes, Headers]


class Work:
    """Decides one event."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._scorer = TableScorer(job.read_release())
        self._store = BareStore(job.redis, job.redis_prefix, "quix")
        self._redis = redis.Redis.from_url(job.redis, socket_timeout=60)
        self._index, self._user = f"{job.redis_prefix}angles", f"{job.redis_prefix}user:"

    def apply(self, value: bytes, state: State) -> Change | None:
        """The change that an event makes; None if it makes no change."""
        at = message_context()
        is_order = b'"order_id"' in value
        event = decode_order(value) if is_order else decode_signup(value)
        packed = state.get_bytes("user")
        user = BareUser(order_ids=[], brands={}, categories={}) if packed is None else decode_user(packed)
        fold(user, event)
        given = Input(event, at.topic, at.partition, at.offset)
        change, x, y = decide(user, given, self._scorer, self._job.topic_prefix)
        state.set_bytes("user", encode_user(user))
        angle = angle_of(x, y)
        if angle is not None:
            self._redis.zadd(self._index, {event.user_id: angle})
        if change is None:
            return None
        self._redis.hset(f"{self._user}{event.user_id}", "segment", str(user.segment))
        stored = [] if angle is None else self._store.near([angle], [event.user_id])
        searches = [] if angle is None else [(event.user_id, angle)]
        similar = similar_users(searches, [(near, user_id, segment) for user_id, near, segment in stored])
        return record_of(change, similar[0] if similar else (), datetime.now(UTC), self._job.topic_prefix)


def _say_ready(job: Job) -> None:
    """Say that the program is ready when the group has assigned the partitions and the state is open."""
    admin = AdminClient({"bootstrap.servers": job.kafka})
    end_s = time.monotonic() + _READY_S
    while time.monotonic() < end_s:
        time.sleep(0.1)
        with suppress(KafkaException):  # the group has no coordinator yet
            group = admin.describe_consumer_groups([job.group])[job.group].result()
            if group.state == ConsumerGroupState.STABLE and group.members:
                time.sleep(1.0)
                say(READY)
                return


def main() -> None:
    """Take all events of the job."""
    job = read_job()
    work = Work(job)
    applied = 0

    def count(_topic: str, _partition: int, _offset: int) -> None:
        nonlocal applied
        applied += 1
        if applied == job.events:
            app.stop()  # commits what is open

    app = Application(
        broker_address=job.kafka,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        commit_every=job.batch,
        processing_guarantee="exactly-once",
        state_dir=Path(job.folder) / "quix-state",
        consumer_extra_config={"isolation.level": "read_committed", "fetch.wait.max.ms": 100},
        producer_extra_config={"partitioner": "murmur2_random", "retry.backoff.ms": 1},
        consumer_poll_timeout=0.1,
        on_message_processed=count,
        loglevel="WARNING",
    )
    as_bytes = {"key_deserializer": "bytes", "value_deserializer": "bytes"}
    written = {"key_serializer": "bytes", "value_serializer": "bytes"}
    events = app.dataframe(app.topic(job.topics.orders, **as_bytes))
    changes = events.apply(work.apply, stateful=True)
    changes = changes.filter(lambda change: change is not None)
    changes = changes.set_headers(lambda change, _key, _timestamp, _headers: change[2])
    changes = changes.apply(lambda change: change[1])
    changes.to_topic(app.topic(job.topics.changes, **written))
    changes.to_topic(app.topic(job.topics.users, **written))
    threading.Thread(target=_say_ready, args=(job,), daemon=True).start()
    app.run()
    done_and_wait()


if __name__ == "__main__":
    main()
