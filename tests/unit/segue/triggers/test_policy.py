"""What each rule says, by example; the changes of a user are written as a short history."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.outputs.segment_change import Cause, CauseType, Change, UserErasedChange
from segue.triggers.file.trigger_file import Trigger, Triggers
from segue.triggers.firm_segment import Segment, Whereabouts
from segue.triggers.policy import Entry, User, decide, held_out
from tests.support.inputs.made_change import a_change

AT = datetime(2024, 12, 3, 19, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def a_trigger(name: str = "t", **fields: Any) -> Trigger:
    return Trigger(
        **{"name": name, "on": "entering", "segment": 1, "url": "http://x", "reentry": "always", **fields}
    )


def at(when: datetime, segment: int, **fields: Any) -> Change:
    names = {0: "calm", 1: "At risk", 2: "Champions"}
    return a_change(segment=segment, segment_name=names[segment], emitted_at=when, occurred_at=when, **fields)


def erased(when: datetime = AT) -> Change:
    cause = Cause(type="signup")
    return UserErasedChange(
        event_id="e", user_id="7", sequence=9, occurred_at=when, emitted_at=when, cause=cause
    )


def told(triggers: Triggers, *changes: Change, late: timedelta = timedelta()) -> list[tuple[str, ...]]:
    """What each trigger does with each change, decided when the change is written, or later."""
    user = User()  # a new user
    entries: dict[str, Entry] = {}
    said = []
    for change in changes:
        decided = decide(triggers, change, user, entries, change.emitted_at + late)
        user = decided.user or User()
        entries = {} if decided.user is None else {**entries, **decided.entries}
        said.append(tuple(str(decided.outcomes[each.name]) for each in triggers.triggers))
    return said


def one(trigger: Trigger, *changes: Change, late: timedelta = timedelta()) -> list[str]:
    return [each for (each,) in told(Triggers((trigger,)), *changes, late=late)]


def test_a_user_who_comes_enters() -> None:
    assert one(a_trigger(), at(AT, 1), at(AT, 0), at(AT, 1)) == ["send", "skipped: other", "send"]
    assert one(a_trigger(segment="At risk"), at(AT, 0), at(AT, 1)) == ["skipped: other", "send"]


def test_a_provisional_signup_enters_nothing_until_it_is_firm() -> None:
    signup = at(AT, 1, provisional=True, previous_segment=None)
    assert one(a_trigger(), signup, at(AT, 1, kind="confirmed")) == ["skipped: other", "send"]
    assert one(a_trigger(), signup, at(AT, 0), at(AT, 1)) == ["skipped: other", "skipped: other", "send"]


def test_confirmed_in_the_same_firm_segment_is_no_second_entry() -> None:
    history = [at(AT, 1), at(AT, 1, kind="unconfirmed", provisional=True), at(AT, 1, kind="confirmed")]
    assert one(a_trigger(), *history) == ["send", "skipped: other", "skipped: other"]


def test_a_provisional_trigger_acts_at_once_and_once() -> None:
    signup = at(AT, 1, provisional=True, previous_segment=None)
    assert one(a_trigger(provisional=True), signup, at(AT, 1, kind="confirmed")) == ["send", "skipped: other"]


def test_leaving_and_moving_need_a_firm_segment_before() -> None:
    leaving, moving = a_trigger("l", on="leaving"), a_trigger("m", on="moving", origin="At risk", target=2)
    both = Triggers((leaving, moving))
    history = [at(AT, 1), at(AT, 2, provisional=True), at(AT, 2, kind="confirmed"), at(AT, 0)]
    nothing = ("skipped: other", "skipped: other")
    assert told(both, *history) == [nothing, nothing, ("send", "send"), nothing]
    assert told(both, at(AT, 1), at(AT, 0)) == [nothing, ("send", "skipped: other")]


def test_an_erasure_forgets_and_only_a_trigger_on_it_tells() -> None:
    both = Triggers((a_trigger(reentry="never"), Trigger(name="e", on="erased", url="http://x")))
    assert told(both, at(AT, 1), erased(), at(AT, 1)) == [
        ("send", "skipped: other"),
        ("skipped: other", "send"),
        ("send", "skipped: other"),
    ]


def test_reentry() -> None:
    history = [at(AT, 1), at(AT, 0), at(AT + 29 * DAY, 1), at(AT + 29 * DAY, 0), at(AT + 30 * DAY, 1)]
    entries = [0, 2, 4]
    for reentry, said in (
        ("never", ["send", "skipped: reentry", "skipped: reentry"]),
        ("always", ["send", "send", "send"]),
        (30 * DAY, ["send", "skipped: reentry", "send"]),
    ):
        found = one(a_trigger(reentry=reentry), *history)
        assert [found[entry] for entry in entries] == said


def test_a_cooldown_counts_from_any_triggers_webhook() -> None:
    both = Triggers((a_trigger("a"), a_trigger("b", segment=2, cooldown=7 * DAY)))
    history = [at(AT, 1), at(AT + 6 * DAY, 2), at(AT + 7 * DAY, 0), at(AT + 7 * DAY, 2)]
    assert [b for _, b in told(both, *history)] == [
        "skipped: other",
        "skipped: cooldown",
        "skipped: other",
        "send",
    ]


def test_the_most_of_a_day_counts_all_triggers_and_ends_at_midnight_in_the_zone() -> None:
    pair = (a_trigger("a"), a_trigger("b", segment=2))
    late = datetime(2024, 12, 3, 22, 30, tzinfo=UTC)  # 23:30 in Madrid
    history = [at(late, 1), at(late, 2), at(late + timedelta(hours=1), 1)]
    assert told(Triggers(pair, 1, "Europe/Madrid"), *history) == [
        ("send", "skipped: other"),
        ("skipped: other", "skipped: max_per_day"),
        ("send", "skipped: other"),
    ]
    assert told(Triggers(pair, 1), *history)[2] == ("skipped: max_per_day", "skipped: other")


def test_what_is_too_old_is_skipped_and_still_remembered() -> None:
    trigger = a_trigger(max_age=2 * DAY)
    assert one(trigger, at(AT, 1), late=2 * DAY) == ["send"]
    assert one(trigger, at(AT, 1), late=2 * DAY + timedelta(seconds=1)) == ["skipped: too_old"]
    # An old order that arrives today moved the user long ago.
    old = a_change(segment=1, emitted_at=AT, occurred_at=AT - 3 * DAY)
    assert one(trigger, old, at(AT, 1)) == ["skipped: too_old", "skipped: other"]


@pytest.mark.parametrize("cause", ["model", "bootstrap", "replay"])
def test_only_the_causes_that_were_asked_for(cause: CauseType) -> None:
    moved = at(AT, 1, cause=Cause(type=cause))
    assert one(a_trigger(), moved, at(AT, 1, kind="confirmed")) == ["skipped: cause", "skipped: other"]
    assert one(a_trigger(causes=frozenset({cause})), moved) == ["send"]


def test_who_is_held_out_passed_all_other_rules_and_takes_no_place_of_the_day() -> None:
    always = a_trigger("a", holdout=0.999999999999, reentry="never")
    both = Triggers((always, a_trigger("b")), 1)
    assert told(both, at(AT, 1)) == [("held_out", "send")]
    assert told(both, at(AT, 1), at(AT, 0), at(AT, 1))[2] == ("skipped: reentry", "skipped: max_per_day")


def test_a_holdout_is_the_share_of_the_users_and_differs_between_triggers() -> None:
    users = [str(number) for number in range(20_000)]
    share = Counter(held_out("a", user, 0.1) for user in users)[True] / len(users)
    assert abs(share - 0.1) < 0.01
    both = sum(held_out("a", user, 0.1) and held_out("b", user, 0.1) for user in users) / len(users)
    assert abs(both - 0.01) < 0.004
    assert not any(held_out("a", user, 0.0) for user in users[:100])
    # A larger share holds out the same users and more.
    assert all(held_out("a", user, 0.2) for user in users if held_out("a", user, 0.1))


def test_the_holdout_is_this_hash() -> None:
    """Worked out with `printf 'win_back\\n4711' | sha256sum`, whose first 8 bytes are read as a share."""
    share = 0x6DF2B88622CA48DD / 2**64
    assert held_out("win_back", "4711", share + 1e-9)
    assert not held_out("win_back", "4711", share - 1e-9)


def test_the_entry_says_when_and_how_often() -> None:
    trigger = Triggers((a_trigger(),))
    first = decide(trigger, at(AT, 1), User(), {}, AT)
    later = decide(trigger, at(AT + DAY, 0), first.user, first.entries, AT + DAY)
    assert later.entries == {}
    again = decide(trigger, at(AT + DAY, 1, event_id="b"), later.user, first.entries, AT + DAY)
    assert again.entries["t"] == Entry("b", AT + DAY, AT, 2, "sent")
    assert again.user is not None
    assert (again.user.sent_at, again.user.day, again.user.sends) == (AT + DAY, "2024-12-04", 1)


def test_a_segment_that_is_known_by_its_id_has_the_releases_name() -> None:
    """So is who is provisional at the first start: the newest change does not name the firm segment."""
    known = User(Whereabouts(Segment(2, "Champions"), Segment(1, "")))
    leaves = a_trigger("l", on="leaving", segment="At risk")
    moves = a_trigger("m", on="moving", origin="At risk", target="Champions")
    names = {1: "At risk", 2: "Champions"}
    change = at(AT, 2, kind="confirmed", previous_segment=2)
    for segments, wanted in ((names, "send"), ({}, "skipped: other"), ({1: "Lost"}, "skipped: other")):
        decided = decide(Triggers((leaves, moves), segments=segments), change, known, {}, AT)
        assert [str(each) for each in decided.outcomes.values()] == [wanted] * 2


def test_who_was_once_held_out_and_once_not_stays_regrouped() -> None:
    entries: dict[str, Entry] = {}
    said = []
    for holdout in (0.0, 0.999999999999, 0.0, 0.0):
        trigger = Triggers((a_trigger(holdout=holdout),))
        entries = {**decide(trigger, at(AT, 1), User(), entries, AT).entries}
        said.append((entries["t"].outcome, entries["t"].regrouped))
    assert said == [("sent", False), ("held_out", True), ("sent", True), ("sent", True)]
    # The receiver's refusal does not change the group.
    dead = {"t": Entry("e", AT, AT, 1, "dead_letter")}
    assert not decide(Triggers((a_trigger(),)), at(AT, 1), User(), dead, AT).entries["t"].regrouped


def test_of_a_user_met_for_the_first_time_the_change_itself_says_the_segment_before() -> None:
    trigger = Triggers((a_trigger(), a_trigger("l", on="leaving", segment=0)))

    def met(change: Change) -> list[str]:
        return [str(each) for each in decide(trigger, change, None, {}, AT).outcomes.values()]

    assert met(at(AT, 1, kind="unconfirmed", provisional=True, previous_segment=1)) == ["skipped: other"] * 2
    assert met(at(AT, 1, previous_segment=0)) == ["send", "send"]
    assert met(at(AT, 1, kind="confirmed", previous_segment=1)) == ["send", "skipped: other"]


def test_a_clock_that_is_put_back_over_midnight_begins_no_day_again() -> None:
    late = AT.replace(hour=0, minute=1)
    history = [at(late, 1), at(late, 0), at(late - timedelta(minutes=2), 1)]
    said = told(Triggers((a_trigger(),), max_per_day=1), *history)
    assert said[-1] == ("skipped: max_per_day",)
