"""A lane: one input partition number, from its events to its changes (DESIGN §3).

The order of a batch, each step leaning on the one before; a crash between any two of them is healed by
the next takeover:

1. read    the records
2. load    the place and the users; a place that this lane did not write last ends the batch; then one model for all
3. decide  fold, score, compare, in memory
4. similar the nearest users of those who change
5. commit  one Kafka transaction: changes, users' records, dead letters, events re-keyed to other lanes, the
           inputs' next offsets
6. save    one script: states, index and the new place, if the place is still the one of step 2

A newer activation starts a *sweep*, which decides the lane's users anew. Its batches run between those of
events. They read no records and leave the offsets alone; they load users whom an older activation decided.
What is left stands in Redis, so a takeover goes on with it.

The order of a takeover:

1. fence   start the producer; the former owner can write no more
2. ask     for the committed offsets, stable ones, the place and the topics; a doubt if another commits meanwhile
3. weigh   them: where to fold from, where to decide from; a place that Redis did not keep whole counts for
           nothing, and what lies there of the lane is deleted
4. fold    from the place up to the committed offsets, without deciding
5. adopt   what ``user-segments`` says from the place on: segment, activation, sequence
6. save    with the next step, even if nothing was read: whoever held the lane before is locked out
7. look    whether the lane was not moved elsewhere, or back, meanwhile
8. follow  the inputs, from the offsets reached; from here on the lane decides
"""

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from schemas.changes import Cause, Change
from schemas.errors import BadEvent, NeedsRebuild
from schemas.events import UserErased
from streamer import healing
from streamer import place as places
from streamer.batch import Batch, Incoming, in_order, read_batch
from streamer.interfaces import Log, OutRecord, Record, Store, UserWrite
from streamer.isolation import applied
from streamer.lane_config import LaneConfig, Models, Watcher
from streamer.lane_errors import InDoubt, LaneClosing, TooLarge
from streamer.lane_snapshot import follow_lane, read_snapshot
from streamer.log_reading import holds_records
from streamer.model import ActiveModel
from streamer.outputs import change_records
from streamer.pace import Pace
from streamer.place import Place
from streamer.process import decide, process
from streamer.similar import with_similar_users
from streamer.start import Start, starting_point
from streamer.state import Decided
from streamer.switch import Switch, Turn
from streamer.users import Users, check_size


class Lane:
    """One lane's protocol, over a log and a store; nothing here knows Kafka or Redis."""

    def __init__(
        self,
        partition: int,
        log: Log,
        store: Store,
        models: Models,
        config: LaneConfig,
        watcher: Watcher,
        *,
        clock: Callable[[], datetime],
        closing: Callable[[], bool] = lambda: False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.partition = partition
        self._log = log
        self._store = store
        self._models = models
        self._config = config
        self._watcher = watcher
        self._clock = clock
        self._closing = closing
        self._monotonic = monotonic
        self._place: Place | None = None
        self._place_seen_s = 0.0
        # By input the newest offset that was read.
        self._polled: dict[str, int] = {}
        self._pace = Pace(config.sweep_per_s, config.max_batch)
        self._switch = Switch(partition, models, store, config)

    @property
    def positions(self) -> dict[str, int]:
        """The lane's next offset in each input; empty before the first takeover."""
        if self._place is None:
            return {}
        return {topic: self._place.positions[topic] for topic in self._config.topics.inputs}

    @property
    def _held(self) -> Place:
        """The place that this lane wrote last."""
        if self._place is None:
            raise InDoubt("the lane was never taken over")
        return self._place

    def take_over(self, writer: str) -> None:
        """Become the lane's owner and bring its states up to what Kafka holds.

        Args:
            writer: a name that no other takeover has.

        Raises:
            NotReady: there is no release to place users by, or the lane has come to a later one.
            InDoubt: another took the lane meanwhile, or an answer was lost; call again.
            NeedsRebuild: an operator must decide.
            LaneClosing: it is to close, and what was healed so far is saved.
        """
        self._switch.newest()
        topics = self._config.topics
        self._watcher.phase("taking over", None)
        # A store that does not answer raises here, before anybody is fenced.
        follow_lane(self._store)
        self._log.fence()
        snapshot = read_snapshot(self._log, self._store, topics)
        former, users = snapshot.place, snapshot.users
        if snapshot.torn is not None:
            self._watcher.phase("taking over", str(snapshot.torn))
        turn = self._switch.turn(former)
        try:
            start = starting_point(
                former,
                snapshot.committed,
                snapshot.inputs,
                topics.users,
                users,
                self._config.settings,
                users_empty=lambda: not holds_records(self._log, topics.users),
                bootstrapped=self._models.bootstrap_standing() is not None,
            )
        except NeedsRebuild as reason:
            # An operator is asked only for what still holds.
            snapshot.ensure_current(self._log, self._store)
            snapshot.refuse(reason)
        if start.by_users:
            start = healing.decided_until(self._log, topics, start, users.end, self._config.max_batch)
        topic_ids = snapshot.topic_ids(topics)
        self._place = Place(
            step=0 if former is None else former.step,
            writer=writer,
            positions={**start.fold_from, topics.users: start.users_from},
            topic_ids=topic_ids if former is None else _until_adopted(topic_ids, former, start),
            settings=self._config.settings,
            sweep=turn.sweep,
            formers=start.formers,
        )
        self._log.note_formers(start.formers)
        stored = healing.emptied(self._store, snapshot, self.partition, self._config, writer)
        self._heal(stored, start, users.end, topic_ids, turn)
        # What moved the lane to where it was just saved stands, unless Redis lost it before that save.
        self._expect(self._store.follow())
        self._log.read_from(start.decide_from)
        self._watcher.phase("live", None)

    def step(self, timeout_s: float) -> int:
        """Take one batch, if events come within ``timeout_s``, and one of the sweep, if it is due.

        Returns:
            How many records were taken, and users swept.

        Raises:
            InDoubt: nothing of this batch may be believed; take the lane over.
            NotReady: a release that is to be used is not known to this worker.
        """
        if not self._held.swept:
            timeout_s = min(timeout_s, self._pace.wait_s(self._monotonic()))
        records = self._log.poll(self._config.max_batch, timeout_s)
        self._polled = {record.topic: record.offset for record in records}
        if records:
            for one in healing.halved(in_order(records, self._config.topics), self._take):
                self._take([one], too_large=True)
        else:
            self._check_place()
        self._watcher.reached(self.positions, self._log.lag())
        return len(records) + self._sweep()

    def _take(self, records: Sequence[Record], *, too_large: bool = False) -> None:
        """Take a batch whole.

        Args:
            too_large: its only event is a dead letter, since its user's state would be too large to save.

        Raises:
            TooLarge: it is to be taken in parts; nothing was written.
        """
        began = self._monotonic()
        batch = read_batch(
            records, self.positions, self._config.topics, self._config.settings, self._config.max_ahead
        )
        users = Users(self._store, batch.wanted())
        self._expect(users.place)
        loaded = self._monotonic()
        turn = self._turn()
        batch, changes, unknown = self._decide(batch, users, turn.model)
        writes = users.writes(turn.sweep, turn.filled, self._config.rules)
        try:
            check_size(writes)
        except TooLarge as error:
            if not too_large:
                raise
            refused = [(incoming, BadEvent("", str(error))) for incoming in batch.events]
            batch, changes, writes, unknown = batch.without(refused, self._config.topics), [], [], ()
        decided = self._monotonic()
        reached = self._commit(
            changes,
            users,
            turn.model,
            [*batch.rekeyed, *batch.dead_letters],
            self._beyond_marks(batch.positions),
        )
        committed = self._monotonic()
        self._save(writes, reached, turn)
        saved = self._monotonic()
        seconds = {
            "load": loaded - began,
            "decide": decided - loaded,
            "commit": committed - decided,
            "save": saved - committed,
        }
        self._watcher.batch(replace(batch, unknown=unknown), changes, seconds)

    def _beyond_marks(self, positions: dict[str, int]) -> dict[str, int]:
        """These positions, each beyond what lies there and is no record.

        A place that stayed before a transaction's mark would lie before the log's beginning once retention has
        emptied the partition, as if events had been missed. Where a batch is taken in parts, what is read is not yet taken.
        """
        ahead = self._log.reached()
        return {
            topic: max(at, ahead[topic]) if at > self._polled.get(topic, -1) else at
            for topic, at in positions.items()
        }

    def _sweep(self) -> int:
        """Decide some users anew whom an older activation decided; how many it were."""
        turn = self._turn()
        now = self._monotonic()
        if (turn.sweep == self._held.sweep and self._held.swept) or self._pace.wait_s(now) > 0:
            return 0
        self._pace.began(now)
        unswept = self._store.unswept(turn.sweep.number, self._pace.users)
        left = unswept.left

        def sweep_some(user_ids: Sequence[str]) -> None:
            nonlocal left
            users = Users(self._store, dict.fromkeys(user_ids, ()))
            self._expect(users.place)
            changes = self._decide_anew(users, turn.model)
            writes = users.writes(turn.sweep, turn.filled, self._config.rules)
            if len(user_ids) > 1:
                check_size(writes)
            # Who changes only in Redis needs no transaction: the save is refused where another took the lane.
            reached = self._commit(changes, users, turn.model, (), self.positions) if changes else {}
            left -= len(user_ids)
            self._save(writes, reached, turn, swept=left == 0)
            self._watcher.swept(turn.model.activation, len(user_ids), changes, left)

        deque(healing.halved(unswept.user_ids, sweep_some))
        return len(unswept.user_ids)

    def _turn(self) -> Turn:
        """What the next batch goes by."""
        return self._switch.turn(self._place)

    def _decide_anew(self, users: Users, model: ActiveModel) -> list[Change]:
        now = self._clock()
        cause = Cause(
            type="model",
            topic=self._config.topics.models,
            partition=0,
            offset=model.activation,
            positions=self.positions,
        )
        changes: list[Change] = []
        for state in list(users):
            step = decide(state, cause, model.at, model, self._config.rules, now)
            users.put(step.state)
            changes.extend(step.changes)
        return self._with_similar_users(changes, users, model)

    def _decide(
        self, batch: Batch, users: Users, model: ActiveModel
    ) -> tuple[Batch, list[Change], tuple[Incoming, ...]]:
        """The batch without what is refused, the changes, and the erasures of users of whom nothing is known."""
        rules, now = self._config.rules, self._clock()
        changes: list[Change] = []
        unknown: list[Incoming] = []
        refused: list[tuple[Incoming, BadEvent]] = []
        for incoming in batch.events:
            event, cause = incoming.event, incoming.cause
            if isinstance(event, UserErased) and not users[event.user_id].known:
                unknown.append(incoming)
            decide_event = partial(process, event=event, cause=cause, model=model, rules=rules, now=now)
            step = applied(users, event, decide_event, rules, model)
            if isinstance(step, BadEvent):
                refused.append((incoming, step))
                continue
            users.put(step.state)
            changes.extend(step.changes)
        changes = self._with_similar_users(changes, users, model)
        return batch.without(refused, self._config.topics), changes, tuple(unknown)

    def _with_similar_users(self, changes: list[Change], users: Users, model: ActiveModel) -> list[Change]:
        return with_similar_users(
            changes, users, self._store, model.release.space, self._config.similar_users
        )

    def _commit(
        self,
        changes: Sequence[Change],
        users: Users,
        model: ActiveModel,
        others: Sequence[OutRecord],
        positions: dict[str, int],
    ) -> dict[str, int]:
        """Commit one transaction. Returns the offsets reached: of the inputs, and of ``user-segments`` if it was written."""
        out = [record for change in changes for record in self._records(change, users, model)]
        written = self._log.commit([*out, *others], positions)
        topic = self._config.topics.users
        return {**positions, topic: written[topic]} if topic in written else positions

    def _records(self, change: Change, users: Users, model: ActiveModel) -> tuple[OutRecord, OutRecord]:
        erased_at = users[change.user_id].facts.erased_at
        return change_records(change, self._config.topics, self.partition, model.topic_id, erased_at)

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
            # A save writes what differs from what was read: it must not be read from a save that is lost again,
            # or that another made meanwhile.
            if users.place != expected:
                raise InDoubt("the place in Redis is not the one that this takeover wrote last")
            return users

        def save(users: Users | None, reached: dict[str, int], bounded: bool) -> None:
            nonlocal expected
            if self._closing():
                raise LaneClosing
            rules = self._config.rules
            writes = [] if users is None else users.writes(turn.sweep, turn.filled, rules, index_all=True)
            if bounded:
                check_size(writes)
            expected = self._save_from(expected, writes, reached, turn)

        def model_after(decisions: Iterable[Decided | None]) -> ActiveModel:
            nonlocal turn
            turn = self._switch.after(turn, decisions)
            return turn.model

        if start.fold_from != start.decide_from or start.users_from < users_end:
            self._watcher.phase("healing", None)
        healing.fold_inputs(self._log, load, start, turn.model, self._config, save)
        healing.adopt(self._log, load, start, users_end, model_after, self._config, save)
        self._place = replace(self._held, topic_ids=topic_ids)
        save(None, {**start.decide_from, self._config.topics.users: max(start.users_from, users_end)}, False)

    def _save(
        self, writes: Sequence[UserWrite], reached: dict[str, int], turn: Turn, *, swept: bool = False
    ) -> None:
        """``swept``: with these users the sweep has come to all."""
        self._save_from(places.encode(self._held), writes, reached, turn, swept=swept)

    def _save_from(
        self,
        expected: bytes | None,
        writes: Sequence[UserWrite],
        reached: dict[str, int],
        turn: Turn,
        *,
        swept: bool = False,
    ) -> bytes:
        """Write the users and the place that follows, if the stored place is still ``expected``."""
        swept = swept or (self._held.swept and turn.sweep == self._held.sweep)
        following = replace(
            self._held,
            step=self._held.step + 1,
            positions={**self._held.positions, **reached},
            sweep=replace(turn.sweep, dropped=(), whole=True) if swept else turn.sweep,
            swept=swept,
        )
        encoded = places.encode(following)
        if not self._store.save(expected, encoded, writes):
            raise InDoubt("the place in Redis is not the one that this batch began with")
        self._place = following
        self._place_seen_s = self._monotonic()
        return encoded

    def _check_place(self) -> None:
        """An idle lane looks once in a while whether Redis lost its place, or another took it."""
        if self._monotonic() - self._place_seen_s >= self._config.place_check_s:
            self._expect(self._store.follow())
            self._place_seen_s = self._monotonic()
            reached = self._beyond_marks(self.positions)
            if reached != self.positions:
                self._save([], reached, self._turn())

    def _expect(self, stored: bytes | None) -> None:
        if stored != places.encode(self._held):
            raise InDoubt("the place in Redis is not the one that this lane wrote last")


def _until_adopted(topic_ids: dict[str, str], former: Place, start: Start) -> dict[str, str]:
    """The topics' ids in the places of a takeover but its last.

    An input made anew stays void until every decision is adopted: those not adopted yet name offsets of the
    old topic, and a takeover after a crash must not take them for offsets of the new one.
    """
    not_folded = {topic for topic, offset in start.fold_from.items() if start.decide_from[topic] == offset}
    return {**topic_ids, **{t: former.topic_ids[t] for t in not_folded & former.topic_ids.keys()}}
