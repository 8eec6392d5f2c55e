"""The laws of the triggers' rules, over generated histories of one user and generated triggers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from schemas.outputs.segment_change import Cause, Change, SegmentChange, UserErasedChange
from segue.triggers.file.trigger_file import On, Trigger, Triggers
from segue.triggers.policy import Entry, Outcome, User, decide, held_out
from tests.support.inputs.made_change import a_change

START = datetime(2024, 12, 1, 22, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ZONE = "Pacific/Auckland"


class Decision(Struct, frozen=True):
    """One change, when it was decided, and what came of it."""

    change: Change
    now: datetime
    outcomes: dict[str, Outcome]


hours = st.integers(0, 60).map(lambda n: timedelta(hours=n))
lengths = st.integers(1, 10).map(lambda n: n * DAY / 2)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Change, datetime]]:
    """The changes of one user as lanes write them, each with the time at which it is decided."""
    changes: list[tuple[Change, datetime]] = []
    at, provisional = START, False
    segment: int | None = None
    for number in range(draw(st.integers(1, 25))):
        at += draw(hours)
        late = draw(hours) if draw(st.booleans()) else timedelta()
        base: dict[str, Any] = {"event_id": f"{number:032x}", "occurred_at": at, "emitted_at": at}
        if segment is not None and draw(st.integers(0, 9)) == 0:
            gone = UserErasedChange(**base, user_id="7", sequence=1, cause=Cause(type="signup"))
            changes.append((gone, at + late))
            segment = None
            continue
        cause = Cause(type=draw(st.sampled_from(["signup", "order", "model"])))
        before, stays = segment, segment is not None and draw(st.booleans())
        if stays:
            provisional = not provisional
        else:
            segment = draw(st.sampled_from([each for each in range(3) if each != before]))
            provisional = draw(st.booleans())
        kind = ("unconfirmed" if provisional else "confirmed") if stays else "moved"
        fields = {"kind": kind, "previous_segment": before, "segment": segment, "provisional": provisional}
        changes.append((a_change(**base, **fields, cause=cause), at + late))
    now = START
    made = []
    for change, decided_at in changes:
        now = max(now, decided_at)
        made.append((change, now))
    return made


@st.composite
def triggers(draw: st.DrawFn) -> Triggers:
    made = []
    for number in range(draw(st.integers(1, 4))):
        on: On = draw(st.sampled_from(["entering", "leaving", "moving"]))
        origin, target = draw(st.permutations(range(3)))[:2]
        made.append(
            Trigger(
                name=f"t{number}",
                on=on,
                segment=None if on == "moving" else origin,
                origin=origin if on == "moving" else None,
                target=target if on == "moving" else None,
                url="http://x",
                reentry=draw(st.one_of(st.sampled_from(["never", "always"]), lengths)),
                cooldown=draw(st.none() | lengths),
                max_age=draw(lengths),
                causes=draw(st.sampled_from([frozenset({"order"}), frozenset({"order", "signup", "model"})])),
                provisional=draw(st.booleans()),
                holdout=draw(st.sampled_from([0.0, 0.5])),
            )
        )
    return Triggers(tuple(made), draw(st.none() | st.integers(1, 2)), ZONE)


def told(file: Triggers, history: Sequence[tuple[Change, datetime]]) -> list[Decision]:
    user, entries = User(), dict[str, Entry]()
    decisions = []
    for change, now in history:
        decided = decide(file, change, user, entries, now)
        assert decided == decide(file, change, user, dict(entries), now)
        user = decided.user or User()
        entries = {} if decided.user is None else {**entries, **decided.entries}
        decisions.append(Decision(change, now, dict(decided.outcomes)))
    return decisions


def acts(decisions: Sequence[Decision], name: str) -> list[Decision]:
    return [each for each in decisions if each.outcomes[name].action != "skipped"]


def lives(decisions: Sequence[Decision]) -> list[list[Decision]]:
    """The decisions between erasures."""
    return [
        list(group)
        for alive, group in groupby(decisions, lambda each: isinstance(each.change, SegmentChange))
        if alive
    ]


@given(triggers(), histories())
def test_each_change_has_one_outcome_of_each_trigger(
    file: Triggers, history: list[tuple[Change, datetime]]
) -> None:
    names = [each.name for each in file.triggers]
    assert all(list(each.outcomes) == names for each in told(file, history))


@given(triggers(), histories())
def test_reentry_cause_age_and_holdout_hold(file: Triggers, history: list[tuple[Change, datetime]]) -> None:
    decisions = told(file, history)
    for trigger in file.triggers:
        for life in lives(decisions):
            acted = acts(life, trigger.name)
            assert trigger.reentry != "never" or len(acted) <= 1
            if isinstance(trigger.reentry, timedelta):
                assert all(b.now - a.now >= trigger.reentry for a, b in pairwise(acted))
            for each in acted:
                assert each.change.cause.type in trigger.causes
                assert each.now - each.change.emitted_at <= trigger.max_age
                out = held_out(trigger.name, "7", trigger.holdout)
                assert each.outcomes[trigger.name] == Outcome("held_out" if out else "send")


@given(triggers(), histories())
def test_cooldown_and_the_most_of_a_day_hold_over_all_triggers(
    file: Triggers, history: list[tuple[Change, datetime]]
) -> None:
    for life in lives(told(file, history)):
        sent = [
            (each.now, trigger)
            for each in life
            for trigger in file.triggers
            if each.outcomes[trigger.name].action == "send"
        ]
        for (before, _), (now, trigger) in pairwise(sent):
            assert trigger.cooldown is None or now - before >= trigger.cooldown
        days = Counter(now.astimezone(ZoneInfo(ZONE)).date() for now, _ in sent)
        assert file.max_per_day is None or max(days.values(), default=0) <= file.max_per_day


@given(histories(), st.integers(0, 2))
def test_a_user_enters_once_for_each_run_of_firm_records(
    history: list[tuple[Change, datetime]], segment: int
) -> None:
    """By the firm records alone, in another way than the code: neighbours that are equal count once."""
    everything = frozenset({"order", "signup", "model"})
    free = {"reentry": "always", "causes": everything, "max_age": 1_000 * DAY, "url": "http://x"}
    entering = Trigger(name="e", on="entering", segment=segment, **free)  # type: ignore[arg-type]
    leaving = Trigger(name="l", on="leaving", segment=segment, **free)  # type: ignore[arg-type]
    for life in lives(told(Triggers((entering, leaving)), history)):
        firm = [
            c.segment
            for c in (each.change for each in life)
            if isinstance(c, SegmentChange) and not c.provisional
        ]
        runs = [number for number, _ in groupby(firm)]
        assert len(acts(life, "e")) == runs.count(segment)
        assert len(acts(life, "l")) == runs[:-1].count(segment)
