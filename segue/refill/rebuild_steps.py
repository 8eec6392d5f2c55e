"""What a rebuild, its switch and a drop do to a group's lanes, over any log, store and lease; nothing here knows Kafka or Redis.

The simulation runs these over a Kafka and a Redis in memory (docs/simulation.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from typing import Protocol

from schemas.errors import NeedsRebuild
from segue.refill.lane_past import Erased, FactsAsOf, LaneLog, begin_of, past_of
from streamer.batch.lane_config import LaneConfig
from streamer.batch.refusals import Refusals
from streamer.interfaces.lane_interfaces import Store
from streamer.place import place as places
from streamer.refill.numbered_saves import finish
from streamer.refill.rebuild_lane import LaneFiller, LaneInUse, check_filled, decided_within, kept, move
from streamer.segment.active_model import ActiveModel, BootstrapRecord
from streamer.takeover.lane_snapshot import follow_lane

OpenLog = Callable[[int], AbstractContextManager[LaneLog]]
"""Opens a lane's log for as long as it is read."""


class Droppable(Store, Protocol):
    """A lane's store that may be dropped."""

    def seize(self, place: bytes) -> None:
        """Write this place, whatever stands there, under this store's own prefix."""

    def drop_place(self, mark: bytes) -> bool:
        """Delete the lane's place and its count, if it is still ``mark``."""


class Leases(Protocol):
    """By live prefix, the prefix that a rebuild fills, or filled, and to which the lanes have not moved."""

    def take(self, live: str, into: str) -> bool:
        """Name the prefix; False where a name stands."""

    def standing(self, live: str) -> str | None:
        """The name that stands."""

    def give_back(self, live: str) -> None:
        """Take the name away."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was written. ``records`` were read; ``anew``: a sweep is to decide every user again; ``refusals``: events that
    could not be applied.
    """

    users: int
    records: int
    anew: bool
    refusals: Refusals


def is_anew(stored: bytes | None, config: LaneConfig) -> bool:
    """Whether users are to be decided anew, as the place tells that lane 0 has now."""
    place = None if stored is None else places.readable(stored)
    return place is None or place.settings != config.settings


def take(leases: Leases, live: str, into: str, leads_to: str) -> None:
    """Name the prefix, so that no rebuild into another begins beside this one; again, for the same, is no harm.

    Args:
        live: the prefix under which the lanes are.
        leads_to: the prefix under which who is set to ``into`` finds the lanes.

    Raises:
        LaneInUse: another one stands, or the lanes have moved away from there.
        Unreachable: Redis does not answer.
    """
    if leads_to != into:  # the name would stand for good: lanes can neither move there, nor can it be dropped
        raise LaneInUse(
            f"the lanes that were under {into!r} have moved to {leads_to!r}: name another prefix with --into"
        )
    if live == into:  # nothing is rebuilt beside it: its lanes have no states
        return
    other = None if leases.take(live, into) else leases.standing(live)
    if other is not None and other != into:
        raise LaneInUse(
            f"a rebuild into {other!r} was begun, and the lanes have not moved there: move them (segue rebuild --into"
            f" {other} --switch), or drop it (segue rebuild --into {other} --drop)"
        )


@dataclass(slots=True)
class Rebuilding:
    """One lane after the other, so that one lane's users are kept at a time.

    Attributes:
        facts_as_of: the facts of the warehouse that a bootstrap took the users from.
        erased: the erasures that Redis knows (:func:`segue.refill.lane_past.erasures_known`).
        progress: told how many records have been read, and users written.
    """

    open_log: OpenLog
    group: str
    config: LaneConfig
    model: ActiveModel
    bootstrap: BootstrapRecord | None
    facts_as_of: FactsAsOf | None
    erased: Erased
    progress: Callable[[int, int], None]
    users: int = 0
    records: int = 0
    refusals: Refusals = field(default_factory=Refusals)

    def fill(self, stores: Sequence[Store], writer: str, *, anew: bool) -> Rebuilt:
        """Fill the prefix of these stores, of which there is one for each lane.

        Raises:
            BadTopics: a log cannot be read to its end.
            LaneInUse: the prefix is not fresh, or another rebuild fills it.
            NeedsRebuild: the log does not hold the whole past, or the group has committed no offsets.
            Unreachable: Kafka or Redis does not answer, or Redis has lost what was written.
        """
        fillers = [
            LaneFiller(lane, store, self.model, self.config, writer, anew=anew)
            for lane, store in enumerate(stores)
        ]
        # A lane that is marked must be filled: so whatever can be refused is, before the first is.
        for lane in range(len(fillers)):
            with self.open_log(lane) as log:
                self._committed(log)
                begin_of(log, self.config, self.bootstrap, self.facts_as_of)
        for filler in fillers:
            filler.look()
        again = any(filler.unfinished for filler in fillers)
        for filler in fillers:
            filler.check(again=again)
        for filler in fillers:
            filler.begin()
        fillers[0].clear()
        for lane, filler in enumerate(fillers):
            with self.open_log(lane) as log:
                self._fill(log, filler)
        finish(fillers)
        return Rebuilt(self.users, self.records, anew, self.refusals)

    def _fill(self, log: LaneLog, filler: LaneFiller) -> None:
        topics = self.config.topics
        committed = self._committed(log)
        read, written = self.records, self.users
        past = past_of(
            log,
            self.config,
            self.bootstrap,
            self.facts_as_of,
            decisions=True,
            erased=self.erased,
            progress=lambda records: self.progress(read + records, written),
        )
        with closing(past):
            until = decided_within(
                log.reader, topics.users, log.bounds[topics.users], committed, self.config.max_batch
            )
            past.go_to({**committed, topics.users: until})
            self.records += past.records
            self.refusals.merge(past.refusals)
            self.users += filler.fill(
                past.states,
                past.positions,
                {topic: log.bounds[topic].topic_id for topic in past.positions},
                lambda users: self.progress(self.records, written + users),
            )

    def _committed(self, log: LaneLog) -> dict[str, int]:
        """Up to where the group has decided."""
        found = {}
        topics = self.config.topics
        for topic in topics.inputs:
            committed, bounds = log.committed.get(topic), log.bounds[topic]
            if committed is None and topic == topics.rekeyed and bounds.end == 0:
                # Re-keying was only now turned on: no worker has written there, nor read.
                found[topic] = 0
                continue
            if committed is None:
                raise NeedsRebuild(
                    f"the group {self.group} has committed no offset of {topic} in lane {log.lane}: is the setting"
                    " group the workers'? Where nothing was ever decided, start a worker instead"
                )
            if committed.topic_id not in (None, bounds.topic_id):
                raise NeedsRebuild(
                    f"the group's offset of {topic} in lane {log.lane} is one of a topic that was deleted since: start"
                    " a worker, which begins with the new one; where Redis was lost too, restore it, or begin again from the"
                    " warehouse"
                )
            if committed.former is not None and committed.former.held_facts:
                raise NeedsRebuild(
                    f"{topic} was made anew, and what the topic before it held is not in the log: restore Redis, or begin"
                    " again from the warehouse (docs/rebuilding.md)"
                )
            found[topic] = committed.offset
        return found


def switch(
    olds: Sequence[Store],
    news: Sequence[Store],
    into: str,
    topic_ids: Mapping[str, str],
    leases: Leases,
    named_under: set[str],
) -> int:
    """Move every lane to a prefix that a rebuild has filled: one write a lane.

    A lane that has moved is left alone, so that one that was interrupted is run again.

    Args:
        olds: by lane, its store under the prefix that the workers are set to.
        news: by lane, its store under ``into``.
        topic_ids: the ids of the inputs and of ``user-segments`` as they are, by topic.
        named_under: the prefixes under which ``into`` may be named.

    Returns:
        How many lanes were moved.

    Raises:
        NeedsRebuild: the prefix is not filled, or for other settings than those of the workers.
        LaneInUse: the lanes have moved away from there, or a lane's place changed again and again.
        Unreachable: Redis does not answer.
    """
    for old, new in zip(olds, news, strict=True):
        stored, (filled, torn) = kept(old), follow_lane(new)
        if old.prefix == into:
            continue
        if torn is not None:
            raise NeedsRebuild(
                f"{torn}, under {into!r}: drop it (segue rebuild --into {into} --drop) and rebuild into it, or into another"
                " prefix"
            )
        if new.prefix != into:
            raise LaneInUse(
                f"what lies under {into!r} is what lanes left that moved to {new.prefix!r}: drop it (segue rebuild --into"
                f" {into} --drop) and rebuild into it, or into another prefix"
            )
        check_filled(stored, filled, into, topic_ids)
    moved = sum(move(old, into) for old in olds)
    for prefix in named_under - {into}:
        leases.give_back(prefix)
    # A Redis that lost a switch may name under the new prefix the one that the lanes have now left.
    if leases.standing(into) in named_under:
        leases.give_back(into)
    return moved


def drop(stores: Sequence[Droppable], mark: bytes, into: str, leases: Leases, live: str) -> None:
    """Delete what lanes or a rebuild wrote under a prefix; a rebuild that still runs there ends with an error.

    Args:
        stores: of each lane that has a place there, or may get one.
        mark: a rebuild's, of a name that no other has.
        live: the prefix under which the lanes are.

    Raises:
        LaneInUse: another rebuild into the prefix was begun meanwhile.
        Unreachable: Redis does not answer.
    """
    for store in stores:
        store.seize(mark)
    ours = stores[0].clear(mark) is not None
    for store in stores:
        ours = store.drop_place(mark) and ours
    if not ours:
        raise LaneInUse(f"another rebuild into {into!r} was begun meanwhile: let that one end")
    leases.give_back(into)
    if leases.standing(live) == into:
        leases.give_back(live)
