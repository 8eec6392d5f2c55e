"""Decides one lane's window by several releases at once, and then the switch to the new release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from msgspec.structs import replace

from schemas import times
from schemas.outputs.segment_change import CauseType, Change, SegmentChange
from segue.refill.lane_replay import LaneWindow
from segue.rehearsal.count_moves import MoveTally
from segue.rehearsal.count_webhooks import TriggerCounts, WebhookTally, known_by, known_by_decision
from segue.triggers.policy import User
from streamer.batch.read_batch import Incoming
from streamer.batch.refusals import Refusals
from streamer.refill.replay_lane import Replay
from streamer.segment.active_model import ActiveModel
from streamer.user.order_rules import Rules
from streamer.user.user_state import Decided, UserState, decided_by


@dataclass(frozen=True, slots=True)
class Side:
    """A release with a ``min_margin``, as if it had decided the whole window.

    Attributes:
        model: the release.
        min_margin: 0 to 1, the setting of the same name.
        tally: the counts of all lanes.
        webhooks: counts the webhooks; None without a file of triggers.
    """

    model: ActiveModel
    min_margin: float
    tally: MoveTally = field(default_factory=MoveTally)
    webhooks: WebhookTally | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """A user whom the switch moves."""

    user_id: str
    previous_segment: int
    segment: int


@dataclass(slots=True)
class SwitchCounts:
    """The effect of making the new release current at the window's end, when workers decide every user.

    Attributes:
        users: the number of users with a segment.
        moved: the users who move.
        entered: the number of users who enter, by segment.
        left: the number of users who leave, by segment.
        webhooks: the webhooks for these moves, by trigger; empty without triggers.
    """

    users: int = 0
    moved: list[Moved] = field(default_factory=list)
    entered: Counter[int] = field(default_factory=Counter)
    left: Counter[int] = field(default_factory=Counter)
    webhooks: dict[str, TriggerCounts] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """The share of the users who move, 0 to 1."""
        return len(self.moved) / self.users if self.users else 0.0


class SideOfLane:
    """One side's run of a lane's window.

    A user's first event finds the user where this release would have put the user before the window. So the
    counts hold only moves that the window's events cause.

    Args:
        side: the release.
        states: by user, the state before the window.
        rules: the settings of the fold and the scoring.
        refusals: gets the events that cannot be applied.
        known: what triggers know of each user before the window.
    """

    def __init__(
        self,
        side: Side,
        states: Mapping[str, UserState],
        rules: Rules,
        refusals: Refusals,
        known: Mapping[str, User | None],
    ) -> None:
        self._tally = side.tally
        self._webhooks = side.webhooks
        self._known = known
        self._begun: set[str] = set()
        self._replay = Replay(states, side.model, replace(rules, min_margin=side.min_margin), refusals)

    def begin(self, day: date, now: datetime) -> None:
        """Let every user begin, because any user may move on a new day.

        Args:
            day: the lane's day before the window.
            now: the present time.
        """
        for state in list(self._replay.states):
            if state.facts.alive:
                self._begin(state.user_id, now, day)

    def apply(self, incoming: Incoming, day: date | None) -> tuple[Change, ...]:
        """Decide one event, count its changes and return them; the record's time is the clock.

        Args:
            incoming: the event.
            day: the lane's day; None only if no declared feature reads the day.
        """
        user_id, now = incoming.event.user_id, times.from_millis(incoming.written_ms)
        if user_id not in self._begun:
            self._begin(user_id, now, day)
        decided = self._replay.state(user_id).decided
        changes = self._replay.apply(incoming, now, day)
        return self._counted(changes, incoming.cause.type, decided)

    def decide_due(self, day: date, now: datetime) -> None:
        """Decide the users who are due on a day, and count their changes."""
        before = {state.user_id: state.decided for state in self._replay.states}
        for user_id, changes in self._replay.decide_due(day, now):
            self._counted(changes, "time", before[user_id])

    def _counted(
        self, changes: Iterable[Change], by: CauseType, decided: Decided | None
    ) -> tuple[Change, ...]:
        """Count the changes of a user, who was decided so before, and return them with this cause."""
        caused = tuple(replace(change, cause=replace(change.cause, type=by)) for change in changes)
        for change in caused:
            self._tally.add(change, by, None if decided is None else decided.segment)
            if self._webhooks is not None:
                self._webhooks.add(change)
        return caused

    def _begin(self, user_id: str, now: datetime, day: date | None) -> None:
        self._begun.add(user_id)
        moved = self._replay.redecide(user_id, now, day)
        if self._webhooks is not None:
            self._webhooks.meet(user_id, self._known.get(user_id))
            for change in moved:
                self._webhooks.learn(change)

    def end(self) -> Mapping[str, UserState]:
        """Return every user's state after the window."""
        return {state.user_id: state for state in self._replay.states}


@dataclass(slots=True)
class WindowCounts:
    """The window's size over all lanes.

    Attributes:
        events: the number of events.
        users: the number of users with an event.
    """

    events: int = 0
    users: int = 0


def known_before(window: LaneWindow) -> dict[str, User | None]:
    """Return what triggers know of each user before the window.

    The user's newest decision counts. Its change says more than the state: a provisional change also names
    the segment before it. Older changes do not count, although the log may still have them after a bootstrap
    has written newer states.
    """
    decided = {user_id: state.decided for user_id, state in window.states.items()}
    known = {user_id: None if each is None else known_by_decision(each) for user_id, each in decided.items()}
    for change in window.changes_before():
        newest = decided.get(change.user_id)
        if isinstance(change, SegmentChange) and newest == decided_by(change, ""):
            known[change.user_id] = known_by(change)
    return known


def rehearse_lane(
    window: LaneWindow,
    current: Side,
    others: Sequence[Side],
    refusals: Refusals,
    known: Mapping[str, User | None],
    now: datetime,
) -> tuple[WindowCounts, Mapping[str, UserState]]:
    """Decide a lane's window by each side, and fill the sides' tallies.

    Args:
        window: the lane's window.
        current: the current release.
        others: the new release, and variants of it.
        refusals: gets the window's events that cannot be applied.
        known: what triggers know of each user before the window; needed if a side counts webhooks.
        now: the present time.

    Returns:
        The window's size, and the users' states after it by the current release.
    """
    first = SideOfLane(current, window.states, window.rules, refusals, known)
    sides = [first, *(SideOfLane(side, window.states, window.rules, Refusals(), known) for side in others)]
    events, users = 0, set()
    first_day = window.first_day(now)
    if first_day is not None:
        for side in sides:
            side.begin(first_day, now)
    for day, incoming in window.steps(now):
        if incoming is not None:
            events += 1
            users.add(incoming.event.user_id)
        for side in sides:
            if incoming is not None:
                side.apply(incoming, day)
            elif day is not None:
                side.decide_due(day, now)
    return WindowCounts(events, len(users)), first.end()


def count_switch(
    window: LaneWindow,
    states: Mapping[str, UserState],
    new: Side,
    switch: SwitchCounts,
    webhooks: WebhookTally | None,
    known: Mapping[str, User | None],
) -> None:
    """Count the users whom the new release moves at the window's end, as the workers' sweep will.

    Args:
        window: the lane's window; its live decisions are the users' present segments.
        states: by user, the state after the window.
        new: the new release.
        switch: gets the counts.
        webhooks: counts the webhooks; it knows the users with a live change in the window. None without
            triggers.
        known: what triggers know of each user before the window; needed to count webhooks.
    """
    last = window.live.last
    decided = {
        user_id: replace(state, decided=last.get(user_id, state.decided)) for user_id, state in states.items()
    }
    sweep = Replay(decided, new.model, replace(window.rules, min_margin=new.min_margin), Refusals())
    day = window.present_day(new.model.at)
    for user_id, state in decided.items():
        switch.users += state.facts.alive and state.decided is not None
        for change in sweep.redecide(user_id, new.model.at, day):
            if webhooks is not None:
                if user_id not in window.live.within:
                    webhooks.meet(user_id, known.get(user_id))
                webhooks.add(change)
            if not isinstance(change, SegmentChange) or change.kind != "moved":
                continue
            if change.previous_segment is not None:
                switch.moved.append(Moved(user_id, change.previous_segment, change.segment))
                switch.left[change.previous_segment] += 1
                switch.entered[change.segment] += 1
