"""A takeover: a lane gets a new owner, and its states in Redis are brought up to date with Kafka.

The order of a takeover:

1. fence   start the producer; the former owner can write no more
2. ask     for the stable committed offsets, the place and the topics; raise InDoubt if another worker commits
           meanwhile
3. weigh   them: choose the offsets to fold from and to decide from. A place that Redis did not keep whole
           does not count, and the lane's states are deleted there
4. fold    from the place up to the committed offsets, without deciding
5. adopt   the decisions in ``user-segments`` from the place on: segment, activation, sequence
6. save    with the next step number, even if nothing was read: this locks out the lane's former owner
7. look    whether the lane was moved to another prefix, or back, meanwhile
8. follow  the inputs, from the offsets reached; from here on the lane decides
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime

from msgspec.structs import replace

from schemas.errors import NeedsRebuild
from streamer.batch.batch_users import Users, check_size
from streamer.batch.lane_config import LaneConfig, Models, Watcher
from streamer.interfaces.lane_errors import InDoubt, LaneClosing
from streamer.interfaces.lane_interfaces import ALL_SWEEPS, Log, Store
from streamer.lane.lane_saves import LaneSaves
from streamer.lane.release_switch import Switch, Turn
from streamer.place.place import Place
from streamer.segment.active_model import ActiveModel
from streamer.segment.lane_day import date_of, latest, stored_day
from streamer.takeover import healing
from streamer.takeover.lane_snapshot import LaneSnapshot, follow_lane, read_snapshot
from streamer.takeover.read_stretch import holds_records
from streamer.takeover.starting_point import Start, starting_point
from streamer.user.user_state import Decided


class Takeover:
    """The takeovers of one lane, one after the other.

    Args:
        partition: the lane's partition number.
        log: the lane's side of Kafka.
        store: the lane's side of Redis.
        models: the published releases.
        config: the settings of the lanes.
        watcher: receives the lane's progress.
        switch: chooses the release that decides.
        saves: the lane's saves; it holds the place.
        clock: gives the present time in UTC; it gives the day of a lane that has none yet.
        closing: whether the lane must close; a takeover then stops before its next save.
    """

    def __init__(
        self,
        partition: int,
        log: Log,
        store: Store,
        models: Models,
        config: LaneConfig,
        watcher: Watcher,
        switch: Switch,
        saves: LaneSaves,
        clock: Callable[[], datetime],
        closing: Callable[[], bool],
    ) -> None:
        self._partition = partition
        self._log = log
        self._store = store
        self._models = models
        self._config = config
        self._watcher = watcher
        self._switch = switch
        self._saves = saves
        self._clock = clock
        self._closing = closing

    def run(self, writer: str) -> None:
        """Become the lane's owner and bring its states up to date with Kafka.

        Args:
            writer: a name that no other takeover has.

        Raises:
            NotReady: there is no release yet, or the lane has used a later release than this worker has read.
            InDoubt: another worker took the lane meanwhile, or an answer was lost; call again.
            NeedsRebuild: an operator must decide.
            LaneClosing: the lane must close. The part that was healed is saved.
        """
        self._switch.newest()
        topics = self._config.topics
        self._watcher.phase("taking over", None)
        # If the store does not answer, this raises before the former owner is fenced.
        follow_lane(self._store)
        self._log.fence()
        snapshot = read_snapshot(self._log, self._store, topics)
        former, users_end = snapshot.place, snapshot.users.end
        if snapshot.torn is not None:
            self._watcher.phase("taking over", str(snapshot.torn))
        turn = self._switch.turn(former, self._day(snapshot))
        start = self._start(snapshot)
        topic_ids = snapshot.topic_ids(topics)
        self._saves.place = Place(
            step=0 if former is None else former.step,
            writer=writer,
            positions={**start.fold_from, topics.users: start.users_from},
            topic_ids=topic_ids if former is None else _until_adopted(topic_ids, former, start),
            settings=self._config.settings,
            sweep=turn.sweep,
            formers=start.formers,
            day=stored_day(turn.day),
            users=0 if former is None else self._users_of(former),
        )
        self._log.note_formers(start.formers)
        stored = healing.emptied(self._store, snapshot, self._partition, self._config, writer)
        self._heal(stored, start, users_end, topic_ids, turn)
        # Redis may have lost the mark that moved the lane here, before this takeover saved the lane.
        self._saves.expect(self._store.follow())
        self._log.read_from(start.decide_from)
        self._watcher.phase("live", None)

    def _users_of(self, former: Place) -> int:
        """How many users the lane has; a place of an older format does not say it."""
        return self._store.unswept(ALL_SWEEPS, 0).left if former.users < 0 else former.users

    def _day(self, snapshot: LaneSnapshot) -> date | None:
        """The latest day that the lane is known to have decided on; without one, that of the clock.

        A later day of a decision that is adopted, and of the clock when the lane decides, replaces it.
        """
        rules, place = self._config.rules, snapshot.place
        if not rules.of_time:
            return None
        known = [commit.day for commit in snapshot.committed.values()]
        return latest([*known, None if place is None else place.decides_on]) or date_of(rules, self._clock())

    def _start(self, snapshot: LaneSnapshot) -> Start:
        """Weigh the offsets, the place and the topics: step 3."""
        topics, users = self._config.topics, snapshot.users
        try:
            start = starting_point(
                snapshot.place,
                snapshot.committed,
                snapshot.inputs,
                topics.users,
                users,
                self._config.settings,
                self._store.prefix,
                users_empty=lambda: not holds_records(self._log, topics.users),
                bootstrapped=self._models.bootstrap_standing() is not None,
            )
        except NeedsRebuild as reason:
            # Ask an operator only if the offsets and the place have not changed.
            snapshot.ensure_current(self._log, self._store)
            snapshot.refuse(reason)
        if start.by_users:
            start = healing.decided_until(self._log, topics, start, users.end, self._config.max_batch)
        return start

    def _heal(
        self,
        stored: bytes | None,
        start: Start,
        users_end: int,
        topic_ids: dict[str, str],
        turn: Turn,
    ) -> None:
        """Steps 4 to 6 of a takeover, saving batch by batch."""
        expected = stored

        def load(wanted: Mapping[str, Collection[str]]) -> Users:
            users = Users(self._store, wanted)
            # A save writes the difference to the states that were read. So these states must come from the
            # last save of this takeover: not from a save that Redis loses again, or from another worker.
            if users.place != expected:
                raise InDoubt("the place in Redis is not the one that this takeover wrote last")
            self._saves.expect_listed(users)
            return users

        def save(users: Users | None, reached: dict[str, int], bounded: bool) -> None:
            nonlocal expected
            if self._closing():
                raise LaneClosing
            rules = self._config.rules
            if users is None:
                writes = []
            else:
                writes = users.writes(turn.sweep, turn.filled, rules, turn.lane_day(rules), index_all=True)
            if bounded:
                check_size(writes)
            expected = self._saves.save(expected, writes, reached, turn)

        def present_after(
            decisions: Iterable[Decided | None], decided_on: date | None
        ) -> tuple[ActiveModel, date | None]:
            nonlocal turn
            turn = self._switch.on(self._switch.after(turn, decisions), latest([turn.day, decided_on]))
            return turn.model, turn.day

        if start.fold_from != start.decide_from or start.users_from < users_end:
            self._watcher.phase("healing", None)
        healing.fold_inputs(self._log, load, start, turn.model, turn.day, self._config, save)
        healing.adopt(self._log, load, start, users_end, present_after, self._config, save)
        self._saves.place = replace(self._saves.held, topic_ids=topic_ids)
        save(None, {**start.decide_from, self._config.topics.users: max(start.users_from, users_end)}, False)


def _until_adopted(topic_ids: dict[str, str], former: Place, start: Start) -> dict[str, str]:
    """The topics' ids in all places of a takeover except its last place.

    An input that was deleted and created again keeps its former id until every decision is adopted. The other
    decisions name offsets of the former topic, and a takeover after a crash must not use them in the new
    topic.
    """
    not_folded = {topic for topic, offset in start.fold_from.items() if start.decide_from[topic] == offset}
    return {**topic_ids, **{t: former.topic_ids[t] for t in not_folded & former.topic_ids.keys()}}
