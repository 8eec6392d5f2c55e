"""A stretch of a lane's log, read from its beginning to its end."""

from collections.abc import Iterable, Iterator, Mapping

from streamer.batch.lane_config import LaneConfig
from streamer.batch.read_batch import Incoming, read_batch
from streamer.interfaces.lane_interfaces import Bounds, Log, Reading, Record

_POLL_S = 0.2


def read_between(
    log: Reading, begin: Mapping[str, int], end: Mapping[str, int], max_batch: int
) -> Iterator[list[Record]]:
    """The records of these topics from ``begin`` up to ``end``, in batches.

    Args:
        log: reads the lane's partition.
        begin: by topic, the first offset to read.
        end: by topic, the offset after the last one to read.
        max_batch: the most records in a batch.

    Yields:
        Batches of at least one record.
    """
    ends = {topic: offset for topic, offset in end.items() if begin[topic] < offset}
    if not ends:
        return
    log.read_from({topic: begin[topic] for topic in ends})
    while not log.at_end(ends):
        records = [r for r in log.poll(max_batch, _POLL_S) if r.offset < ends[r.topic]]
        if records:
            yield records


def read_whole(log: Reading, topic: str, bounds: Bounds, max_batch: int) -> Iterator[list[Record]]:
    """All records of one topic, in batches.

    Args:
        log: reads the lane's partition.
        topic: the topic's name.
        bounds: the offsets to read between.
        max_batch: the most records in a batch.
    """
    yield from read_between(log, {topic: bounds.begin}, {topic: bounds.end}, max_batch)


def read_events(
    log: Reading, begin: Mapping[str, int], end: Mapping[str, int], config: LaneConfig
) -> Iterator[tuple[int, list[Incoming]]]:
    """The events of these inputs from ``begin`` up to ``end``, in batches.

    Args:
        log: reads the lane's partition.
        begin: by input, the first offset to read.
        end: by input, the offset after the last one to read.
        config: the settings of the lanes.

    Yields:
        The number of records that were read, and the events in them.
    """
    for records in read_between(log, begin, end, config.max_batch):
        batch = read_batch(records, begin, config.topics, config.settings, config.max_ahead, config.unframe)
        yield len(records), batch.events


def holds_records(log: Log, topic: str) -> bool:
    """Whether the lane's partition of a topic has any record.

    The offsets alone do not show this: transactions leave markers, and compaction leaves gaps.
    """
    return any(True for _ in read_whole(log, topic, log.watch(topic), 1))


def by_user(records: Iterable[Record]) -> Iterator[tuple[str, Record]]:
    """The records of ``user-segments``, each with its user; records without a key are left out."""
    for record in records:
        if record.key is not None:
            yield record.key.decode(), record
