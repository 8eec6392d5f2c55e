"""Redis against the log, user by user: the log is folded again in memory, up to each lane's place."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from schemas.errors import NeedsRebuild
from schemas.partition import partition_of
from schemas.release import ModelRelease
from schemas.times import EPOCH
from segue.followed import followed
from segue.kafka import DEADLINE_S, lanes_of, patiently
from segue.lane_past import FactsAsOf, LaneLog, erasures_known, lane_log, past_of
from segue.lanes import lane_config
from segue.redis_lane import RedisLane, spaces_in
from segue.redis_users import RedisUsers
from segue.release import read_releases
from segue.settings import Settings
from streamer.compare import Difference, differences
from streamer.lane_config import LaneConfig
from streamer.model import ActiveModel
from streamer.place import Place
from streamer.refold import Refold
from streamer.refusals import Refusals
from streamer.scoring import Scorer
from streamer.start import check_settings

_USERS_AT_ONCE = 500
_LOOKS = 4
_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found. ``records`` were read, of the inputs and of decisions; ``refusals``: events that no state holds."""

    users: int
    records: int
    differing: dict[str, list[Difference]]
    lanes_without_place: tuple[int, ...]
    refusals: Refusals

    @property
    def whole(self) -> bool:
        """Whether Redis holds what the log says, in every lane."""
        return not self.differing and not self.lanes_without_place


def verify(
    settings: Settings, facts_as_of: FactsAsOf | None, progress: Callable[[int, int], None]
) -> Verified:
    """Compare every user of every lane; workers may go on meanwhile.

    Args:
        facts_as_of: the facts of the warehouse that a bootstrap took the users from.
        progress: told how many records have been read, and how many users compared.

    Raises:
        NeedsRebuild: the log does not hold the whole past, or the states were made under other settings.
        BadTopics: the topics do not fit together, or are not there.
        Unreachable: Kafka or Redis does not answer.
    """
    settings = followed(settings)
    partitions = lanes_of(settings)
    config = lane_config(settings, partitions)
    models = _Models(settings)
    of_lane: dict[int, list[str]] = defaultdict(list)
    with RedisUsers(settings) as users:
        for some in users.user_ids():
            for user_id in some:
                of_lane[partition_of(user_id, partitions, settings.partitioner)].append(user_id)
    erased = erasures_known(settings, models.bootstrap)
    run = _Run(settings, config, facts_as_of, erased, progress, models, spaces_in(settings))
    for lane in range(partitions):
        run.lane(lane, of_lane[lane])
    return Verified(run.users, run.records, run.differing, tuple(run.without_place), run.refusals)


@dataclass(slots=True)
class _Run:
    """One lane after the other, so that one lane's states lie in memory at a time."""

    settings: Settings
    config: LaneConfig
    facts_as_of: FactsAsOf | None
    erased: Mapping[str, datetime]
    progress: Callable[[int, int], None]
    models: _Models
    spaces: list[str]
    users: int = 0
    records: int = 0
    differing: dict[str, list[Difference]] = field(default_factory=dict)
    without_place: list[int] = field(default_factory=list)
    refusals: Refusals = field(default_factory=Refusals)

    def lane(self, lane: int, in_redis: Sequence[str]) -> None:
        with closing(RedisLane(self.settings, lane, self.spaces)) as redis_lane:
            place = redis_lane.place()
            if place is None:
                self.without_place.append(lane)
                return
            with lane_log(self.settings, lane) as log:
                self._compare(log, redis_lane, place, in_redis)

    def _compare(self, log: LaneLog, redis_lane: RedisLane, place: Place, in_redis: Sequence[str]) -> None:
        check_settings(place.settings, self.config.settings)
        _check_topics_of(place, log)
        before = self.records
        past = past_of(
            log,
            self.config,
            self.models.bootstrap,
            self.facts_as_of,
            decisions=True,
            erased=self.erased,
            progress=lambda read: self.progress(before + read, self.users),
        )
        past.go_to(place.positions)
        seen: set[str] = set()
        pending = list(dict.fromkeys([*in_redis, *past.states]))
        for look in range(_LOOKS):
            found = self._look(pending, redis_lane, past)
            self.users += len(set(pending) - seen)
            seen.update(pending)
            # A lane that heals is on its way for a moment: who differs is looked at again.
            pending = [*found, *(user_id for user_id in past.states if user_id not in seen)]
            if not pending or look == _LOOKS - 1:
                self.differing |= found
                break
            time.sleep(_AGAIN_S if found else 0.0)
        self.records += past.records
        self.refusals.merge(past.refusals)

    def _look(
        self, user_ids: Sequence[str], redis_lane: RedisLane, past: Refold
    ) -> dict[str, list[Difference]]:
        """Compare at the place of each moment at which users are read."""
        found: dict[str, list[Difference]] = {}
        for some in _chunks(user_ids):
            place, kept = redis_lane.read(some)
            past.go_to(place.positions)
            for user_id in some:
                differs = differences(
                    past.state(user_id), kept[user_id], self.models.of_space, self.config.rules
                )
                if differs:
                    found[user_id] = differs
            self.progress(self.records + past.records, self.users)
        return found


class _Models:
    """The releases that were published, by the space that they place users in."""

    def __init__(self, settings: Settings) -> None:
        self._releases = patiently(settings, lambda: read_releases(settings, DEADLINE_S))
        self.bootstrap = self._releases.bootstrap_standing()
        self._known: dict[str, ActiveModel] = {}
        current = self._releases.current()
        if current is not None:
            self._known[current.release.space] = current

    def of_space(self, space: str, version: str | None) -> ActiveModel | None:
        """A model of a space; None where neither the current release nor this version is of it."""
        if space not in self._known and version is not None:
            release: ModelRelease | None = self._releases.release_by_version(version)
            if release is not None:
                self._known[release.space] = ActiveModel(release, Scorer(release), -1, "", EPOCH)
        return self._known.get(space)


def _check_topics_of(place: Place, log: LaneLog) -> None:
    for topic, bounds in log.bounds.items():
        made_in = place.topic_ids.get(topic)
        if made_in is not None and made_in != bounds.topic_id:
            raise NeedsRebuild(
                f"topic {topic} was deleted and made anew, so what the states hold of the one before cannot be"
                " folded again"
            )


def _chunks(user_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(user_ids), _USERS_AT_ONCE):
        yield user_ids[at : at + _USERS_AT_ONCE]
