"""What a rehearsal predicts is what workers do: over the window, and when the new release becomes current."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace

from schemas.input_events import Event, Item, Order, UserErased
from schemas.inputs.decode import encode_order, encode_signup
from schemas.outputs.segment_change import Change, SegmentChange
from schemas.release.model_release import ModelRelease
from segue.refill.lane_replay import LaneWindow
from segue.rehearsal.count_moves import MoveCounts, MoveTally
from segue.rehearsal.rehearse_lane import Side, SideOfLane
from segue.rehearsal.rehearse_log import RehearsalRun
from streamer.batch.refusals import Refusals
from tests.support.worlds import lane_world
from tests.support.worlds.lane_world import NOW, World, a_signup, drain
from tests.support.worlds.made_up_release import CENTRES, a_release, an_active_model
from tests.support.worlds.replays import a_window

CURRENT = a_release()
# Centres turned a little, another space, and one segment less.
TURNED = ((1.3, 0.7), (-0.7, 1.3), (-1.3, -0.7), (0.7, -1.3))
NEW = {
    "same space": a_release(centres=TURNED),
    "new space": a_release(centres=TURNED, scale=0.8),
    "other k": a_release(centres=CENTRES[:3]),
}
BRANDS = ("Allegra K", "Carhartt", "Ön", "unknown")


def some_events(seed: int, count: int, users: int = 12) -> list[Event]:
    """Return signups, orders and now and then an erasure of a few users, one hour after the other."""
    rng = random.Random(seed)
    found: list[Event] = []
    for number in range(count):
        user_id, at = f"u{rng.randrange(users)}", NOW + timedelta(hours=number)
        kind = rng.random()
        if kind < 0.04:
            found.append(UserErased(user_id, at))
        elif kind < 0.3:
            found.append(a_signup(user_id, created_at=at, age=rng.randrange(12, 90), gender=rng.choice("FM")))
        else:
            items = tuple(Item(rng.choice(BRANDS), rng.choice(("Jeans", "Socks"))) for _ in range(2))
            found.append(Order(user_id, f"{seed}-{number}", at, items))
    return found


class Shop:
    """A world whose clock goes with its events, and whose lane decides each event at once."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, min_margin: float, exclude: Sequence[str] = ()
    ) -> None:
        self.world = World(1, max_batch=3, exclude=exclude)
        config = self.world.config
        self.world.config = replace(config, rules=replace(config.rules, min_margin=min_margin))
        self.lane = self.world.take_over()
        self._monkeypatch = monkeypatch

    def live(self, events: Sequence[Event]) -> None:
        for event in events:
            at = event.at
            self._monkeypatch.setattr(lane_world, "NOW", at)
            topic = self.world.topics.orders if isinstance(event, Order) else self.world.topics.signups
            key, value = encode_order(event) if isinstance(event, Order) else encode_signup(event)
            self.world.kafka.append(topic, 0, key, value, int(at.timestamp() * 1000))
            drain(self.lane)

    def switch(self, activation: int, release: ModelRelease) -> None:
        """Make a release current, and let the lane decide everybody."""
        self.world.models.model = an_active_model(activation, release)
        drain(self.lane)

    def changes_since(self, number: int) -> list[Change]:
        return self.world.changes()[number:]


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


def segments_of(world: World) -> dict[str, int | None]:
    states = (world.state(user_id) for user_id in world.redis.users)
    return {s.user_id: None if s.decided is None else s.decided.segment for s in states}


@pytest.mark.parametrize("min_margin", [0.0, 0.15])
@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize("seed", range(3))
def test_predicted_and_observed_are_equal(
    monkeypatch: pytest.MonkeyPatch, name: str, seed: int, min_margin: float
) -> None:
    past, later = some_events(seed, 120), some_events(seed + 100, 200)
    later = [_later(event, timedelta(days=10)) for event in later]
    now, then = Shop(monkeypatch, min_margin), Shop(monkeypatch, min_margin)
    now.live(past)
    cut, before, known = now.lane.positions, segments_of(now.world), len(now.world.changes())
    now.live(later)
    observed = now.changes_since(known)

    run = RehearsalRun(an_active_model(), an_active_model(-1, NEW[name]), min_margin, NOW, NOW)
    run.lane(a_window(now.world, cut))
    done = run.done

    # The current release, as the worker decided.
    assert done.current.counts == counted(observed, before) == done.live
    assert done.current.counts.moves["order"] > 10
    assert done.current.counts.flaps > 0
    assert done.events == len(later)
    window = a_window(now.world, cut)
    assert predicted(window, CURRENT, min_margin) == [told(change) for change in observed]

    # The switch, as the sweep does it.
    known = len(now.world.changes())
    now.switch(1, NEW[name])
    swept = [c for c in now.changes_since(known) if isinstance(c, SegmentChange) and c.kind == "moved"]
    assert {c.cause.type for c in swept} == {"model"}
    assert {(m.user_id, m.previous_segment, m.segment) for m in done.switch.moved} == {
        (c.user_id, c.previous_segment, c.segment) for c in swept
    }
    assert done.switch.users == sum(segment is not None for segment in segments_of(now.world).values())

    # The new release, in a shop where it was current from the window's beginning.
    then.live(past)
    then.switch(1, NEW[name])
    before, known = segments_of(then.world), len(then.world.changes())
    then.live(later)
    observed = then.changes_since(known)
    assert predicted(a_window(now.world, cut), NEW[name], min_margin) == [told(c) for c in observed]
    assert done.new.counts == counted(observed, before)


def _later(event: Event, by: timedelta) -> Event:
    if isinstance(event, UserErased):
        return replace(event, erased_at=event.erased_at + by)
    return replace(event, created_at=event.created_at + by)


def predicted(window: LaneWindow, release: ModelRelease, min_margin: float) -> list[tuple[object, ...]]:
    side = SideOfLane(Side(an_active_model(-1, release), min_margin), window.states, window.rules, Refusals())
    return [told(change) for incoming in window.events() for change in side.apply(incoming)]
