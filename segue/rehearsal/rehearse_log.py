"""Rehearses a release: decides the last days of the real log by the current release and by the new
release.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product

from msgspec.structs import replace

from schemas import times
from schemas.errors import BadRelease
from schemas.outputs.segment_change import SegmentChange
from schemas.release.model_release import ModelRelease
from schemas.release.release_checks import check_declared
from segue.config.settings import Settings
from segue.connect.kafka_access import lanes_of
from segue.connect.lane_connections import lane_config
from segue.connect.release_in_use import published
from segue.refill.bootstrap_offsets import KafkaOffsets
from segue.refill.lane_past import FactsAsOf, erasures_known, lane_log
from segue.refill.lane_replay import LaneWindow, open_window
from segue.refill.replay_window import Wanted
from segue.rehearsal.count_moves import MoveCounts, MoveTally
from segue.rehearsal.count_webhooks import TriggerCounts, WebhookTally
from segue.rehearsal.rehearse_lane import Side, SwitchCounts, count_switch, known_before, rehearse_lane
from segue.rehearsal.rehearsed_time import check_log_reaches
from segue.rehearsal.suggest_margin import MARGINS, MarginTrial, suggested
from segue.triggers.file.trigger_file import Triggers
from segue.triggers.policy import User
from streamer.batch.refusals import Refusals
from streamer.segment.active_model import ActiveModel, BootstrapRecord
from streamer.segment.scoring import Scorer


@dataclass(frozen=True, slots=True)
class Run:
    """The counts of one release over the window; ``webhooks`` is by trigger, and empty without triggers."""

    version: str
    counts: MoveCounts
    webhooks: dict[str, TriggerCounts] = field(default_factory=dict)


@dataclass(slots=True)
class Rehearsal:
    """The last days by two releases, and the switch from one to the other at their end.

    Attributes:
        since: the window begins at the first event that is not older.
        until: the window ends before this time, where the workers are.
        min_margin: the setting, with which both releases decided.
        names: the names of the segments of both releases, by id.
        current: the current release.
        new: the new release.
        live: the changes that workers published in the window.
        live_webhooks: the webhooks for these changes, by trigger.
        live_versions: the versions of the releases that decided live in the window.
        events: the number of events in the window.
        users: the number of users with an event in the window.
        undecided_before: how many users have no decision from before the window in the log.
        switch: the users whom the new release moves when it becomes current.
        trials: the new release with each of the tried ``min_margin``, by margin.
        refusals: the events that could not be applied.
    """

    since: datetime
    until: datetime
    min_margin: float
    names: dict[int, str]
    current: Run
    new: Run
    live: MoveCounts
    live_webhooks: dict[str, TriggerCounts] = field(default_factory=dict)
    live_versions: set[str] = field(default_factory=set)
    events: int = 0
    users: int = 0
    undecided_before: int = 0
    switch: SwitchCounts = field(default_factory=SwitchCounts)
    trials: tuple[MarginTrial, ...] = ()
    refusals: Refusals = field(default_factory=Refusals)

    @property
    def flapping_share(self) -> float:
        """The share of the users with an event who flap under the new release, 0 to 1."""
        return self.new.counts.flapping_users / self.users if self.users else 0.0

    @property
    def suggested(self) -> MarginTrial:
        """The trial with the suggested ``min_margin``."""
        return suggested(self.trials)


class RehearsalRun:
    """A rehearsal, one lane after the other, so that memory holds only one lane's users.

    Args:
        current: the current release.
        new: the new release.
        min_margin: the setting.
        since: the window begins at the first event that is not older.
        until: the present time.
        triggers: a file of triggers, whose webhooks are counted; None for none.
    """

    def __init__(
        self,
        current: ActiveModel,
        new: ActiveModel,
        min_margin: float,
        since: datetime,
        until: datetime,
        triggers: Triggers | None = None,
    ) -> None:
        hooks = [None if triggers is None else WebhookTally(triggers) for _ in range(3)]
        self._current = Side(current, min_margin, webhooks=hooks[0])
        self._new = Side(new, min_margin, webhooks=hooks[1])
        self._live, self._live_webhooks = MoveTally(), hooks[2]
        self._switch_webhooks = None if hooks[2] is None else hooks[2].continued()
        self._tried = {margin: Side(new, margin) for margin in MARGINS if margin != min_margin}
        names = {
            segment.id: segment.name
            for release in (current.release, new.release)
            for segment in release.segments
        }
        self.done = Rehearsal(
            since,
            until,
            min_margin,
            names,
            _run(self._current),
            _run(self._new),
            self._live.counts,
            _counts_of(self._live_webhooks),
            switch=SwitchCounts(webhooks=_counts_of(self._switch_webhooks)),
        )

    def lane(self, window: LaneWindow) -> None:
        """Rehearse one lane, and add its counts to ``done``."""
        done = self.done
        known = {} if self._live_webhooks is None else known_before(window)
        sides = [self._new, *self._tried.values()]
        size, states = rehearse_lane(window, self._current, sides, done.refusals, known, done.until)
        self._count_live(window, known)
        count_switch(window, states, self._new, done.switch, self._switch_webhooks, known)
        done.events += size.events
        done.users += size.users
        done.undecided_before += window.undecided_before
        done.refusals.merge(window.refusals)
        done.trials = tuple(
            MarginTrial(margin, counts.flapping_users, counts.flaps, counts.moving_users)
            for margin in MARGINS
            for counts in (self._tried.get(margin, self._new).tally.counts,)
        )

    def _count_live(self, window: LaneWindow, known: Mapping[str, User | None]) -> None:
        for user_id, changes in window.live.within.items():
            decided = window.live.before.get(user_id)
            segment = None if decided is None else decided.segment
            if self._live_webhooks is not None:
                self._live_webhooks.meet(user_id, known.get(user_id))
            for change in changes:
                if self._live_webhooks is not None:
                    self._live_webhooks.add(change)
                self._live.add(change, change.cause.type, segment)
                segment = None
                if isinstance(change, SegmentChange):
                    segment = change.segment
                    self.done.live_versions.add(change.model_version)


def _run(side: Side) -> Run:
    return Run(side.model.release.version, side.tally.counts, _counts_of(side.webhooks))


def _counts_of(webhooks: WebhookTally | None) -> dict[str, TriggerCounts]:
    return {} if webhooks is None else webhooks.counts


def rehearse(
    release: ModelRelease,
    settings: Settings,
    since: datetime,
    until: datetime,
    facts_as_of: FactsAsOf | None,
    triggers: Triggers | None,
    progress: Callable[[int], None],
) -> Rehearsal:
    """Rehearse a release over the log; nothing is written.

    Args:
        release: the new release.
        settings: Kafka, Redis, the topics and the group.
        since: the window begins at the first event that is not older.
        until: the present time.
        facts_as_of: gives the facts of the bootstrap's warehouse; None without a warehouse.
        triggers: a file of triggers, whose webhooks are counted; None for none.
        progress: called with the number of records read so far.

    Raises:
        BadRelease: a release cannot be used with these settings, or there is no current release.
        BadTopics: a topic does not exist, or the topics do not fit together.
        BadUsage: the window begins before the log.
        NeedsRebuild: the log does not hold the whole past.
        Unreachable: Kafka does not answer, or, after a bootstrap, Redis.
    """
    check_declared(release, settings.read_features)
    partitions = lanes_of(settings)
    current, bootstrap = published(settings)
    _check_statuses(current.release, release)
    begin = _log_begins(settings, partitions, bootstrap, since)
    check_log_reaches("--rehearse", since, until, begin)
    config = lane_config(settings, partitions)
    new = ActiveModel(release, Scorer(release), -1, "", until)
    if triggers is not None:
        triggers = replace(triggers, segments={each.id: each.name for each in current.release.segments})
    run = RehearsalRun(current, new, settings.min_margin, since, until, triggers)
    read = 0

    def report_read(records: int) -> None:
        nonlocal read
        read += records
        progress(read)

    with erasures_known(settings, bootstrap) as erased:
        for lane in range(partitions):
            with lane_log(settings, lane) as log:
                wanted = Wanted(since=since)
                window = open_window(
                    settings, log, wanted, config, bootstrap, facts_as_of, erased, None, report_read
                )
                run.lane(window)
    return run.done


def _log_begins(
    settings: Settings, partitions: int, bootstrap: BootstrapRecord | None, since: datetime
) -> datetime | None:
    """Return the bootstrap's time, ``since`` if an event is older, or the time of the first event."""
    if bootstrap is not None:
        return times.parse(bootstrap.at)
    kafka = KafkaOffsets(settings)
    places = list(product(settings.topics.inputs, range(partitions)))
    if any(kafka.offset_at(*place, since) > kafka.bounds(*place)[0] for place in places):
        return since
    found = (kafka.first_time_ms(*place) for place in places)
    first = min((at for at in found if at is not None), default=None)
    return None if first is None else times.from_millis(first)


def _check_statuses(current: ModelRelease, new: ModelRelease) -> None:
    if set(current.exclude_statuses) != set(new.exclude_statuses):
        raise BadRelease(
            f"release {new.version} was trained with exclude_statuses {list(new.exclude_statuses)}, but"
            f" {current.version}, which is current, with {list(current.exclude_statuses)}: other orders"
            " count, so the two cannot be rehearsed; publish without --rehearse"
        )
