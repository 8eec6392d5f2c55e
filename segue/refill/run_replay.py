"""Replay: the log's events decided once more, beside the workers, by any release."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from msgspec.structs import replace

from schemas.outputs.headers import change_headers
from schemas.outputs.segment_change import Change, UserErasedChange
from schemas.outputs.wire import encode_change
from schemas.partitioner import partition_of
from segue.config.settings import Settings
from segue.connect.kafka_access import lanes_of
from segue.connect.lane_connections import lane_config
from segue.connect.patient_log import PatientReader
from segue.connect.release_in_use import in_folder, published
from segue.events.send_events import Outgoing
from segue.refill.bootstrap_offsets import Asked
from segue.refill.lane_past import Erased, FactsAsOf, LaneLog, erasures_known, lane_log, past_begins, past_of
from segue.refill.lane_replay import LaneReplay
from segue.refill.replay_window import Wanted, window_of
from streamer.batch.lane_config import LaneConfig
from streamer.batch.refusals import Refusals
from streamer.refill.replay_lane import UserReplay
from streamer.segment.active_model import ActiveModel


@dataclass(slots=True)
class Replayed:
    """What a replay did, beside what was decided live.

    Attributes:
        version: of the release that decided.
        live_versions: of the releases that decided live in the window.
        undecided_before: users whose decision before the window the log does not tell.
        refusals: the events that could not be applied.
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
    """A replay, lane by lane: one lane's users lie in memory at a time.

    Args:
        users: only these; None for all.
        release: a version, or a folder; None for the current release.
        facts_as_of: the facts of the warehouse that a bootstrap took the users from.
        progress: told how many records have been read.

    Raises:
        BadRelease: there is no such release, or it cannot be used.
        BadTopics: the topics do not fit together, or are not there.
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
            in_folder(release)  # it is looked at before Kafka is waited for
        self.partitions = lanes_of(settings)
        self._model, self._bootstrap = published(settings, release)
        self._config = _under(lane_config(settings, self.partitions), self._model)
        self._lanes = self._lanes_of()
        self.done = Replayed(self._model.release.version)

    def changes(self) -> Iterator[Change]:
        """Replay, and give each change as it is decided; ``done`` is filled meanwhile.

        Raises:
            NeedsRebuild: the log does not hold the whole past.
            BadUsage: the window lies outside the log.
            Unreachable: Kafka does not answer, or, after a bootstrap, Redis.
        """
        with erasures_known(self._settings, self._bootstrap) as erased:
            for lane in self._lanes:
                with lane_log(self._settings, lane) as log:
                    yield from self._lane(log, erased)

    def _lanes_of(self) -> list[int]:
        lanes = set(range(self.partitions))
        if self._users is not None:
            lanes &= {partition_of(one, self.partitions, self._settings.partitioner) for one in self._users}
        if self._wanted.lanes is not None:
            lanes &= self._wanted.lanes
        return sorted(lanes)

    def _lane(self, log: LaneLog, erased: Erased) -> Iterator[Change]:
        topics = self._config.topics
        begin = past_begins({topic: log.bounds[topic] for topic in topics.inputs}, log.lane, self._bootstrap)
        window = window_of(topics, log, begin, self._wanted, Asked(self._settings).offset_at)
        before = self._read
        past = past_of(
            log,
            self._config,
            self._bootstrap,
            self._facts_as_of,
            decisions=False,
            only=self._users,
            erased=erased,
            progress=lambda read: self._note(before + read),
        )
        with closing(past):
            replay = LaneReplay(
                log,
                window,
                past,
                self._model,
                self._config,
                lambda: closing(PatientReader(self._settings, log.lane)),
                self._users,
                lambda read: self._note(self._read + read),
            )
        done = self.done
        for change in replay.changes():
            done.changes += 1
            yield change
        live = replay.live.within
        done.events += replay.events
        done.undecided_before += replay.undecided_before
        done.users += replay.compared()
        done.refusals.merge(replay.refusals)
        done.live_changes += sum(len(live.get(user_id, ())) for user_id in replay.told)
        done.live_versions |= {
            change.model_version
            for changes in live.values()
            for change in changes
            if not isinstance(change, UserErasedChange)
        }

    def _note(self, read: int) -> None:
        self._read = read
        self._progress(read)


def _under(config: LaneConfig, model: ActiveModel) -> LaneConfig:
    """The settings with the statuses that the release was trained without."""
    statuses = frozenset(model.release.exclude_statuses)
    return replace(config, rules=replace(config.rules, exclude_statuses=statuses))


def outgoing(change: Change, topic: str, settings: Settings) -> Outgoing:
    """A change as a record of a topic of the replay's own."""
    headers = change_headers(change, settings.topics)
    return Outgoing(
        topic,
        change.user_id.encode(),
        encode_change(change),
        f"a change of user {change.user_id}",
        headers,
    )
