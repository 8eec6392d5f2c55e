"""Says what a file of triggers would have sent for the real changes of the last days; nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from schemas import times
from schemas.outputs.segment_change import Change
from schemas.outputs.wire import decode_change
from segue.config.settings import Settings
from segue.connect.kafka_access import lanes_of
from segue.refill.lane_past import LaneLog, lane_log
from segue.rehearsal.count_webhooks import TriggerCounts, WebhookTally, known_by
from segue.rehearsal.rehearsed_time import check_log_reaches
from segue.triggers.file.trigger_file import Triggers
from segue.triggers.policy import User
from streamer.interfaces.lane_interfaces import Record
from streamer.takeover.read_stretch import by_user, read_whole


class KnownState(Struct, frozen=True):
    """A record on ``user-segments``: what triggers know of a user from it; None after an erasure."""

    user_id: str
    at: datetime
    user: User | None


def count_from(
    tally: WebhookTally, changes: Iterable[Change], since: datetime, states: Iterable[KnownState] = ()
) -> None:
    """Count the webhooks of one partition's changes.

    Args:
        tally: gets the counts.
        changes: the changes. Those before ``since`` only say where users were.
        since: the time of the first webhook that counts.
        states: the users' states of this partition, which also has those of a bootstrap. A state of
            ``since`` or later is left out.
    """
    met: dict[str, datetime] = {}
    for state in states:
        if state.at < since:
            tally.meet(state.user_id, state.user)
            met[state.user_id] = state.at
    for change in changes:
        if change.emitted_at >= since:
            tally.add(change)
        elif change.emitted_at >= met.get(change.user_id, change.emitted_at):  # no state is newer
            tally.meet(change.user_id, known_by(change))


def dry_run(
    settings: Settings,
    triggers: Triggers,
    since: datetime,
    until: datetime,
    progress: Callable[[int], None],
) -> dict[str, TriggerCounts]:
    """Count what the triggers would have sent, by trigger, if they had been started at ``since``.

    Args:
        settings: Kafka and the topics.
        triggers: the file of triggers, with the names of the current release's segments.
        since: the first change that counts is not older.
        until: the present time.
        progress: called with the number of records read so far.

    Raises:
        BadTopics: a topic does not exist, or the topics do not fit together.
        BadUsage: the topic of changes lost changes of this time.
        Unreachable: Kafka does not answer.
    """
    tally, topics, read = WebhookTally(triggers), settings.topics, 0

    def records(log: LaneLog, topic: str) -> Iterator[Record]:
        nonlocal read
        for batch in read_whole(log.reader, topic, log.bounds[topic], settings.max_batch):
            read += len(batch)
            progress(read)
            yield from batch

    begins: list[datetime] = []

    def changes(log: LaneLog) -> Iterator[Change]:
        first = None
        for record in records(log, topics.changes):
            if record.value is not None:
                change = decode_change(record.value)
                first = first or change.emitted_at
                yield change
        if log.bounds[topics.changes].begin > 0:  # the topic's retention deleted what was before
            begins.append(first or until)

    for lane in range(lanes_of(settings)):
        with lane_log(settings, lane) as log:
            count_from(tally, changes(log), since, _states(records(log, topics.users)))
    if begins:
        check_log_reaches("--since", since, until, max(begins))
    return tally.counts


def _states(records: Iterable[Record]) -> Iterator[KnownState]:
    for user_id, record in by_user(records):
        if record.value is None:
            yield KnownState(user_id, times.from_millis(record.timestamp_ms), None)
        else:
            change = decode_change(record.value)
            yield KnownState(user_id, change.emitted_at, known_by(change))
