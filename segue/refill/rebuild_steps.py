"""The steps of a rebuild, of its switch and of a drop, over any log, store and lease.

Nothing here knows Kafka or Redis. The simulation runs these steps over a Kafka and a Redis in memory
(docs/simulation.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from schemas.errors import NeedsRebuild
from segue.refill.lane_past import Erased, FactsAsOf, LaneLog, begin_of, past_of
from streamer.batch.lane_config import LaneConfig
from streamer.batch.refusals import Refusals
from streamer.interfaces.lane_interfaces import Store
from streamer.place import place as places
from streamer.refill.numbered_saves import finish
from streamer.refill.rebuild_lane import LaneFiller, LaneInUse, check_target, decided_within, move
from streamer.segment.active_model import ActiveModel, BootstrapRecord
from streamer.segment.lane_day import latest
from streamer.takeover.former_topics import BEGIN_AGAIN

OpenLog = Callable[[int], AbstractContextManager[LaneLog]]
"""Opens the log of a lane; the end of the context closes it."""


class Droppable(Store, Protocol):
    """A lane's store that may be dropped."""

    def seize(self, place: bytes) -> None:
        """Overwrite the place under this store's own prefix."""

    def drop_place(self, mark: bytes) -> bool:
        """Delete the lane's place and its count if the place is still ``mark``; return whether it was."""


class Leases(Protocol):
    """For each live prefix, the name of the prefix that a rebuild fills, until all lanes have moved there."""

    def take(self, live: str, into: str) -> bool:
        """Store the name ``into`` for the prefix ``live``; return False if a name is stored already."""

    def standing(self, live: str) -> str | None:
        """Return the stored name; None if there is none."""

    def give_back(self, live: str) -> None:
        """Delete the stored name."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The result of a rebuild.

    Attributes:
        users: how many users were written.
        records: how many records were read.
        anew: whether a sweep will decide every user again.
        refusals: the events that could not be applied.
    """

    users: int
    records: int
    anew: bool
    refusals: Refusals


def is_anew(stored: bytes | None, config: LaneConfig) -> bool:
    """Return whether a sweep must decide every user again: the settings have changed, or are not known.

    Args:
        stored: the present place of lane 0; None if there is none.
        config: the present settings.
    """
    place = None if stored is None else places.readable(stored)
    return place is None or place.settings != config.settings


def take(leases: Leases, live: str, into: str, leads_to: str) -> None:
    """Store the prefix's name, so that no rebuild into another prefix begins; a second call does no harm.

    Args:
        leases: where the name is stored.
        live: the prefix that the lanes use now.
        into: the prefix that the rebuild fills.
        leads_to: the prefix that a worker uses whose setting redis_prefix is ``into``.

    Raises:
        LaneInUse: another prefix is named, or the lanes have moved away from ``into``.
        Unreachable: Redis does not answer.
    """
    if leads_to != into:  # nobody could delete the name: neither a switch nor a drop works on this prefix
        raise LaneInUse(
            f"the lanes that were under {into!r} have moved to {leads_to!r}: name another prefix with --into"
        )
    if live == into:  # the rebuild fills the lanes' own prefix, which has no states yet: no name is needed
        return
    other = None if leases.take(live, into) else leases.standing(live)
    if other is not None and other != into:
        raise LaneInUse(
            f"a rebuild into {other!r} was begun, and the lanes have not moved there: move them (segue"
            f" rebuild --into {other} --switch), or drop it (segue rebuild --into {other} --drop)"
        )


@dataclass(slots=True)
class Rebuilding:
    """A rebuild, one lane after the other, so that it keeps only one lane's users at a time.

    Attributes:
        open_log: opens a lane's log.
        group: the name of the workers' group.
        config: the lanes' settings.
        model: the release that places the users.
        bootstrap: the bootstrap that is in force; None if there is none.
        facts_as_of: gives the facts of the bootstrap's warehouse; None without a warehouse.
        erased: the erasures that Redis knows (:func:`segue.refill.lane_past.erasures_known`).
        progress: called with the numbers of records read and of users written so far.
        today: the date of the clock in the zone of the settings; None if no declared feature reads it.
        users, records, refusals: as in :class:`Rebuilt`, so far.
    """

    open_log: OpenLog
    group: str
    config: LaneConfig
    model: ActiveModel
    bootstrap: BootstrapRecord | None
    facts_as_of: FactsAsOf | None
    erased: Erased
    progress: Callable[[int, int], None]
    today: date | None
    users: int = 0
    records: int = 0
    refusals: Refusals = field(default_factory=Refusals)

    def check(self, stores: Sequence[Store], writer: str) -> None:
        """Check what :meth:`fill` checks before it writes; write nothing.

        Args:
            stores: one store for each lane, in the order of the lanes.
            writer: the name of this rebuild.

        Raises:
            LaneInUse, NeedsRebuild, Unreachable: as :meth:`fill`.
        """
        self._checked(stores, writer, anew=False)

    def fill(self, stores: Sequence[Store], writer: str, *, anew: bool) -> Rebuilt:
        """Fill the prefix of these stores.

        Args:
            stores: one store for each lane, in the order of the lanes.
            writer: the name of this rebuild; it becomes the writer of each place.
            anew: whether a sweep will decide every user again.

        Raises:
            BadTopics: a log cannot be read to its end.
            LaneInUse: the prefix is not fresh, or another rebuild fills it.
            NeedsRebuild: the log does not hold the whole past, or the group has committed no offsets.
            Unreachable: Kafka or Redis does not answer, or Redis has lost what was written.
        """
        # A marked lane must be filled. So all checks that may fail run before the first lane is marked.
        fillers = self._checked(stores, writer, anew=anew)
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
            if self.today is not None:
                filler.day = latest([self.today, *(commit.day for commit in log.committed.values())])
            self.users += filler.fill(
                past.states,
                past.positions,
                {topic: log.bounds[topic].topic_id for topic in past.positions},
                lambda users: self.progress(self.records, written + users),
            )

    def _checked(self, stores: Sequence[Store], writer: str, *, anew: bool) -> list[LaneFiller]:
        """Return a filler for each lane, all of which may begin."""
        fillers = [
            LaneFiller(lane, store, self.model, self.config, writer, anew=anew)
            for lane, store in enumerate(stores)
        ]
        for lane in range(len(fillers)):
            with self.open_log(lane) as log:
                self._committed(log)
                begin_of(log, self.config, self.bootstrap, self.facts_as_of)
        for filler in fillers:
            filler.look()
        again = any(filler.unfinished for filler in fillers)
        for filler in fillers:
            filler.check(again=again)
        return fillers

    def _committed(self, log: LaneLog) -> dict[str, int]:
        """Return the group's committed offset by input; the workers have decided all events before it."""
        found = {}
        topics = self.config.topics
        for topic in topics.inputs:
            committed, bounds = log.committed.get(topic), log.bounds[topic]
            if committed is None and topic == topics.rekeyed and bounds.end == 0:
                # Re-keying was turned on just now: no worker has written to this topic or read it.
                found[topic] = 0
                continue
            if committed is None:
                raise NeedsRebuild(
                    f"the group {self.group} has committed no offset of {topic} in lane {log.lane}: set the"
                    " workers' group. If nothing was ever decided, start a worker instead"
                )
            if committed.topic_id not in (None, bounds.topic_id):
                raise NeedsRebuild(
                    f"the group's offset of {topic} in lane {log.lane} belongs to a topic that was deleted"
                    " since: start a worker, which begins with the new topic. If Redis was lost too, restore"
                    " it, or begin again from the warehouse"
                )
            if committed.former is not None and committed.former.held_facts:
                raise NeedsRebuild(
                    f"{topic} was made anew, and what the topic before it held is not in the log: restore"
                    " Redis, or begin again from the warehouse (docs/rebuilding.md)"
                )
            if committed.offset > bounds.end:
                raise NeedsRebuild(
                    f"the group {self.group} has decided {topic} up to offset {committed.offset} in lane"
                    f" {log.lane}, but it ends at {bounds.end}, so Kafka has lost records: set the group's"
                    f" offsets to where the log ends, or {BEGIN_AGAIN}"
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
    """Move every lane to a prefix that a rebuild has filled; each lane takes one write.

    A lane that has moved already is skipped. So an interrupted switch can simply run again.

    Args:
        olds: the lanes' stores under the prefix in the workers' settings, in the order of the lanes.
        news: the lanes' stores under ``into``, in the order of the lanes.
        into: the prefix to move to.
        topic_ids: the present ids of the inputs and of ``user-segments``, by topic.
        leases: where the name of the rebuild is stored.
        named_under: the live prefixes for which the name ``into`` may be stored.

    Returns:
        How many lanes were moved.

    Raises:
        NeedsRebuild: the prefix is not filled, or was filled under other settings.
        LaneInUse: the lanes have moved away from ``into``, or a lane's place changed again and again.
        Unreachable: Redis does not answer.
    """
    lanes = list(zip(olds, news, strict=True))
    for old, new in lanes:
        check_target(old, new, into, topic_ids)
    moved = sum(move(old, new, into, topic_ids) for old, new in lanes)
    for prefix in named_under - {into}:
        leases.give_back(prefix)
    # If Redis lost an earlier switch, a name for the old prefix may be stored under the new prefix.
    if leases.standing(into) in named_under:
        leases.give_back(into)
    return moved


def drop(stores: Sequence[Droppable], mark: bytes, into: str, leases: Leases, live: str) -> None:
    """Delete all that lanes or a rebuild wrote under a prefix.

    A rebuild that still fills the prefix ends with an error.

    Args:
        stores: the stores of all lanes that have or may get a place under the prefix.
        mark: the mark of a rebuild with a unique name.
        into: the prefix to drop.
        leases: where the name of a rebuild is stored.
        live: the prefix that the lanes use now.

    Raises:
        LaneInUse: another rebuild into the prefix began meanwhile.
        Unreachable: Redis does not answer.
    """
    for store in stores:
        store.seize(mark)
    ours = stores[0].clear(mark) is not None
    for store in stores:
        ours = store.drop_place(mark) and ours
    if not ours:
        raise LaneInUse(f"another rebuild into {into!r} began meanwhile: wait until it ends")
    leases.give_back(into)
    if leases.standing(live) == into:
        leases.give_back(live)
