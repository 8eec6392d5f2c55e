"""Replay: decide the log's events again by any release, while the workers go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from msgspec.structs import replace

from schemas.outputs.headers import change_headers
from schemas.outputs.segment_change import Change, UserErasedChange
from schemas.outputs.wire import encode_change
from schemas.partitioner import partition_of
from segue.config.command_line import BadUsage
from segue.config.settings import Settings
from segue.connect.kafka_access import lanes_of
from segue.connect.lane_connections import lane_config
from segue.connect.release_in_use import in_folder, published
from segue.events.send_events import Outgoing
from segue.refill.lane_past import Erased, FactsAsOf, LaneLog, erasures_known, lane_log
from segue.refill.lane_replay import LaneReplay, open_window
from segue.refill.replay_window import Wanted
from streamer.batch.lane_config import LaneConfig
from streamer.batch.refusals import Refusals
from streamer.refill.replay_lane import UserReplay
from streamer.segment.active_model import ActiveModel


@dataclass(slots=True)
class Replayed:
    """The result of a replay, next to the live decisions.

    Attributes:
        version: the version of the release that decided in the replay.
        events: how many events were replayed.
        live_changes: how many changes the workers published for the same users in the window.
        changes: how many changes the replay decided.
        undecided_before: how many users have no decision from before the window in the log.
        live_versions: the versions of the releases that decided live in the window.
        refusals: the events that could not be applied.
        users: the comparison of both runs, for each user who has an event in the window.
    """

    version: str
    events: int = 0
    live_changes: int = 0
    changes: int = 0
    undecided_before: int = 0
    live_versions: set[str] = field(default_factory=set)
    refusals: Refusals = field(default_factory=Refusals)
    users: list[UserReplay] = field(default_factory=list)


class ReplayRun:
    """A replay, one lane after the other, so that memory holds only one lane's users.

    Args:
        settings: Kafka, Redis and the topics.
        wanted: which part of the log is replayed.
        users: replay only these; None for all.
        release: a version, or a folder; None for the current release.
        facts_as_of: gives the facts of the bootstrap's warehouse; None without a warehouse.
        progress: called with the number of records read so far.

    Raises:
        BadRelease: the release does not exist, or cannot be used.
        BadTopics: a topic does not exist, or the topics do not fit together.
        Unreachable: Kafka does not answer.
    """

    def __init__(
        self,
        settings: Settings,
        wanted: Wanted,
        users: frozenset[str] | None,
        release: str | None,
        facts_as_of: FactsAsOf | None,
        progress: Callable[[int], None],
    ) -> None:
        self._settings = settings
        self._wanted = wanted
        self._users = users
        self._facts_as_of = facts_as_of
        self._progress = progress
        self._read = 0
        if release is not None:
            in_folder(release)  # report a bad release before the wait for Kafka
        self.partitions = lanes_of(settings)
        self._model, self._bootstrap = published(settings, release)
        self._config = _with_statuses_of(lane_config(settings, self.partitions), self._model)
        self._lanes = self._lanes_to_replay()
        self.done = Replayed(self._model.release.version)

    def changes(self) -> Iterator[Change]:
        """Replay, and give each change as soon as it is decided; this also fills ``done``.

        Raises:
            NeedsRebuild: the log does not hold the whole past.
            BadUsage: the window lies outside the log.
            Unreachable: Kafka does not answer, or, after a bootstrap, Redis.
        """
        with erasures_known(self._settings, self._bootstrap) as erased:
            for lane in self._lanes:
                with lane_log(self._settings, lane) as log:
                    yield from self._lane(log, erased)

    def _lanes_to_replay(self) -> list[int]:
        lanes = set(range(self.partitions))
        if self._users is not None:
            lanes &= {partition_of(user, self.partitions, self._settings.partitioner) for user in self._users}
        if self._wanted.lanes is not None:
            if missing := sorted(self._wanted.lanes - set(range(self.partitions))):
                raise BadUsage(f"there is no lane {missing[0]}: the lanes are 0 to {self.partitions - 1}")
            lanes &= self._wanted.lanes
        return sorted(lanes)

    def _lane(self, log: LaneLog, erased: Erased) -> Iterator[Change]:
        window = open_window(
            self._settings,
            log,
            self._wanted,
            self._config,
            self._bootstrap,
            self._facts_as_of,
            erased,
            self._users,
            self._report_read,
        )
        replay = LaneReplay(window, self._model)
        done = self.done
        for change in replay.changes():
            done.changes += 1
            yield change
        live = replay.live.within
        done.events += replay.events
        done.undecided_before += replay.undecided_before
        done.users += replay.compared()
        done.refusals.merge(replay.refusals)
        done.live_changes += sum(len(live.get(user_id, ())) for user_id in replay.changes_by_user)
        done.live_versions |= {
            change.model_version
            for changes in live.values()
            for change in changes
            if not isinstance(change, UserErasedChange)
        }

    def _report_read(self, records: int) -> None:
        self._read += records
        self._progress(self._read)


def _with_statuses_of(config: LaneConfig, model: ActiveModel) -> LaneConfig:
    """Return the settings with the excluded statuses of the release."""
    statuses = frozenset(model.release.exclude_statuses)
    return replace(config, rules=replace(config.rules, exclude_statuses=statuses))


def outgoing(change: Change, topic: str, settings: Settings) -> Outgoing:
    """Encode a change as a record for the topic that the replay writes to."""
    headers = change_headers(change, settings.topics)
    return Outgoing(
        topic,
        change.user_id.encode(),
        encode_change(change),
        f"a change of user {change.user_id}",
        headers,
    )
