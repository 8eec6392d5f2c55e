"""Says what a file of triggers would have sent for the real changes of the last days; nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from schemas.outputs.segment_change import Change
from schemas.outputs.wire import decode_change
from segue.config.settings import Settings
from segue.connect.kafka_access import lanes_of
from segue.refill.lane_past import LaneLog, lane_log
from segue.rehearsal.count_webhooks import TriggerCounts, WebhookTally, known_by
from segue.rehearsal.rehearsed_time import check_log_reaches
from segue.triggers.trigger_file import Triggers
from streamer.takeover.read_stretch import read_whole


def count_from(tally: WebhookTally, changes: Iterable[Change], since: datetime) -> None:
    """Count the webhooks of one partition's changes; those before ``since`` only say where users were."""
    for change in changes:
        if change.emitted_at < since:
            tally.meet(change.user_id, known_by(change))
        else:
            tally.add(change)


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
        triggers: the file of triggers.
        since: the first change that counts is not older.
        until: the present time.
        progress: called with the number of records read so far.

    Raises:
        BadTopics: a topic does not exist, or the topics do not fit together.
        BadUsage: the topic of changes lost changes of this time.
        Unreachable: Kafka does not answer.
    """
    tally, topic = WebhookTally(triggers), settings.topics.changes
    read, lost, first = 0, False, until

    def changes(log: LaneLog) -> Iterable[Change]:
        nonlocal read, first
        for records in read_whole(log.reader, topic, log.bounds[topic], settings.max_batch):
            read += len(records)
            progress(read)
            for record in records:
                if record.value is not None:
                    change = decode_change(record.value)
                    first = min(first, change.emitted_at)
                    yield change

    for lane in range(lanes_of(settings)):
        with lane_log(settings, lane) as log:
            lost = lost or log.bounds[topic].begin > 0
            count_from(tally, changes(log), since)
    if lost:  # by the topic's retention
        check_log_reaches("--since", since, until, first)
    return tally.counts
