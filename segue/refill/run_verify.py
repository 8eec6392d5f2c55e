"""Verify: fold each lane's log again up to its place, and compare every user with Redis."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain

from schemas.errors import NeedsRebuild
from schemas.partitioner import partition_of
from schemas.release.model_release import ModelRelease
from schemas.times import EPOCH
from segue.config.settings import Settings
from segue.connect.kafka_access import DEADLINE_S, lanes_of, patiently
from segue.connect.lane_connections import lane_config
from segue.connect.live_prefix import followed
from segue.connect.redis_lane import RedisLane, spaces_in
from segue.connect.redis_users import RedisUsers
from segue.connect.release_in_use import read_releases
from segue.refill.lane_past import Erased, FactsAsOf, LaneLog, erasures_known, lane_log, past_of
from segue.refill.lane_verify import Differing, LaneVerify, Users
from streamer.batch.lane_config import LaneConfig
from streamer.batch.refusals import Refusals
from streamer.place.place import Place
from streamer.refill.compare_states import Difference
from streamer.refill.spill import Shelf, Spill
from streamer.segment.active_model import ActiveModel
from streamer.segment.scoring import Scorer
from streamer.takeover.starting_point import check_settings


@dataclass(frozen=True, slots=True)
class Verified:
    """The result of a verification.

    Attributes:
        users: how many users were compared, the erased ones included.
        erased: how many of them are erased.
        records: how many records of the inputs and of `user-segments` were read.
        by_lane: the users who differ, by lane.
        lanes_without_place: the lanes that have no place in Redis; they were not compared.
        refusals: the events that could not be applied, so no state holds them.
    """

    users: int
    erased: int
    records: int
    by_lane: tuple[Differing, ...]
    lanes_without_place: tuple[int, ...]
    refusals: Refusals

    @property
    def whole(self) -> bool:
        """Whether Redis agrees with the log in every lane."""
        return not self.count and not self.lanes_without_place

    @property
    def count(self) -> int:
        """How many users differ."""
        return sum(map(len, self.by_lane))

    @property
    def differing(self) -> Iterator[tuple[str, list[Difference]]]:
        """Give each user who differs, with the differences."""
        return chain.from_iterable(self.by_lane)


def verify(
    settings: Settings, facts_as_of: FactsAsOf | None, progress: Callable[[int, int], None], spill: Spill
) -> Verified:
    """Compare every user of every lane; the workers may go on meanwhile.

    Args:
        settings: Kafka, Redis, the topics and the group.
        facts_as_of: gives the facts of the bootstrap's warehouse; None without a warehouse.
        progress: called with the numbers of records read and of users compared so far.
        spill: keeps the ids of all users and the differences; on disk if there are many.

    Raises:
        NeedsRebuild: the log does not hold the whole past, or the states were made under other settings.
        BadTopics: a topic does not exist, or the topics do not fit together.
        Unreachable: Kafka or Redis does not answer.
        NoRoom: the users of a lane fit neither into memory nor on the disk.
    """
    settings = followed(settings)
    partitions = lanes_of(settings)
    config = lane_config(settings, partitions)
    models = _Models(settings)
    ids_by_lane = [spill.shelf() for _ in range(partitions)]
    with RedisUsers(settings) as users:
        for user_ids in users.scanned():
            for lane, ids in _by_lane(user_ids, settings, partitions).items():
                ids_by_lane[lane].add(ids)
    with erasures_known(settings, models.bootstrap) as erased:
        run = _Run(settings, config, facts_as_of, erased, progress, models, spaces_in(settings), spill)
        for lane in range(partitions):
            run.verify_lane(lane, ids_by_lane[lane])
    return Verified(
        run.users, run.erased_users, run.records, tuple(run.differing), tuple(run.without_place), run.refusals
    )


def _by_lane(user_ids: Sequence[str], settings: Settings, partitions: int) -> Mapping[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for user_id in user_ids:
        found[partition_of(user_id, partitions, settings.partitioner)].append(user_id)
    return found


@dataclass(slots=True)
class _Run:
    """A verification, one lane after the other, so that it keeps only one lane's states at a time."""

    settings: Settings
    config: LaneConfig
    facts_as_of: FactsAsOf | None
    erased: Erased
    progress: Callable[[int, int], None]
    models: _Models
    spaces: list[str]
    spill: Spill
    users: int = 0
    erased_users: int = 0
    records: int = 0
    differing: list[Differing] = field(default_factory=list)
    without_place: list[int] = field(default_factory=list)
    refusals: Refusals = field(default_factory=Refusals)

    def verify_lane(self, lane: int, in_redis: Shelf) -> None:
        with closing(RedisLane(self.settings, lane, self.spaces)) as redis_lane:
            place = redis_lane.place()
            if place is None:
                self.without_place.append(lane)
                return
            with lane_log(self.settings, lane) as log:
                self._compare(log, redis_lane, place, in_redis)

    def _compare(self, log: LaneLog, redis_lane: RedisLane, place: Place, in_redis: Shelf) -> None:
        check_settings(place.settings, self.config.settings)
        _check_topic_ids(place, log)
        before, before_users = self.records, self.users
        past = past_of(
            log,
            self.config,
            self.models.bootstrap,
            self.facts_as_of,
            decisions=True,
            erased=self.erased,
            progress=lambda read: self.progress(before + read, self.users),
        )
        with closing(past):
            past.go_to(place.positions)
            lane = LaneVerify(
                past,
                redis_lane,
                self.models.of_space,
                self.config.rules,
                lambda users: self.progress(before + past.records, before_users + users),
            )
            self.differing.append(Differing(self.spill.shelf()))
            lane.compare(Users(in_redis, past.states), self.differing[-1])
            self.users += lane.users
            self.erased_users += lane.erased
            self.records += past.records
            self.refusals.merge(past.refusals)


class _Models:
    """The published releases, by space."""

    def __init__(self, settings: Settings) -> None:
        self._releases = patiently(settings, lambda: read_releases(settings, DEADLINE_S))
        self.bootstrap = self._releases.bootstrap_standing()
        self._known: dict[str, ActiveModel] = {}
        current = self._releases.current()
        if current is not None:
            self._known[current.release.space] = current

    def of_space(self, space: str, version: str | None) -> ActiveModel | None:
        """Return a model of the space, from the current release or from ``version``; None if neither fits."""
        if space not in self._known and version is not None:
            release: ModelRelease | None = self._releases.release_by_version(version)
            if release is not None:
                self._known[release.space] = ActiveModel(release, Scorer(release), -1, "", EPOCH)
        return self._known.get(space)


def _check_topic_ids(place: Place, log: LaneLog) -> None:
    for topic, bounds in log.bounds.items():
        made_in = place.topic_ids.get(topic)
        if made_in is not None and made_in != bounds.topic_id:
            raise NeedsRebuild(
                f"topic {topic} was deleted and made anew, but the states still hold events of the deleted"
                " topic. These cannot be folded again, so the states cannot be verified"
            )
