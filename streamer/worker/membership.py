"""Which lanes this worker holds, as its consumer group has it. Nothing here knows Kafka or Faust.

A rebalance is two calls, one after the other: :meth:`Membership.revoked` closes every lane and returns
when they are closed, so that the group goes on only then; :meth:`Membership.assigned` opens those that
the group gave.
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
    """The lanes of one worker. Called from several threads, ``own`` and ``disown`` never at once."""

    def own(self, partitions: frozenset[int]) -> None:
        """Open lanes for the numbers newly owned; quick: each heals in its own thread.

        Called again with the same numbers it does nothing.
        """

    def disown(self, partitions: frozenset[int]) -> None:
        """Close these lanes and return when they are closed, within a bounded time."""

    def statuses(self) -> list[LaneStatus]:
        """The lanes as they are now."""

    def failure(self) -> BaseException | None:
        """The error of a lane that ends the worker."""

    def ended(self) -> list[str]:
        """The threads of lanes that should live and do not."""


class Membership:
    """The lanes that the group says are this worker's.

    Args:
        group: the group's name, for messages.
        topics: a lane is owned when the same number of both sources is; nobody joins a group for what lanes
            hand over to each other.
        partitions: how many each source had when the worker started; another count ends the worker.
        lanes: what is opened and closed.
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
        """The group gave these partitions, by topic and number: open their lanes.

        Args:
            partitions: all that this worker now holds.
            counts: how many partitions each topic has; a topic that is not known yet is absent.
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
        """The group is about to share out anew: close every lane; returns when they are closed."""
        with self._turn:
            self._joined = False
            self._disown()

    def close(self) -> None:
        """Close every lane for good: what is assigned from here on is left alone."""
        with self._turn:
            self._closed = True
            self._disown()

    def holds(self, partition: int) -> bool:
        """Whether the lane is owned, as far as is known here; never waits."""
        return partition in self._owned

    def waits_for(self, what: str | None) -> None:
        """Say for what the membership waits; None: for nothing any more."""
        if what == self._waiting:
            return
        self._waiting = what
        if what is None:
            log.info("group.goes_on", group=self._group)
        else:
            log.warning("group.waits", group=self._group, reason=what)

    def fail(self, error: BaseException) -> None:
        """The worker cannot go on; the first such error is the one that is told."""
        self._failure = self._failure or error

    def failure(self) -> BaseException | None:
        """The error that ends the worker, from the membership or from a lane."""
        return self._failure or self._lanes.failure()

    def status(self) -> GroupStatus:
        """The membership as it is now."""
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
        """A user's lane follows from the count: with another one, events go to lanes that are not theirs."""
        for topic in self._topics.sources:
            # Right after its start a broker may not know a topic yet; and who shares out may know more than we.
            count = max(counts.get(topic, self._partitions), *(number + 1 for number in assigned[topic]), 0)
            if count != self._partitions:
                self.fail(
                    BadTopics(
                        f"topic {topic} has {count} partitions now and had {self._partitions}: partition counts"
                        " are fixed; make new topics with the count you need, under another prefix, and"
                        " rebuild the states with `segue rebuild` (docs/operations.md, code 7)"
                    )
                )
                return True
        return False
