"""A lane: one partition number of all inputs, from its events to its changes.

The order of a batch. Each step needs the step before it. The next takeover heals a crash between any two
steps:

1. read    the records
2. load    the place and the users. The batch ends here if this lane did not write the place last. Then choose
           one model and one day for the whole batch
3. decide  fold, score and compare, in memory
4. similar find the nearest users of the users who change
5. commit  one Kafka transaction: changes, users' records, dead letters, re-keyed events for other lanes, and
           the inputs' next offsets
6. save    one script: states, indexes and the new place, only if the place is still the place of step 2

A newer activation starts a *sweep*, which re-decides the lane's users. On a new day, the lane re-decides the
users who are due. These batches run between the batches of events (:mod:`streamer.lane.redecide_users`).
Redis holds the users that are left, so a takeover continues (:mod:`streamer.lane.run_takeover`).
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from schemas.errors import BadEvent
from schemas.input_events import UserErased
from schemas.outputs.segment_change import Change
from streamer.batch.batch_users import Users, check_size
from streamer.batch.isolate_records import applied
from streamer.batch.lane_config import LaneConfig, Models, Watcher
from streamer.batch.read_batch import Batch, Incoming, in_order, read_batch
from streamer.batch.similar_users import with_similar_users
from streamer.batch.traced_changes import traces_of
from streamer.interfaces.lane_errors import TooLarge
from streamer.interfaces.lane_interfaces import Log, Record, Store, UserWrite
from streamer.lane.lane_commits import LaneCommits
from streamer.lane.lane_saves import LaneSaves
from streamer.lane.redecide_users import Redecisions
from streamer.lane.release_switch import Switch, Turn
from streamer.lane.run_takeover import Takeover
from streamer.place import place as places
from streamer.segment.decide_event import process
from streamer.segment.lane_day import date_of, latest
from streamer.takeover import healing


class Lane:
    """One lane's protocol over a log and a store; this class does not know Kafka or Redis.

    Args:
        partition: the lane's partition number.
        log: the lane's side of Kafka.
        store: the lane's side of Redis.
        models: the published releases.
        config: the settings of the lanes.
        watcher: receives the lane's progress.
        clock: gives the present time in UTC, for ``emitted_at``.
        closing: whether the lane must close; a takeover then stops before its next save.
        monotonic: gives seconds that never go backward, for durations and pauses.
    """

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
        self._config = config
        self._watcher = watcher
        self._clock = clock
        self._monotonic = monotonic
        # By input, the newest offset of the last read.
        self._polled: dict[str, int] = {}
        self._switch = Switch(partition, models, store, config)
        self._saves = LaneSaves(store, monotonic)
        self._commits = LaneCommits(partition, log, self._saves, config)
        self._redecisions = Redecisions(
            store, self._saves, self._commits, config, watcher, self._turn, clock, monotonic
        )
        self._takeover = Takeover(
            partition, log, store, models, config, watcher, self._switch, self._saves, clock, closing
        )

    @property
    def positions(self) -> dict[str, int]:
        """The lane's next offset in each input; empty before the first takeover."""
        return self._commits.positions

    def take_over(self, writer: str) -> None:
        """Become the lane's owner and bring its states up to date with Kafka: see :meth:`Takeover.run`."""
        self._takeover.run(writer)
        self._redecisions.taken_over()

    def step(self, timeout_s: float) -> int:
        """Run one batch of events, if events come within ``timeout_s``, and one batch of users, if any wait.

        Returns:
            The number of records in the batch, plus the number of users that were decided again without
            events.

        Raises:
            InDoubt: the result of the batch is unknown; take the lane over.
            NotReady: this worker does not know a release that it must use.
        """
        wait_s = self._redecisions.wait_s()
        if wait_s is not None:
            timeout_s = min(timeout_s, wait_s)
        records = self._log.poll(self._config.max_batch, timeout_s)
        self._polled = {record.topic: record.offset for record in records}
        if records:
            for record in healing.halved(in_order(records, self._config.topics), self._take):
                self._take([record], too_large=True)
        else:
            self._check_place()
        self._watcher.reached(self.positions, self._log.lag())
        return len(records) + self._redecisions.step()

    def _take(self, records: Sequence[Record], *, too_large: bool = False) -> None:
        """Run one batch: the steps above, once its records are here.

        Args:
            too_large: the batch has only one event, and its user's state may be too large to save. If it is,
                the event becomes a dead letter.

        Raises:
            TooLarge: the batch must be divided into smaller batches. Nothing was written.
        """
        began = self._monotonic()
        batch = read_batch(
            records,
            self.positions,
            self._config.topics,
            self._config.settings,
            self._config.max_ahead,
            self._config.unframe,
        )
        users = Users(self._store, batch.wanted())
        self._saves.expect(users.place)
        self._saves.expect_listed(users)
        loaded = self._monotonic()
        turn = self._turn()
        batch, changes, unknown = self._decide(batch.on(turn.day), users, turn)
        rules = self._config.rules
        writes = users.writes(turn.sweep, turn.filled, rules, turn.lane_day(rules))
        try:
            check_size(writes)
        except TooLarge as error:
            if not too_large:
                raise
            refused = [(incoming, BadEvent("", str(error))) for incoming in batch.events]
            batch, changes, writes, unknown = batch.without(refused, self._config.topics), [], [], ()
        decided = self._monotonic()
        reached = self._commits.commit(
            changes,
            users,
            turn,
            [*batch.rekeyed, *batch.dead_letters],
            self._past_markers(batch.positions),
            traces_of(batch.events, changes),
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

    def _past_markers(self, positions: dict[str, int]) -> dict[str, int]:
        """The positions, each moved past the transaction markers and aborted records that follow it.

        Retention may later empty the partition. Then a place before such a marker would lie before the log's
        beginning, and it would seem that events are lost. A position stays as it is if a divided batch has
        records that were read but not yet applied.
        """
        ahead = self._log.reached()
        return {
            topic: max(at, ahead[topic]) if at > self._polled.get(topic, -1) else at
            for topic, at in positions.items()
        }

    def _turn(self) -> Turn:
        """The model, the sweep, the indexes and the day of the next batch."""
        place = self._saves.place
        known = None if place is None else place.decides_on
        return self._switch.turn(place, latest([known, date_of(self._config.rules, self._clock())]))

    def _decide(
        self, batch: Batch, users: Users, turn: Turn
    ) -> tuple[Batch, list[Change], tuple[Incoming, ...]]:
        """The batch without its refused events, the changes, and the erasures of unknown users."""
        model, rules, now = turn.model, self._config.rules, self._clock()
        changes: list[Change] = []
        unknown: list[Incoming] = []
        refused: list[tuple[Incoming, BadEvent]] = []
        for incoming in batch.events:
            event, cause = incoming.event, incoming.cause
            if isinstance(event, UserErased) and not users[event.user_id].known:
                unknown.append(incoming)
            decide_event = partial(process, event=event, cause=cause, model=model, rules=rules, now=now)
            step = applied(users, event, decide_event, rules, model, turn.day)
            if isinstance(step, BadEvent):
                refused.append((incoming, step))
                continue
            users.put(step.state)
            changes.extend(step.changes)
        space, similar = model.release.space, self._config.similar_users
        changes = with_similar_users(changes, users, self._store, space, similar)
        return batch.without(refused, self._config.topics), changes, tuple(unknown)

    def _save(self, writes: Sequence[UserWrite], reached: dict[str, int], turn: Turn) -> None:
        self._saves.save(places.encode(self._saves.held), writes, reached, turn)

    def _check_place(self) -> None:
        """Check the place of an idle lane: Redis may have lost it, or another worker may have taken it."""
        if self._monotonic() - self._saves.seen_s >= self._config.place_check_s:
            self._saves.expect(self._store.follow())
            reached = self._past_markers(self.positions)
            if reached != self.positions:
                self._save([], reached, self._turn())
