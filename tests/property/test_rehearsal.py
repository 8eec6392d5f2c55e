"""What a rehearsal predicts is what workers do: over the window, and when the new release becomes current."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from schemas.input_events import Event, Item, Order, UserErased
from schemas.inputs.decode import encode_order, encode_signup
from schemas.outputs.segment_change import Change, SegmentChange
from schemas.release.model_release import ModelRelease
from segue.refill.lane_replay import LaneWindow
from segue.rehearsal.count_moves import MoveCounts, MoveTally
from segue.rehearsal.count_webhooks import TriggerCounts, WebhookTally
from segue.rehearsal.dry_run_triggers import count_from
from segue.rehearsal.rehearse_lane import Side, SideOfLane
from segue.rehearsal.rehearse_log import RehearsalRun
from segue.rehearsal.suggest_margin import MarginTrial
from segue.triggers.file.trigger_file import Trigger, Triggers
from segue.triggers.trigger_lane import TriggerLane
from segue.triggers.webhook_post import Posted
from streamer.batch.refusals import Refusals
from streamer.in_memory import MemoryKafka, MemoryLog
from streamer.segment.active_model import ActiveModel
from streamer.segment.scoring import Scorer
from tests.support.worlds.lane_world import NOW, World, a_signup, drain_all
from tests.support.worlds.made_up_release import CENTRES, a_release, an_active_model
from tests.support.worlds.memory_copy import MemoryCopy
from tests.support.worlds.replays import a_window

EXCLUDED = ("Cancelled",)
CURRENT = a_release(exclude_statuses=EXCLUDED)
# Centres turned a little, another space, and one segment less.
TURNED = ((1.3, 0.7), (-0.7, 1.3), (-1.3, -0.7), (0.7, -1.3))
NEW = {
    "same space": a_release(centres=TURNED, exclude_statuses=EXCLUDED),
    "new space": a_release(centres=TURNED, scale=0.8, exclude_statuses=EXCLUDED),
    "other k": a_release(centres=CENTRES[:3], exclude_statuses=EXCLUDED),
}
SWEPT = frozenset({"model"})
TRIGGERS = Triggers(
    (
        Trigger(name="often", on="entering", segment="segment 1", url="http://x", reentry="always"),
        Trigger(name="once", on="leaving", segment=0, url="http://x", provisional=True),
        Trigger(name="later", on="entering", segment=2, url="http://x", reentry=timedelta(days=2)),
        Trigger(name="share", on="moving", origin=1, target=0, url="http://x", reentry="always", holdout=0.5),
        Trigger(name="named", on="leaving", segment="segment 1", url="http://x", reentry="always"),
        Trigger(name="gone", on="erased", url="http://x"),
        *(
            Trigger(name=f"swept {on} {s}", on=on, segment=f"segment {s}", url="http://x", causes=SWEPT)
            for s in range(4)
            for on in ("entering", "leaving")
        ),
    ),
    max_per_day=2,
    time_zone="Europe/Madrid",
)
BRANDS = ("Allegra K", "Carhartt", "Ön", "unknown")


def some_events(seed: int, count: int, begin: datetime, users: int = 30) -> list[Event]:
    """Return signups, orders and now and then an erasure of a few users, one an hour."""
    rng = random.Random(seed)
    found: list[Event] = []
    for number in range(count):
        user_id, at = f"u{rng.randrange(users)}", begin + timedelta(hours=number)
        kind = rng.random()
        if kind < 0.04:
            found.append(UserErased(user_id, at))
        elif kind < 0.3:
            where = {"country": rng.choice(("España", "Spain")), "traffic_source": "Email"}
            age, gender = rng.randrange(12, 90), rng.choice("FM")
            found.append(a_signup(user_id, created_at=at, age=age, gender=gender, **where))
        else:
            items = tuple(Item(rng.choice(BRANDS), rng.choice(("Jeans", "Socks"))) for _ in range(2))
            status = rng.choice(("Complete", "Complete", *EXCLUDED))
            found.append(Order(user_id, f"{seed}-{number}", at, items, status=status))
    return found


class Shop:
    """A world whose clock goes with its events, and whose lanes decide each event at once.

    With ``rekey`` all events come on partition 0 of 2.
    """

    def __init__(self, min_margin: float, *, rekey: bool = False) -> None:
        self.world = World(1 + rekey, exclude=EXCLUDED, rekey=rekey)
        config = self.world.config
        self.world.config = replace(config, rules=replace(config.rules, min_margin=min_margin))
        self.lanes = [self.world.take_over(partition) for partition in range(self.world.partitions)]
        self._seen: set[str] = set()
        self._trigger_lanes: list[TriggerLane] = []
        self.received: dict[str, Counter[str]] = defaultdict(Counter)

    def live(self, events: Sequence[Event]) -> None:
        for event in events:
            self.world.now = event.at
            topic = self.world.topics.orders if isinstance(event, Order) else self.world.topics.signups
            key, value = encode_order(event) if isinstance(event, Order) else encode_signup(event)
            written = None if self.world.topics.rekey else key
            self.world.kafka.append(topic, 0, written, value, int(event.at.timestamp() * 1000))
            drain_all(self.lanes)
            for lane in self._trigger_lanes:
                lane.step(0.0)

    def start_triggers(self) -> None:
        """Start the triggers, whose receivers answer at once."""
        world, topics = self.world, self.world.topics
        kafka = MemoryKafka(dict(world.kafka.topics))  # the same topics for another group
        for topic in (topics.trigger_ledger, topics.trigger_dead_letters):
            kafka.create(topic, world.partitions)
        for partition in range(world.partitions):
            lane = TriggerLane(
                partition,
                "segue-triggers",
                MemoryLog(kafka, partition, (topics.changes,)),
                MemoryCopy(),
                topics,
                TRIGGERS,
                Receiver(self.received),
                lambda: self.world.now,
            )
            lane.take_over()
            self._trigger_lanes.append(lane)

    def switch(self, activation: int, release: ModelRelease) -> None:
        """Make a release current, and let the lanes decide everybody."""
        self.world.models.model = ActiveModel(
            release, Scorer(release), activation, "segment-models#0", self.world.now
        )
        drain_all(self.lanes)
        for lane in self._trigger_lanes:
            lane.step(0.0)

    def new_changes(self) -> list[Change]:
        """Return the changes since the last call, by lane."""
        found = [change for change in self.world.changes() if change.event_id not in self._seen]
        self._seen |= {change.event_id for change in found}
        return found

    def positions(self) -> list[Mapping[str, int]]:
        return [lane.positions for lane in self.lanes]

    def segments(self) -> dict[str, int | None]:
        states = (self.world.state(user_id) for user_id in self.world.redis.users)
        return {s.user_id: None if s.decided is None else s.decided.segment for s in states}


class Receiver:
    """Takes every webhook at once, and counts it by trigger and day."""

    def __init__(self, received: dict[str, Counter[str]]) -> None:
        self._received = received
        self._ended: list[tuple[int, str, Posted]] = []

    def send(self, trigger: str, change: Change, number: int) -> None:
        zone = ZoneInfo(TRIGGERS.time_zone)
        self._received[trigger][f"{change.emitted_at.astimezone(zone):%Y-%m-%d}"] += 1
        self._ended.append((number, trigger, Posted()))

    def ended(self, timeout_s: float = 0.0) -> list[tuple[int, str, Posted]]:
        ended, self._ended = self._ended, []
        return ended

    def forget(self) -> None:
        self._ended.clear()

    def finish(self) -> None:
        pass


def by_day(webhooks: Mapping[str, TriggerCounts]) -> dict[str, dict[str, int]]:
    """Return the predicted webhooks by trigger and day, without zeros."""
    return {
        name: {day: sent for day, sent in counts.by_day.items() if sent}
        for name, counts in webhooks.items()
        if counts.sent
    }


def told(change: Change) -> tuple[object, ...]:
    """A change as both runs must have it."""
    cause = change.cause
    if isinstance(change, SegmentChange):
        return change.user_id, change.kind, change.previous_segment, change.segment, cause.topic, cause.offset
    return change.user_id, change.kind, cause.topic, cause.offset


def counted(changes: Sequence[Change], before: Mapping[str, int | None]) -> MoveCounts:
    """Count observed changes. ``before`` has each user's segment at the window's beginning."""
    tally, present = MoveTally(), dict(before)
    for change in changes:
        tally.add(change, change.cause.type, present.get(change.user_id))
        present[change.user_id] = change.segment if isinstance(change, SegmentChange) else None
    return tally.counts


@pytest.mark.parametrize("rekey", [False, True])
@pytest.mark.parametrize("min_margin", [0.0, 0.1])
@pytest.mark.parametrize("name", NEW)
def test_predicted_and_observed_are_equal(name: str, min_margin: float, rekey: bool) -> None:
    past, later = some_events(1, 150, NOW), some_events(2, 250, NOW + timedelta(days=10))
    now = Shop(min_margin, rekey=rekey)
    now.live(past)
    now.start_triggers()
    cuts, before, _ = now.positions(), now.segments(), now.new_changes()
    now.live(later)
    observed = now.new_changes()

    new = ActiveModel(NEW[name], Scorer(NEW[name]), -1, "", later[-1].at)
    run = RehearsalRun(an_active_model(0, CURRENT), new, min_margin, NOW, NOW, TRIGGERS)
    windows = [a_window(now.world, cut, lane=lane) for lane, cut in enumerate(cuts)]
    for window in windows:
        run.lane(window)
    done = run.done

    # The current release, as the workers decided.
    assert done.current.counts == counted(observed, before) == done.live
    assert done.current.counts.moves["order"] > 10
    assert done.current.counts.flaps > 0
    assert done.current.counts.erased_users > 0
    assert (done.events, done.undecided_before) == (len(later), 0)
    assert predicted(windows, CURRENT, min_margin) == [told(change) for change in observed]

    # The webhooks: predicted, as the triggers sent them, and counted from the real changes.
    assert by_day(done.current.webhooks) == now.received
    assert done.current.webhooks == done.live_webhooks
    assert set(now.received) == {each.name for each in TRIGGERS.triggers if each.causes != SWEPT}
    dry = WebhookTally(TRIGGERS)
    count_from(dry, now.world.changes(), later[0].at)
    assert dry.counts == done.live_webhooks

    # The switch, as the sweep does it, and its webhooks.
    sent = {trigger: Counter(days) for trigger, days in now.received.items()}
    now.switch(1, NEW[name])
    by_switch = {trigger: days - sent.get(trigger, Counter()) for trigger, days in now.received.items()}
    assert any(each.sent for each in done.switch.webhooks.values())
    assert by_day(done.switch.webhooks) == {trigger: days for trigger, days in by_switch.items() if days}
    swept = [c for c in now.new_changes() if isinstance(c, SegmentChange) and c.kind == "moved"]
    assert {c.cause.type for c in swept} == {"model"}
    assert sorted((m.user_id, m.previous_segment, m.segment) for m in done.switch.moved) == sorted(
        (c.user_id, c.previous_segment, c.segment) for c in swept
    )
    assert done.switch.users == sum(segment is not None for segment in now.segments().values())

    # The new release, in a shop where it was current from the window's beginning.
    then = Shop(min_margin, rekey=rekey)
    then.live(past)
    then.switch(1, NEW[name])
    then.start_triggers()
    before, _ = then.segments(), then.new_changes()
    then.live(later)
    observed = then.new_changes()
    assert by_day(done.new.webhooks) == then.received
    assert predicted(windows, NEW[name], min_margin) == [told(change) for change in observed]
    assert done.new.counts == counted(observed, before) != done.current.counts

    # What was tried with another margin is what a rehearsal with that margin says.
    other = 0.1 - min_margin
    tried = RehearsalRun(an_active_model(0, CURRENT), new, other, NOW, NOW)
    for window in windows:
        tried.lane(window)
    counts = tried.done.new.counts
    expected = MarginTrial(other, counts.flapping_users, counts.flaps, counts.moving_users)
    assert [trial for trial in done.trials if trial.min_margin == other] == [expected]


def predicted(
    windows: Sequence[LaneWindow], release: ModelRelease, min_margin: float
) -> list[tuple[object, ...]]:
    found = []
    for window in windows:
        side = Side(an_active_model(-1, release), min_margin)
        lane = SideOfLane(side, window.states, window.rules, Refusals(), {})
        found += [told(change) for incoming in window.events() for change in lane.apply(incoming, None)]
    return found


def test_who_was_never_decided_by_the_current_release_begins_with_it() -> None:
    """An older release decided live: its decisions are neither moves nor flaps of the current release."""
    shop = Shop(0.0)
    shop.live(some_events(1, 150, NOW))
    (cut,) = shop.positions()
    shop.live(some_events(2, 100, NOW + timedelta(days=10)))
    new = an_active_model(1, NEW["same space"])

    run = RehearsalRun(new, new, 0.0, NOW, NOW)
    run.lane(a_window(shop.world, cut))

    assert run.done.current.counts == run.done.new.counts
    assert run.done.live != run.done.current.counts
    assert run.done.live_versions == {CURRENT.version}
    # But the switch begins where the older release has put the users.
    shop.new_changes()
    shop.switch(1, NEW["same space"])
    assert len(run.done.switch.moved) == sum(change.kind == "moved" for change in shop.new_changes()) > 0
    then = Shop(0.0)
    then.switch(1, NEW["same space"])
    then.live(some_events(1, 150, NOW))
    before, _ = then.segments(), then.new_changes()
    then.live(some_events(2, 100, NOW + timedelta(days=10)))
    assert run.done.current.counts == counted(then.new_changes(), before)
