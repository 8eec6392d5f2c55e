"""Replay: the log's events decided once more, beside the workers, by any release."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from msgspec.structs import replace

from schemas.changes import Change
from schemas.headers import change_headers
from schemas.partition import partition_of
from schemas.wire import decode_change, encode_change
from segue.kafka import lanes_of
from segue.lane_past import FactsAsOf, LaneLog, lane_log, past_of
from segue.lanes import lane_config
from segue.patient import PatientReader
from segue.release import published
from segue.replay_window import Wanted, window_of
from segue.sending import Outgoing
from segue.settings import Settings
from streamer.batch import Incoming, read_batch
from streamer.healing import read_between
from streamer.lane_config import LaneConfig
from streamer.model import ActiveModel
from streamer.replay import Live, Replay, UserReplay, Window, compared, in_live_order


@dataclass(slots=True)
class Replayed:
    """What a replay did, beside what was decided live.

    Attributes:
        version: of the release that decided.
        live_versions: of the releases that decided live in the window.
        undecided_before: users whose decision before the window the log does not tell.
    """

    version: str
    events: int = 0
    live_changes: int = 0
    changes: int = 0
    undecided_before: int = 0
    live_versions: set[str] = field(default_factory=set)
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
        """
        for lane in self._lanes:
            with lane_log(self._settings, lane) as log:
                yield from self._lane(log)

    def _lanes_of(self) -> list[int]:
        lanes = set(range(self.partitions))
        if self._users is not None:
            lanes &= {partition_of(one, self.partitions, self._settings.partitioner) for one in self._users}
        if self._wanted.lanes is not None:
            lanes &= self._wanted.lanes
        return sorted(lanes)

    def _lane(self, log: LaneLog) -> Iterator[Change]:
        window = window_of(self._settings, log, self._wanted)
        live = self._live(log, window)
        before = self._read
        past = past_of(
            log,
            self._config,
            self._bootstrap,
            self._facts_as_of,
            decisions=False,
            only=self._users,
            progress=lambda read: self._note(before + read),
        )
        past.go_to(window.begin)
        states = {u: replace(s, decided=live.before.get(u)) for u, s in past.states.items()}
        self.done.undecided_before += sum(s.facts.alive and s.decided is None for s in states.values())
        replay = Replay(states, self._model, self._config.rules)
        told: dict[str, list[Change]] = {}
        for incoming in in_live_order(self._inputs(log, window), live.marks):
            user_id = incoming.event.user_id
            if self._users is not None and user_id not in self._users:
                continue
            self.done.events += 1
            changes = replay.apply(incoming, datetime.now(UTC))
            told.setdefault(user_id, []).extend(changes)
            self.done.changes += len(changes)
            yield from changes
        for user_id, changes_of in told.items():
            self.done.users.append(compared(user_id, live, changes_of, replay.state(user_id)))
            self.done.live_changes += len(live.within.get(user_id, []))

    def _live(self, log: LaneLog, window: Window) -> Live:
        """What was decided live in this lane."""
        live = Live(window)
        topics = self._config.topics
        for topic, add in ((topics.users, live.add_record), (topics.changes, live.add)):
            bounds = log.bounds[topic]
            for records in read_between(
                log.reader, {topic: bounds.begin}, {topic: bounds.end}, self._config.max_batch
            ):
                for record in records:
                    if record.value is not None:
                        add(decode_change(record.value))
                self._note(self._read + len(records))
        self.done.live_versions |= {
            change.model_version
            for changes in live.within.values()
            for change in changes
            if change.kind != "erased"
        }
        return live

    def _inputs(self, log: LaneLog, window: Window) -> dict[str, Iterator[Incoming]]:
        """Each input by itself, with a reader of its own: in which order to take them is not the readers' to say."""
        return {topic: self._input(log, topic, window) for topic in self._config.topics.inputs}

    def _input(self, log: LaneLog, topic: str, window: Window) -> Iterator[Incoming]:
        reader = PatientReader(self._settings, log.lane)
        begin, end = {topic: window.begin[topic]}, {topic: window.end[topic]}
        try:
            for records in read_between(reader, begin, end, self._config.max_batch):
                self._note(self._read + len(records))
                yield from read_batch(records, begin, self._config.topics, self._config.settings).events
        finally:
            reader.close()

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
