"""The trace contexts of a batch: each change gets the context of the event that caused it."""

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
    contexts = {
        (one.cause.topic, one.cause.partition, one.cause.offset): context
        for one in events
        if one.record.headers and (context := traceparent_in(one.record.headers)) is not None
    }
    if not contexts:
        return {}
    traces = {}
    for change in changes:
        context = contexts.get((change.cause.topic, change.cause.partition, change.cause.offset))
        if context is not None:
            traces[change.event_id] = context
    return traces
