"""Finds the partitions that a consumer no longer fetches, without an error.

After a broker was away, librdkafka may never fetch a partition again: if a broker answered that the topic
has no leader, the client may not ask again (github.com/vectordotdev/vector/issues/25375). So the next offset
of a partition that was silent for a while is compared with the partition's end. If records are missing, the
consumer is made anew. The end must not depend on this consumer's answer: it may not know the leader.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from confluent_kafka import Consumer, Message

from schemas.errors import Unreachable

SILENCE_S = 30.0
"""A partition without a record for this time is compared with its end."""
_LOOK_S = 1.0

Place = tuple[str, int]
"""A topic and a partition."""

log = logging.getLogger("segue.connect")


def _warn(topic: str, partition: int, offset: int, end: int) -> None:
    log.warning(
        "Kafka's client stopped reading %s, partition %d, at offset %d of %d: it begins again there",
        *(topic, partition, offset, end),
    )


class SilentPartitions:
    """Finds the partitions that are silent although records follow.

    Not all time counts as silence: while the caller works between two polls, it hears no partition. There are
    two ways to count.

    :meth:`poll` counts the time that the consumer waits. A consumer that waits has handed out all that it
    fetched, so a silent partition has no record on its way. Subscribers and readers of whole topics count so:
    a needless new consumer would make the whole group of subscribers share its partitions anew.

    :meth:`pass_time` counts the time from poll to poll, but at most a second of it. A lane counts so: while
    one of its topics is never silent, the lane never waits, and its other topic may be stuck. The limit is
    for pauses, such as a wait for Redis: after a pause, the client may still hold records that it fetched.

    Args:
        stable_end: asks Kafka for a partition's end, as a reader of committed records sees it.
        silence_s: how long a partition may be silent.
        monotonic: gives seconds that never go backward.
        on_stuck: called with the topic, the partition, its next offset and its end if it is stuck.
    """

    def __init__(
        self,
        stable_end: Callable[[str, int], int],
        silence_s: float = SILENCE_S,
        monotonic: Callable[[], float] = time.monotonic,
        on_stuck: Callable[[str, int, int, int], object] = _warn,
    ) -> None:
        self._stable_end, self._silence_s, self._monotonic = stable_end, silence_s, monotonic
        self._on_stuck = on_stuck
        self._counted_s = 0.0
        self._passed_s = monotonic()
        self._look_s = 0.0
        # By place: when it was heard last, in counted seconds; its patience if it was stuck; its end if it
        # may be.
        self._heard_s: dict[Place, float] = {}
        self._patience_s: dict[Place, float] = {}
        self._suspects: dict[Place, int] = {}

    def begin(self, places: Iterable[Place]) -> None:
        """Expect records of these partitions from now on, and of no others."""
        self._heard_s = dict.fromkeys(places, self._counted_s)
        self._suspects.clear()

    def expect(self, place: Place) -> None:
        """Expect records of this partition, too."""
        self._heard_s[place] = self._counted_s

    def leave(self, place: Place) -> None:
        """Expect no records of this partition, because it is paused."""
        self._heard_s.pop(place, None)
        self._suspects.pop(place, None)

    def heard(self, place: Place) -> None:
        """Note a record of this partition, or its end."""
        if place in self._heard_s:
            self._heard_s[place] = self._counted_s
        self._patience_s.pop(place, None)
        self._suspects.pop(place, None)

    def poll(self, consumer: Consumer, timeout_s: float) -> Message | None:
        """Return the consumer's next message, and count the wait; None if none comes within the time."""
        begun_s = self._monotonic()
        message = consumer.poll(timeout_s)
        self._counted_s += self._monotonic() - begun_s
        return message

    def pass_time(self) -> bool:
        """Count the time since the last call, at most a second; return whether it is time for a look."""
        now_s = self._monotonic()
        self._counted_s += min(now_s - self._passed_s, _LOOK_S)
        self._passed_s = now_s
        return self._counted_s >= self._look_s

    def are_stuck(self, positions: Mapping[Place, int]) -> bool:
        """Return whether the consumer must be made anew; look at most once in a counted second.

        Args:
            positions: the next offset of each partition, past transaction markers at its end.
        """
        if self._counted_s < self._look_s:
            return False
        self._look_s = self._counted_s + _LOOK_S
        if self._suspects:
            for place, end in self._suspects.items():
                self._on_stuck(*place, positions[place], end)
                # It may also be busy with a long stretch of aborted transactions.
                self._patience_s[place] = 2 * self._patience_s.get(place, self._silence_s)
            return True
        for place, heard_s in self._heard_s.items():
            if self._counted_s - heard_s < self._patience_s.get(place, self._silence_s):
                continue
            self._heard_s[place] = self._counted_s
            try:
                end = self._stable_end(*place)
            except Unreachable:
                break  # the watch of the topics says that Kafka does not answer
            if positions[place] < end:
                # A record may have come just now. Only if it is not here at the next look, the place is
                # stuck.
                self._suspects[place] = end
        return False


def close_beside(consumer: Consumer) -> None:
    """Close a consumer without waiting: nobody knows how long a stuck consumer takes."""
    threading.Thread(target=consumer.close, name="closes", daemon=True).start()
