"""Rebuild: fold every lane's log into a fresh prefix of Redis, while the workers go on."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from functools import partial
from typing import cast

import redis

from schemas.errors import BadStore
from segue.config.settings import Settings
from segue.connect.kafka_access import DEADLINE_S, lanes_of, patiently
from segue.connect.lane_connections import lane_config
from segue.connect.live_prefix import followed
from segue.connect.redis_access import check_redis
from segue.connect.release_in_use import published
from segue.refill import rebuild_steps
from segue.refill.lane_past import FactsAsOf, erasures_known, lane_log
from segue.refill.rebuild_lease import RedisLeases, check_apart
from segue.refill.rebuild_steps import Rebuilding, Rebuilt, is_anew, take
from streamer.batch.lane_config import LaneConfig
from streamer.kafka.kafka_admin import Admin
from streamer.place.redis_keys import Keys
from streamer.redis.cluster_store import store_at
from streamer.redis.node_urls import is_cluster
from streamer.redis.redis_client import address_of_server, connect, primaries, reaching
from streamer.redis.save_count import split
from streamer.refill.rebuild_lane import WRITER
from streamer.segment.lane_day import date_of
from streamer.user.order_rules import check_statuses


def rebuild(
    settings: Settings,
    into: str,
    facts_as_of: FactsAsOf | None,
    say: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> Rebuilt:
    """Fill a prefix of Redis from the log.

    Args:
        settings: Kafka, Redis, the topics and the group.
        into: the prefix to fill. Keys under it that belong to no place are deleted first.
        facts_as_of: gives the facts of the bootstrap's warehouse; None without a warehouse.
        say: takes sentences for the user.
        progress: called with the numbers of records read and of users written so far.

    Raises:
        BadSetting: the release was trained with other ``exclude_statuses``.
        BadRelease: there is no release that can place users.
        BadStore: Redis may drop keys, or has no room for a second copy.
        LaneInUse: the prefix is not fresh, or another rebuild fills it.
        NeedsRebuild: the log does not hold the whole past, or the group has committed no offsets.
        Unreachable: Kafka or Redis does not answer.
        NoRoom: the users of a lane fit neither into memory nor on the disk.
    """
    partitions = lanes_of(settings)
    config = lane_config(settings, partitions)
    model, bootstrap = published(settings)
    check_statuses(model.release, config.rules)
    anew = _check_redis(settings, config, into, say)
    leads_to = followed(settings.model_copy(update={"redis_prefix": into})).redis_prefix
    live = followed(settings).redis_prefix
    check_apart(into, {live, settings.redis_prefix} - {into}, "name another prefix with --into")
    writer = f"{WRITER}{uuid.uuid4().hex}"
    with ExitStack() as stack:
        stores = [
            stack.enter_context(closing(store_at(settings.redis, lane, into))) for lane in range(partitions)
        ]
        steps = Rebuilding(
            partial(lane_log, settings),
            settings.group,
            config,
            model,
            bootstrap,
            facts_as_of,
            stack.enter_context(erasures_known(settings, bootstrap)),
            progress,
            date_of(config.rules, datetime.now(UTC)),
        )
        # A rebuild that is refused must not keep others out, so the name is stored after all checks.
        steps.check(stores, writer)
        take(RedisLeases(settings.redis), live, into, leads_to)
        return steps.fill(stores, writer, anew=anew)


def switch(settings: Settings, into: str) -> int:
    """Move every lane to a prefix that a rebuild has filled. The workers follow.

    Each lane takes one write, which interrupts the lane's present batch. A lane that has moved already is
    skipped. So an interrupted switch can simply run again.

    Returns:
        How many lanes were moved.

    Raises:
        NeedsRebuild: the prefix is not filled, or was filled under other settings.
        LaneInUse: a lane's place changed again and again.
        Unreachable: Kafka or Redis does not answer.
    """
    partitions = lanes_of(settings)
    before = followed(settings).redis_prefix
    topics, admin = settings.topics, Admin(settings.kafka_client, DEADLINE_S)
    found = patiently(settings, lambda: admin.describe_settled([*topics.inputs, topics.users]))
    topic_ids = {name: facts.topic_id for name, facts in found.items()}
    with ExitStack() as stack:
        olds, news = (
            [
                stack.enter_context(closing(store_at(settings.redis, lane, prefix)))
                for lane in range(partitions)
            ]
            for prefix in (settings.redis_prefix, into)
        )
        # After an interrupted switch lane 0 may have moved: then the name is stored under the setting's
        # prefix.
        return rebuild_steps.switch(
            olds, news, into, topic_ids, RedisLeases(settings.redis), {before, settings.redis_prefix}
        )


def _check_redis(settings: Settings, config: LaneConfig, into: str, say: Callable[[str], None]) -> bool:
    """Check that Redis has room; return whether a sweep must decide every user again (:func:`is_anew`)."""
    doubt = check_redis(settings, into)
    if doubt is not None:
        say(doubt)
    url = settings.redis
    with closing(connect(url)) as client, reaching(url):
        for server in primaries(client):
            _check_room(server, say)
        keys = Keys(followed(settings).redis_prefix, tagged=is_cluster(url))
        _, stored = split(cast(bytes | None, client.get(keys.place(0))))
    return is_anew(stored, config)


def _check_room(server: redis.Redis, say: Callable[[str], None]) -> None:
    """Check that a second copy of the states fits; it takes at most the memory that the server uses now."""
    address = address_of_server(server)
    try:
        memory = server.info("memory")
    except redis.exceptions.NoPermissionError:
        say(
            f"Redis at {address} does not show its memory limit: make sure that a second copy of the states"
            " fits"
        )
        return
    used, most = int(memory.get("used_memory", 0)), int(memory.get("maxmemory", 0))
    if most and most - used < used:
        raise BadStore(
            f"Redis at {address} uses {used:,} of {most:,} bytes, too little room for a second copy of the"
            " states: raise maxmemory"
        )
