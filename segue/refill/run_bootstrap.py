"""Bootstrap: write every user's state as of a time T from the warehouse to Redis and `user-segments`.

This module prepares what :mod:`streamer.refill.bootstrap_lanes` needs: an unused group, a log that reaches
back to T, the offsets at T minus a margin, and the `bootstrap` record.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import msgspec

from schemas import times
from schemas.input_events import Order, Signup
from segue.config.settings import Settings
from segue.connect.kafka_access import prepare_topics
from segue.connect.lane_connections import lane_config, open_store
from segue.connect.patient_log import PatientLog
from segue.connect.redis_access import check_redis
from segue.connect.release_in_use import current_model
from segue.events.send_events import Outgoing, Sender
from segue.refill.bootstrap_offsets import Start, check_unused_group, offsets_at
from streamer.refill.bootstrap_lanes import WRITER, Filled, LaneEnds, bootstrap
from streamer.releases.release_view import BOOTSTRAP_KEY
from streamer.segment.active_model import BootstrapRecord


def fill(
    settings: Settings,
    facts: Callable[[], Iterable[Signup | Order]],
    as_of: datetime,
    margin: timedelta,
    say: Callable[[str], None],
    progress: Callable[[int], None],
) -> Filled:
    """Bootstrap all lanes.

    Args:
        settings: Kafka, Redis, the topics and the group.
        facts: gives the facts before ``as_of``, user by user.
        as_of: the time of the warehouse's snapshot.
        margin: how long before ``as_of`` the log is read again. A fact that is read twice does no harm.
        say: takes sentences for the user.
        progress: called with the number of users read so far.

    Returns:
        What was filled.

    Raises:
        BadSetting: the release was trained with other ``exclude_statuses``.
        NotFresh: the group or the Redis prefix is in use.
        BadTopics: the log lost events after ``as_of``.
        BadRelease: there is no release that can place users.
        Unreachable: Kafka or Redis does not answer.
    """
    partitions = prepare_topics(settings, say)
    _check_redis(settings, say)
    check_unused_group(settings)
    model = current_model(settings)
    start = offsets_at(settings, partitions, as_of, margin)
    with ExitStack() as stack:
        ends = {}
        for partition in range(partitions):
            log, store = PatientLog(settings, partition), open_store(settings, partition)
            stack.callback(log.close)
            stack.callback(store.close)
            ends[partition] = LaneEnds(log, store, start[partition])
        return bootstrap(
            ends,
            facts(),
            as_of,
            model,
            lane_config(settings, partitions),
            clock=lambda: datetime.now(UTC),
            writer=f"{WRITER}{uuid.uuid4().hex}",
            announce=lambda: _announce(settings, as_of, start),
            progress=progress,
        )


def _check_redis(settings: Settings, say: Callable[[str], None]) -> None:
    doubt = check_redis(settings, settings.redis_prefix)
    if doubt is not None:
        say(doubt)


def _announce(settings: Settings, as_of: datetime, start: Start) -> None:
    """Write the `bootstrap` record. It says that the log alone no longer holds the whole past."""
    record = BootstrapRecord(times.text(as_of), {str(lane): offsets for lane, offsets in start.items()})
    topic = settings.topics.models
    sender = Sender(settings.kafka_client, settings.partitioner)
    sender.send(
        [Outgoing(topic, BOOTSTRAP_KEY.encode(), msgspec.json.encode(record), "the bootstrap's record")]
    )
