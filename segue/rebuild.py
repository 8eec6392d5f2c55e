"""Rebuild: every lane's states from its log into a fresh prefix of Redis, beside the workers."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import cast

import redis

from schemas.errors import BadStore, NeedsRebuild, Unusable
from segue.followed import followed
from segue.kafka import lanes_of
from segue.lane_past import Erased, FactsAsOf, LaneLog, erasures_known, lane_log, past_of
from segue.lanes import lane_config
from segue.rebuild_lease import give_back, take
from segue.redis_start import check_redis
from segue.release import published
from segue.settings import Settings
from streamer import place as places
from streamer.keys import Keys
from streamer.lane_config import LaneConfig
from streamer.model import ActiveModel, BootstrapRecord
from streamer.rebuild import WRITER, LaneFiller, check_filled, decided_within, kept, move
from streamer.redis_client import address_of, connect, reaching
from streamer.refusals import Refusals
from streamer.rules import check_statuses
from streamer.save_count import split
from streamer.store import RedisStore


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was written. ``records`` were read; ``anew``: a sweep is to decide every user again; ``refusals``: events that
    could not be applied.
    """

    users: int
    records: int
    anew: bool
    refusals: Refusals


def rebuild(
    settings: Settings,
    into: str,
    facts_as_of: FactsAsOf | None,
    say: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> Rebuilt:
    """Fill a prefix from the log.

    Args:
        into: the prefix; what lies under it without a place is deleted first.
        facts_as_of: the facts of the warehouse that a bootstrap took the users from.
        progress: told how many records have been read, and users written.

    Raises:
        BadSetting: the release was trained with other ``exclude_statuses``.
        BadRelease: there is no release to place users by.
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
    take(settings, into)
    writer = f"{WRITER}{uuid.uuid4().hex}"
    with ExitStack() as stack:
        stores = [
            stack.enter_context(closing(RedisStore(settings.redis, lane, into))) for lane in range(partitions)
        ]
        erased = stack.enter_context(erasures_known(settings, bootstrap))
        run = _Run(settings, config, model, bootstrap, facts_as_of, erased, progress)
        fillers = [
            LaneFiller(lane, store, model, config, writer, anew=anew) for lane, store in enumerate(stores)
        ]
        unfinished = [filler.look() for filler in fillers]
        for filler in fillers:
            filler.begin(again=any(unfinished))
        fillers[0].clear()
        for lane, filler in enumerate(fillers):
            run.lane(lane, filler)
        for filler in fillers:
            filler.count()
        for filler in fillers:
            filler.place()
        for filler in fillers:
            filler.confirm()
        return Rebuilt(run.users, run.records, anew, run.refusals)


@dataclass(slots=True)
class _Run:
    """One lane after the other, so that one lane's users are kept at a time."""

    settings: Settings
    config: LaneConfig
    model: ActiveModel
    bootstrap: BootstrapRecord | None
    facts_as_of: FactsAsOf | None
    erased: Erased
    progress: Callable[[int, int], None]
    users: int = 0
    records: int = 0
    refusals: Refusals = field(default_factory=Refusals)

    def lane(self, lane: int, filler: LaneFiller) -> None:
        with lane_log(self.settings, lane) as log:
            self._fill(log, filler)

    def _fill(self, log: LaneLog, filler: LaneFiller) -> None:
        topics = self.config.topics
        committed = _committed(log, self.settings)
        read, written = self.records, self.users
        past = past_of(
            log,
            self.config,
            self.bootstrap,
            self.facts_as_of,
            decisions=True,
            erased=self.erased,
            progress=lambda records: self.progress(read + records, written),
        )
        with closing(past):
            until = decided_within(
                log.reader, topics.users, log.bounds[topics.users], committed, self.config.max_batch
            )
            past.go_to({**committed, topics.users: until})
            self.records += past.records
            self.refusals.merge(past.refusals)
            self.users += filler.fill(
                past.states,
                past.positions,
                {topic: log.bounds[topic].topic_id for topic in past.positions},
                lambda users: self.progress(self.records, written + users),
            )


def _committed(log: LaneLog, settings: Settings) -> dict[str, int]:
    """Up to where the group has decided."""
    found = {}
    for topic in settings.topics.inputs:
        committed, bounds = log.committed.get(topic), log.bounds[topic]
        if committed is None and topic == settings.topics.rekeyed and bounds.end == 0:
            # Re-keying was only now turned on: no worker has written there, nor read.
            found[topic] = 0
            continue
        if committed is None:
            raise NeedsRebuild(
                f"the group {settings.group} has committed no offset of {topic} in lane {log.lane}: is the setting"
                " group the workers'? Where nothing was ever decided, start a worker instead"
            )
        if committed.topic_id not in (None, bounds.topic_id):
            raise NeedsRebuild(
                f"the group's offset of {topic} in lane {log.lane} is one of a topic that was deleted since: start"
                " a worker, which begins with the new one; where Redis was lost too, restore it, or begin again from the"
                " warehouse"
            )
        if committed.former is not None and committed.former.held_facts:
            raise NeedsRebuild(
                f"{topic} was made anew, and what the topic before it held is not in the log: restore Redis, or begin"
                " again from the warehouse (docs/rebuilding.md)"
            )
        found[topic] = committed.offset
    return found


def switch(settings: Settings, into: str) -> int:
    """Move every lane to a prefix that a rebuild has filled: one write a lane, which ends its present batch.

    A lane that has moved is left alone, so that one that was interrupted is run again. The workers follow.

    Returns:
        How many lanes were moved.

    Raises:
        NeedsRebuild: the prefix is not filled, or for other settings than those of the workers.
        LaneInUse: a lane's place changed again and again.
        Unreachable: Kafka or Redis does not answer.
    """
    partitions = lanes_of(settings)
    before = followed(settings).redis_prefix
    with ExitStack() as stack:
        olds, news = (
            [
                stack.enter_context(closing(RedisStore(settings.redis, lane, prefix)))
                for lane in range(partitions)
            ]
            for prefix in (settings.redis_prefix, into)
        )
        for old, new in zip(olds, news, strict=True):
            check_filled(kept(old), new.place(), into)
        moved = sum(move(old, into) for old in olds if old.prefix != into)
    # Where one was interrupted, lane 0 may have moved before, and the name stands under the setting's prefix.
    for prefix in {before, settings.redis_prefix} - {into}:
        give_back(settings, prefix)
    return moved


def _check_redis(settings: Settings, config: LaneConfig, into: str, say: Callable[[str], None]) -> bool:
    """See that there is room; whether users are to be decided anew, as the present states tell."""
    doubt = check_redis(settings, into)
    if doubt is not None:
        say(doubt)
    client = connect(settings.redis)
    try:
        _check_room(client, say)
        with reaching(address_of(client)):
            keys = Keys(followed(settings).redis_prefix)
            _, stored = split(cast(bytes | None, client.get(keys.place(0))))
    finally:
        client.close()
    place = None if stored is None else places.readable(stored)
    return place is None or place.settings != config.settings


def _check_room(client: redis.Redis, say: Callable[[str], None]) -> None:
    """A second copy takes at most what all of Redis takes now."""
    address = address_of(client)
    try:
        with reaching(address):
            memory = client.info("memory")
    except Unusable:
        say(
            f"Redis at {address} does not tell how much memory it has: see that there is room for a second copy"
        )
        return
    used, most = int(memory.get("used_memory", 0)), int(memory.get("maxmemory", 0))
    if most and most - used < used:
        raise BadStore(
            f"Redis at {address} uses {used:,} of {most:,} bytes, too little room for a second copy of the states:"
            " raise maxmemory"
        )
