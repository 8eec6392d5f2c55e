"""The trace contexts of a batch: each change gets the context of the event that caused it."""

from collections import defaultdict
from collections.abc import Sequence

from schemas.outputs.segment_change import Change
from schemas.outputs.trace_context import traceparent_in
from streamer.batch.read_batch import Incoming


def traces_of(events: Sequence[Incoming], changes: Sequence[Change]) -> dict[str, bytes]:
    """The ``traceparent`` of each change whose event had one, by the change's ``event_id``.

    Args:
        events: the events of the batch.
        changes: the changes of these events.
    """
    if not changes or not any(one.record.headers for one in events):
        return {}
    by_cause = defaultdict(list)
    for change in changes:
        by_cause[change.cause.topic, change.cause.partition, change.cause.offset].append(change.event_id)
    traces = {}
    for one in events:
        caused = by_cause.get((one.cause.topic, one.cause.partition, one.cause.offset))
        context = traceparent_in(one.record.headers) if caused else None
        if caused and context is not None:
            traces.update(dict.fromkeys(caused, context))
    return traces
