"""The lanes that the consumer group assigns to this worker. This module does not know Kafka or Faust.

A rebalance makes two calls, one after the other. :meth:`Membership.revoked` closes every lane and returns
when they are closed, so the group continues only then. :meth:`Membership.assigned` opens the assigned lanes.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import Protocol

import structlog

from schemas.errors import BadTopics
from schemas.topics import Topics
from streamer.status.worker_status import GroupStatus, LaneStatus, halves_sentence

log = structlog.get_logger(__name__)


class Lanes(Protocol):
    """The lanes of one worker. Several threads call it, but ``own`` and ``disown`` never at the same time."""

    def own(self, partitions: frozenset[int]) -> None:
        """Open these lanes; a lane that is already open stays as it is.

        The call returns quickly, because each lane heals in its own thread.
        """

    def disown(self, partitions: frozenset[int]) -> None:
        """Close these lanes; return when they are closed, or after a limited time."""

    def statuses(self) -> list[LaneStatus]:
        """The present status of each lane."""

    def failure(self) -> BaseException | None:
        """The error of a lane that ends the worker; None if there is none."""

    def ended(self) -> list[str]:
        """The names of the lanes' threads that have ended although they should run."""


class Membership:
    """The lanes that the group assigns to this worker.

    Args:
        group: the group's name, for messages.
        topics: the names of the topics. A worker owns a lane if it has the same partition number of both
            sources. The group does not distribute the topic of re-keyed events.
        partitions: the partitions of each source when the worker started; another count ends the worker.
        lanes: opens and closes the lanes.
    """

    def __init__(self, group: str, topics: Topics, partitions: int, lanes: Lanes) -> None:
        self._group = group
        self._topics = topics
        self._partitions = partitions
        self._lanes = lanes
        self._turn = threading.Lock()
        self._owned: frozenset[int] = frozenset()
        self._halves: frozenset[int] = frozenset()
        self._joined = False
        self._closed = False
        self._waiting: str | None = None
        self._failure: BaseException | None = None

    def assigned(self, partitions: Iterable[tuple[str, int]], counts: Mapping[str, int]) -> None:
        """Open the lanes of the assigned partitions.

        Args:
            partitions: all partitions that this worker now holds, as (topic, number).
            counts: the number of partitions by topic; a topic that is not known yet is absent.
        """
        with self._turn:
            if self._closed:
                return
            self._joined = True
            self.waits_for(None)
            by_topic: dict[str, set[int]] = {topic: set() for topic in self._topics.sources}
            for topic, partition in partitions:
                by_topic[topic].add(partition)
            if self._counts_changed(by_topic, counts):
                return
            whole = frozenset(set.intersection(*by_topic.values()))
            self._halves = frozenset(set.union(*by_topic.values())) - whole
            if self._halves:
                log.warning("lanes.halves", problem=halves_sentence(tuple(sorted(self._halves))))
            self._owned = whole
            log.info("lanes.owned", group=self._group, lanes=sorted(whole))
            if whole:
                self._lanes.own(whole)

    def revoked(self) -> None:
        """Close every lane before the group distributes the partitions again; return when they are closed."""
        with self._turn:
            self._joined = False
            self._disown()

    def close(self) -> None:
        """Close every lane for good; later assignments are ignored."""
        with self._turn:
            self._closed = True
            self._disown()

    def holds(self, partition: int) -> bool:
        """Whether this worker owns the lane, by the last assignment; never waits."""
        return partition in self._owned

    def waits_for(self, reason: str | None) -> None:
        """Set the reason why the membership waits; None if it no longer waits."""
        if reason == self._waiting:
            return
        self._waiting = reason
        if reason is None:
            log.info("group.goes_on", group=self._group)
        else:
            log.warning("group.waits", group=self._group, reason=reason)

    def fail(self, error: BaseException) -> None:
        """Note an error that ends the worker; only the first error is kept."""
        self._failure = self._failure or error

    def failure(self) -> BaseException | None:
        """The error that ends the worker, from the membership or a lane; None if there is none."""
        return self._failure or self._lanes.failure()

    def status(self) -> GroupStatus:
        """The present status of the membership."""
        return GroupStatus(
            name=self._group,
            joined=self._joined,
            owned=tuple(sorted(self._owned)),
            halves=tuple(sorted(self._halves)),
            waiting=self._waiting,
        )

    def _disown(self) -> None:
        owned, self._owned, self._halves = self._owned, frozenset(), frozenset()
        if owned:
            self._lanes.disown(owned)
            log.info("lanes.closed", group=self._group, lanes=sorted(owned))

    def _counts_changed(self, assigned: Mapping[str, set[int]], counts: Mapping[str, int]) -> bool:
        """Whether a topic has another number of partitions now; if so, note the error that ends the worker.

        A user's lane depends on this number. With another number, events would go to wrong lanes.
        """
        for topic in self._topics.sources:
            # A broker that has just started may not know a topic yet, and the group's leader may know more
            # partitions than this worker.
            count = max(counts.get(topic, self._partitions), *(number + 1 for number in assigned[topic]), 0)
            if count != self._partitions:
                self.fail(
                    BadTopics(
                        f"topic {topic} has {count} partitions now and had {self._partitions}:"
                        " partition counts are fixed; begin again with new topics (docs/rebuilding.md,"
                        " Another number of partitions)"
                    )
                )
                return True
        return False
