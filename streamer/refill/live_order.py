"""The live order of a lane's events. Pure.

Kafka fixes no order between two topics. Each live change names the lane's offset in each input
(``cause.positions``), so the order is known from change to change. Between two changes, the records' times
give it.
"""

from collections.abc import Iterable, Iterator, Mapping
from math import inf

from schemas.outputs.segment_change import Cause
from streamer.batch.read_batch import Incoming


def in_live_order(inputs: Mapping[str, Iterable[Incoming]], marks: Iterable[Cause]) -> Iterator[Incoming]:
    """The events of all inputs in the live order.

    Args:
        inputs: the events of each input, by offset. At equal times, the first input goes first.
        marks: the causes of the live changes, in the order of the decisions. Exactly the events below a
            mark's positions come before the mark.
    """
    streams = {topic: iter(events) for topic, events in inputs.items()}
    heads = {topic: next(stream, None) for topic, stream in streams.items()}
    for mark in (*marks, None):
        while ready := [event for event in heads.values() if event is not None and is_below(event, mark)]:
            event = min(ready, key=lambda event: (is_of(event, mark), event.written_ms))
            yield event
            heads[event.topic] = next(streams[event.topic], None)


def is_below(event: Incoming, mark: Cause | None) -> bool:
    """Whether the lane had read the event when it made this mark; every event is below None."""
    return event.offset < (inf if mark is None else mark.positions.get(event.topic, 0))


def is_of(event: Incoming, mark: Cause | None) -> bool:
    """Whether the event is the mark itself, which goes last among the events below its positions."""
    return mark is not None and _written_at(event.cause) == _written_at(mark)


def _written_at(cause: Cause) -> tuple[str | None, int | None, int | None]:
    return cause.topic, cause.partition, cause.offset
