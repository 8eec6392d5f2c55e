"""The replay of one lane's window.

It takes the users as they were before the window, decides the window's events again, and compares the result
with the live decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import AbstractContextManager, closing
from datetime import UTC, date, datetime

from msgspec.structs import replace

from schemas.outputs.segment_change import Change
from schemas.outputs.wire import decode_change
from segue.config.settings import Settings
from segue.connect.patient_log import PatientReader
from segue.refill.bootstrap_offsets import KafkaOffsets
from segue.refill.lane_past import Erased, FactsAsOf, LaneLog, past_begins, past_of
from segue.refill.replay_window import Wanted, window_of
from streamer.batch.decided_records import decision_in
from streamer.batch.lane_config import LaneConfig
from streamer.batch.read_batch import Incoming
from streamer.interfaces.lane_interfaces import Reading, Record
from streamer.refill.live_decisions import Live, Window
from streamer.refill.live_order import in_live_order
from streamer.refill.refold import Refold
from streamer.refill.replay_days import Step, by_day
from streamer.refill.replay_lane import Replay, UserReplay, compared
from streamer.segment.active_model import ActiveModel, BootstrapRecord
from streamer.segment.lane_day import date_of, latest
from streamer.takeover.read_stretch import read_events, read_whole
from streamer.user.user_state import UserState


class LaneWindow:
    """A lane's window, ready to be decided again: its events, and the users as they were before it.

    Args:
        log: the lane's log.
        window: the offsets of the window.
        past: the lane's past at its beginning, without decisions.
        config: the lane's settings.
        readers: opens another reader of the lane. Each input has a reader of its own, because the live order
            decides which input is read next.
        users: only these users; None for all.
        progress: called after each read with the number of records in it.

    Attributes:
        rules: the settings of the fold and the scoring.
        live: the live decisions.
        states: by user, the state before the window, with the last live decision.
        undecided_before: how many users have no decision from before the window in the log.
        refusals: the events before the window that could not be applied.
    """

    def __init__(
        self,
        log: LaneLog,
        window: Window,
        past: Refold,
        config: LaneConfig,
        readers: Callable[[], AbstractContextManager[Reading]],
        users: Container[str] | None,
        progress: Callable[[int], None],
    ) -> None:
        self._log = log
        self._window = window
        self._config = config
        self._readers = readers
        self._users = users
        self._progress = progress
        self.rules = config.rules
        self.live = self._read_live()
        past.go_to(window.begin)
        self.states = {state.user_id: self._as_decided(state) for state in past.states}
        self.undecided_before = sum(s.facts.alive and s.decided is None for s in self.states.values())
        self.refusals = past.refusals

    def events(self) -> Iterator[Incoming]:
        """Give the window's events of the wanted users, in the live order."""
        inputs = {topic: self._input(topic) for topic in self._config.topics.inputs}
        for incoming in in_live_order(inputs, self.live.marks):
            if self._users is None or incoming.event.user_id in self._users:
                yield incoming

    def steps(self, now: datetime) -> Iterator[Step]:
        """Give the window's events, each with its day, and the days on which those who are due are decided.

        Args:
            now: the present time; its date is that of a lane whose changes name no day.
        """
        committed = self._log.committed
        return by_day(
            self.events(),
            self.live.marks,
            self.rules,
            self.first_day(now),
            self._committed_day(),
            to_present={topic: at.offset for topic, at in committed.items()} == dict(self._window.end),
        )

    def first_day(self, now: datetime) -> date | None:
        """Return the lane's day before the window; None if no declared feature reads the day."""
        if not self.rules.of_time:
            return None
        named = [mark.decided_on for mark in self.live.marks if mark.decided_on is not None]
        return self.live.day or min(named, default=None) or date_of(self.rules, now)

    def present_day(self, now: datetime) -> date | None:
        """Return the lane's present day; None if no declared feature reads the day."""
        return self._committed_day() or date_of(self.rules, now)

    def _committed_day(self) -> date | None:
        return latest(at.day for at in self._log.committed.values()) if self.rules.of_time else None

    def changes_before(self) -> Iterator[Change]:
        """Give the live changes from before the window that the log still has."""
        for record in self._output(self._config.topics.changes):
            if record.value is not None:
                change = decode_change(record.value)
                if self._window.when(change.cause) == "before":
                    yield change

    def _as_decided(self, state: UserState) -> UserState:
        """Give the user the last live decision from before the window.

        The empty `models_topic` matches no activation. So the replay decides the user at every event.
        """
        decided = self.live.before.get(state.user_id)
        return replace(state, decided=None if decided is None else replace(decided, models_topic=""))

    def _read_live(self) -> Live:
        topics = self._config.topics
        decisions = (decision_in(record) for record in self._output(topics.users))
        live = Live(self._window, (decision for decision in decisions if decision is not None))
        for record in self._output(topics.changes):
            if record.value is not None:
                live.add(decode_change(record.value))
        return live

    def _output(self, topic: str) -> Iterator[Record]:
        bounds = self._log.bounds[topic]
        for records in read_whole(self._log.reader, topic, bounds, self._config.max_batch):
            self._progress(len(records))
            yield from records

    def _input(self, topic: str) -> Iterator[Incoming]:
        begin, end = {topic: self._window.begin[topic]}, {topic: self._window.end[topic]}
        with self._readers() as reader:
            for records, events in read_events(reader, begin, end, self._config):
                self._progress(records)
                yield from events


class LaneReplay:
    """A lane's replay. It fills its attributes while it runs.

    Args:
        window: the lane's window.
        model: the release that decides.

    Attributes:
        events: how many events of the window were replayed so far.
        live: the live decisions.
        undecided_before: how many users have no decision from before the window in the log.
        changes_by_user: the changes of the replay, for each user who has an event in the window, or a change
            because a day began.
        refusals: the events that could not be applied, before the window and in it.
    """

    def __init__(self, window: LaneWindow, model: ActiveModel) -> None:
        self._window = window
        self.events = 0
        self.live = window.live
        self.undecided_before = window.undecided_before
        self.changes_by_user: dict[str, list[Change]] = {}
        self.refusals = window.refusals
        self._replay = Replay(window.states, model, window.rules, self.refusals)

    def changes(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Iterator[Change]:
        """Give each change as it is decided."""
        first = self._window.first_day(clock())
        if first is not None:
            moved_by_time = self.live.moved_by_time
            self._replay.begin(first, moved_by_time)
            self.changes_by_user |= {
                user_id: [] for user_id in self._window.states if user_id in moved_by_time
            }
        for day, incoming in self._window.steps(clock()):
            if incoming is not None:
                self.events += 1
                changes = self._replay.apply(incoming, clock(), day)
                self.changes_by_user.setdefault(incoming.event.user_id, []).extend(changes)
                yield from changes
            elif day is not None:
                for user_id, changes in self._replay.decide_due(day, clock()):
                    if changes:
                        self.changes_by_user.setdefault(user_id, []).extend(changes)
                    yield from changes

    def compared(self) -> Iterator[UserReplay]:
        """Compare live run and replay, for each user with an event in the window, or a change by time.

        Call it after :meth:`changes`.
        """
        for user_id, changes in self.changes_by_user.items():
            yield compared(user_id, self.live, changes, self._replay.state(user_id))


def open_window(
    settings: Settings,
    log: LaneLog,
    wanted: Wanted,
    config: LaneConfig,
    bootstrap: BootstrapRecord | None,
    facts_as_of: FactsAsOf | None,
    erased: Erased,
    users: Container[str] | None,
    progress: Callable[[int], None],
) -> LaneWindow:
    """Find a lane's window in Kafka, and fold the log before it.

    Args:
        settings: Kafka and the topics.
        log: the lane's log.
        wanted: which part of the log is the window.
        config: the lane's settings.
        bootstrap: the bootstrap that is in force; None if there is none.
        facts_as_of: gives the warehouse's facts; None without a warehouse.
        erased: the erasures that Redis knows.
        users: only these users; None for all.
        progress: called after each read with the number of records in it.

    Raises:
        NeedsRebuild: the log does not hold the whole past.
        BadUsage: the window lies outside the log.
        Unreachable: Kafka does not answer.
        NoRoom: the users fit neither into memory nor on the disk.
    """
    topics, folded = config.topics, 0

    def fold_progress(records: int) -> None:
        nonlocal folded
        progress(records - folded)
        folded = records

    begin = past_begins({topic: log.bounds[topic] for topic in topics.inputs}, log.lane, bootstrap)
    window = window_of(topics, log, begin, wanted, KafkaOffsets(settings).offset_at)
    past = past_of(
        log,
        config,
        bootstrap,
        facts_as_of,
        decisions=False,
        only=users,
        erased=erased,
        progress=fold_progress,
    )
    with closing(past):
        return LaneWindow(
            log, window, past, config, lambda: closing(PatientReader(settings, log.lane)), users, progress
        )
