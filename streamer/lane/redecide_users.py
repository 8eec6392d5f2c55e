"""The batches that decide a lane's users again without events: those due on a new day, and those of a sweep.

They read no records and do not change the offsets. Redis holds the users that are left, so a takeover
continues. Users whose decision stays change only in Redis and need no transaction: if another worker has
taken the lane, the save is refused.
"""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import date, datetime

from schemas.outputs.segment_change import Cause, Change
from streamer.batch.batch_users import Users, check_size
from streamer.batch.lane_config import LaneConfig, Watcher
from streamer.batch.similar_users import with_similar_users
from streamer.interfaces.lane_interfaces import Store, UserWrite
from streamer.lane.lane_commits import LaneCommits
from streamer.lane.lane_saves import LaneSaves
from streamer.lane.release_switch import Turn
from streamer.lane.sweep_pace import Pace
from streamer.place import place as places
from streamer.segment.decide_event import decide
from streamer.segment.lane_day import beginning_of, stored_day
from streamer.takeover import healing


class Redecisions:
    """Decides users of one lane again, batch by batch, at a bounded pace.

    Args:
        store: the lane's side of Redis.
        saves: the lane's saves; it holds the place.
        commits: the lane's transactions.
        config: the settings of the lanes.
        watcher: receives the lane's progress.
        turn: gives the model, the sweep and the day of the next batch.
        clock: gives the present time in UTC, for ``emitted_at``.
        monotonic: gives seconds that never go backward.
    """

    def __init__(
        self,
        store: Store,
        saves: LaneSaves,
        commits: LaneCommits,
        config: LaneConfig,
        watcher: Watcher,
        turn: Callable[[], Turn],
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._store = store
        self._saves = saves
        self._commits = commits
        self._config = config
        self._watcher = watcher
        self._turn = turn
        self._clock = clock
        self._monotonic = monotonic
        self._pace = Pace(config.sweep_per_s, config.max_batch)
        # The day whose due users were all decided; unknown after a takeover.
        self._day_done: date | None = None

    def taken_over(self) -> None:
        """Look again at who is due: a takeover has changed what Redis holds."""
        self._day_done = None

    def wait_s(self) -> float | None:
        """The seconds until the next batch may begin; None if the last one left no users."""
        held = self._saves.held
        if held.swept and held.decides_on == self._day_done:
            return None
        return self._pace.wait_s(self._monotonic())

    def step(self) -> int:
        """Decide one batch of users again, if there are any; return the count."""
        turn = self._turn()
        now_s = self._monotonic()
        if self._pace.wait_s(now_s) > 0:
            return 0
        if turn.day is not None and turn.day != self._day_done:
            self._pace.began(now_s)
            decided = self._decide_due(turn, turn.day)
            if decided:
                self._pace.ended(self._monotonic(), decided)
                return decided
        if turn.sweep == self._saves.held.sweep and self._saves.held.swept:
            return 0
        self._pace.began(now_s)
        decided = self._sweep(turn)
        if decided:
            self._pace.ended(self._monotonic(), decided)
        return decided

    def _sweep(self, turn: Turn) -> int:
        """Re-decide one batch of users whom an older activation decided; return the count."""
        unswept = self._store.unswept(turn.sweep.number, self._pace.users)
        left = unswept.left
        cause = Cause(
            type="model",
            topic=self._config.topics.models,
            partition=0,
            offset=turn.model.activation,
            positions=self._commits.positions,
            day=stored_day(turn.day),
        )

        def sweep_some(user_ids: Sequence[str]) -> None:
            nonlocal left
            changes = self._decide(user_ids, turn, cause, turn.model.at, last=left == len(user_ids))
            left -= len(user_ids)
            self._watcher.swept(turn.model.activation, len(user_ids), changes, left)

        deque(healing.halved(unswept.user_ids, sweep_some))
        return len(unswept.user_ids)

    def _decide_due(self, turn: Turn, day: date) -> int:
        """Decide one batch of the users who are due on the lane's day; return the count."""
        due = self._store.due(day, self._pace.users)
        left = due.left
        cause = Cause(type="time", positions=self._commits.positions, day=day)

        def decide_some(user_ids: Sequence[str]) -> None:
            nonlocal left
            changes = self._decide(user_ids, turn, cause, beginning_of(self._config.rules, day))
            left -= len(user_ids)
            self._watcher.came_due(day, len(user_ids), changes, left)

        if due.user_ids:
            deque(healing.halved(due.user_ids, decide_some))
        else:
            if self._saves.held.decides_on != day:
                self._save([], {}, turn)
            self._watcher.came_due(day, 0, (), 0)
        if left == 0:
            self._day_done = day
        return len(due.user_ids)

    def _decide(
        self, user_ids: Sequence[str], turn: Turn, cause: Cause, occurred_at: datetime, *, last: bool = False
    ) -> list[Change]:
        """Decide these users; commit and save; return the changes.

        Args:
            user_ids: the users.
            turn: the model, the sweep and the day that decide.
            cause: the cause of the changes.
            occurred_at: the time of the cause.
            last: with these users, the sweep has reached all users.
        """
        rules, now = self._config.rules, self._clock()
        users = Users(self._store, dict.fromkeys(user_ids, ()))
        self._saves.expect(users.place)
        self._saves.expect_listed(users)
        changes: list[Change] = []
        for state in list(users):
            step = decide(state, cause, occurred_at, turn.model, rules, now)
            users.put(step.state)
            changes.extend(step.changes)
        space, similar = turn.model.release.space, self._config.similar_users
        changes = with_similar_users(changes, users, self._store, space, similar)
        writes = users.writes(turn.sweep, turn.filled, rules, turn.lane_day(rules))
        if len(user_ids) > 1:
            check_size(writes)
        reached = self._commits.commit(changes, users, turn, (), self._commits.positions) if changes else {}
        self._save(writes, reached, turn, swept=last)
        return changes

    def _save(
        self, writes: Sequence[UserWrite], reached: dict[str, int], turn: Turn, *, swept: bool = False
    ) -> None:
        self._saves.save(places.encode(self._saves.held), writes, reached, turn, swept=swept)
