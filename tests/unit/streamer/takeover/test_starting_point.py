"""Where a lane starts: every case of `starting_point`."""

from functools import partial
from typing import Any

import pytest

from schemas.errors import NeedsRebuild
from schemas.features import Feature
from schemas.inputs.forms.event_form import EventForm, EventForms
from streamer.interfaces.lane_interfaces import Bounds, Committed, Former
from streamer.place.place import FoldSettings, Place, using
from streamer.takeover.starting_point import Start, starting_point
from tests.support.worlds.made_up_release import an_active_model

SETTINGS = FoldSettings(4)
SWEEP = using(None, an_active_model())
SIGNUPS, ORDERS, USERS = Bounds(0, 100, "s1"), Bounds(0, 100, "o1"), Bounds(0, 100, "u1")
IDS = {"signups": "s1", "orders": "o1", "user-segments": "u1"}


def a_place(signups: int = 10, orders: int = 20, users: int = 7, **changed: Any) -> Place:
    positions = {"signups": signups, "orders": orders, "user-segments": users}
    told: dict[str, Any] = {
        "step": 3,
        "writer": "w",
        "positions": positions,
        "topic_ids": IDS,
        "settings": SETTINGS,
        "sweep": SWEEP,
    }
    return Place(**{**told, **changed})


def start(
    place: Place | None,
    committed: dict[str, Committed],
    *,
    signups: Bounds = SIGNUPS,
    orders: Bounds = ORDERS,
    users: Bounds = USERS,
    users_empty: bool = False,
    bootstrapped: bool = False,
    settings: FoldSettings = SETTINGS,
) -> Start:
    return starting_point(
        place,
        committed,
        {"signups": signups, "orders": orders},
        "user-segments",
        users,
        settings,
        "segue-9:",
        users_empty=lambda: users_empty,
        bootstrapped=bootstrapped,
    )


def offsets(signups: int = 15, orders: int = 26, signups_id: str | None = "s1") -> dict[str, Committed]:
    return {"signups": Committed(signups, signups_id), "orders": Committed(orders, "o1")}


def test_offsets_and_place_fold_from_the_place_and_decide_from_the_offsets() -> None:
    assert start(a_place(), offsets()) == Start(
        {"signups": 10, "orders": 20}, {"signups": 15, "orders": 26}, users_from=7
    )


def test_offsets_only_fold_the_whole_log() -> None:
    assert start(None, offsets()) == Start(
        {"signups": 0, "orders": 0}, {"signups": 15, "orders": 26}, users_from=0
    )


RESTORE = r"restore a backup of Redis, or begin again from the warehouse \(docs/rebuilding.md\)$"


def test_offsets_only_and_a_log_that_lost_its_beginning_need_a_backup_or_the_warehouse() -> None:
    """A rebuild would refuse; and a wrong prefix looks just so."""
    asks = rf"in orders under the prefix 'segue-9:', and the topic begins at offset 5.*again: {RESTORE}"
    with pytest.raises(NeedsRebuild, match=asks):
        start(None, offsets(), orders=Bounds(5, 100, "o1"))


def test_offsets_only_after_a_bootstrap_need_a_rebuild() -> None:
    with pytest.raises(NeedsRebuild, match=r"under the prefix 'segue-9:'.*bootstrap.*rebuild the states"):
        start(None, offsets(), bootstrapped=True)


def test_place_only_asks_user_segments_how_far_events_were_decided() -> None:
    assert start(a_place(), {}) == Start(
        {"signups": 10, "orders": 20},
        {"signups": 10, "orders": 20},
        users_from=7,
        by_users=frozenset({"signups", "orders"}),
    )


def test_an_offset_in_the_old_topic_leaves_the_place_in_the_new_one() -> None:
    """A former owner committed what it had read before the topic was made anew."""
    decided = start(a_place(), offsets(signups_id="s0"))
    assert decided == Start(
        {"signups": 10, "orders": 20},
        {"signups": 10, "orders": 26},
        users_from=7,
        formers={"signups": Former("s0", 15)},
    )


def test_user_segments_is_not_asked_for_an_input_made_anew() -> None:
    """Its decisions may name offsets of the old topic."""
    decided = start(a_place(), {}, signups=Bounds(0, 100, "s2"))
    assert decided == Start(
        {"signups": 0, "orders": 20},
        {"signups": 0, "orders": 20},
        users_from=7,
        by_users=frozenset({"orders"}),
        formers={"signups": Former("s1", 10)},
    )


def test_neither_starts_at_the_beginning_where_nothing_was_decided_yet() -> None:
    begin = Start({"signups": 3, "orders": 0}, {"signups": 3, "orders": 0}, users_from=0)
    assert start(None, {}, users_empty=True, signups=Bounds(3, 9, "s1")) == begin


def test_neither_beside_decisions_needs_other_settings_or_the_warehouse() -> None:
    asks = "under the prefix 'segue-9:', but user-segments holds decisions: set .*prefix, or begin again"
    with pytest.raises(NeedsRebuild, match=asks):
        start(None, {}, users_empty=False)


def test_a_place_before_the_first_offset_needs_the_warehouse() -> None:
    with pytest.raises(NeedsRebuild, match=r"offset 10 of signups.*now begins at 12.*applied: begin again"):
        start(a_place(), offsets(), signups=Bounds(12, 100, "s1"))


def test_offset_and_place_in_a_topic_made_anew_are_void_and_the_new_log_is_decided() -> None:
    assert start(a_place(signups=15), offsets(), signups=Bounds(0, 4, "s2")) == Start(
        {"signups": 0, "orders": 20},
        {"signups": 0, "orders": 26},
        users_from=7,
        formers={"signups": Former("s1", 15)},
    )


def test_after_the_first_commit_in_a_topic_made_anew_only_what_follows_is_decided() -> None:
    former = Former("s1", 10)
    made_anew = {**offsets(), "signups": Committed(3, "s2", former)}
    assert start(a_place(), made_anew, signups=Bounds(0, 4, "s2")) == Start(
        {"signups": 0, "orders": 20}, {"signups": 3, "orders": 26}, users_from=7, formers={"signups": former}
    )


start_anew = partial(start, signups=Bounds(0, 4, "s2"), orders=Bounds(0, 4, "o2"))
OF_NOW = {"signups": Committed(1, "s2"), "orders": Committed(2, "o2")}


def test_after_topics_were_made_anew_the_log_is_not_the_whole_past() -> None:
    """What the offsets say, which outlive topics and Redis."""
    asks = rf"signups was made anew, so what the topic before it held cannot be folded again: {RESTORE}"
    with pytest.raises(NeedsRebuild, match=asks):
        start_anew(None, offsets())
    for former in (Former("s1", 10), Former("s1", 0, earlier=True)):
        with pytest.raises(NeedsRebuild, match=asks):
            start_anew(None, {**OF_NOW, "signups": Committed(1, "s2", former)})
    with pytest.raises(NeedsRebuild, match="orders was made anew"):
        start_anew(None, {**OF_NOW, "orders": Committed(26, "o1")})
    with pytest.raises(NeedsRebuild, match="the users of the bootstrap"):
        start_anew(None, offsets(), users_empty=True, bootstrapped=True)


def test_a_topic_of_which_nothing_was_read_leaves_the_log_the_whole_past() -> None:
    nothing = {"signups": Committed(1, "s2", Former("s1", 0)), "orders": Committed(0, "o1")}
    assert start_anew(None, nothing).fold_from == {"signups": 0, "orders": 0}


def test_where_the_decisions_are_gone_with_the_topics_all_begins_again() -> None:
    begun = start_anew(None, offsets(), users_empty=True)
    assert begun == Start({"signups": 0, "orders": 0}, {"signups": 0, "orders": 0}, users_from=0)


@pytest.mark.parametrize(
    ("place", "commit"),
    [
        (a_place(signups=9), Committed(10, "s1")),
        (a_place(signups=9), Committed(3, "s2", Former("s1", 10))),
        (a_place(), Committed(3, "s2", Former("s0", 10))),
        (a_place(), Committed(3, "s2")),
        (a_place(), Committed(3, "s3")),
        (
            a_place(topic_ids={**IDS, "signups": "s2"}, formers={"signups": Former("s1", 9)}),
            Committed(10, "s1"),
        ),
    ],
    ids=[
        "behind",
        "behind what was noted",
        "two topics behind",
        "no note",
        "another one",
        "noted too little",
    ],
)
def test_a_place_that_had_not_come_to_the_end_of_the_topic_before_needs_a_backup(
    place: Place, commit: Committed
) -> None:
    with pytest.raises(NeedsRebuild, match=rf"signups was made anew, and Redis had not come .*: {RESTORE}"):
        start(place, {**offsets(), "signups": commit}, signups=Bounds(0, 4, "s2"))


@pytest.mark.parametrize(
    ("place", "commit", "former"),
    [
        (a_place(), None, Former("s1", 10)),
        (a_place(), Committed(10, "s1"), Former("s1", 10)),
        (a_place(), Committed(3, "s2", Former("s1", 9)), Former("s1", 10)),
        (a_place(), Committed(3, None), Former("s1", 10)),
        (a_place(formers={"signups": Former("s0", 5)}), Committed(5, "s0"), Former("s1", 10, earlier=True)),
        (a_place(signups=0, formers={"signups": Former("s1", 10)}), Committed(10, "s1"), Former("s1", 10)),
        (a_place(topic_ids={**IDS, "signups": "s2"}), Committed(3, "s2", Former("s1", 9)), Former("s1", 9)),
        (a_place(topic_ids={**IDS, "signups": "s2"}), Committed(3, "s2"), None),
    ],
    ids=[
        "no offset",
        "old",
        "new",
        "a tool's",
        "idle between",
        "adopting",
        "a place that notes nothing",
        "never",
    ],
)
def test_the_topic_before_is_noted(place: Place, commit: Committed | None, former: Former | None) -> None:
    committed = {"orders": Committed(26, "o1")} | ({} if commit is None else {"signups": commit})
    started = start(place, committed, signups=Bounds(0, 14, "s2"))
    assert started.formers == ({} if former is None else {"signups": former})


def test_a_tools_offset_names_no_topic_and_counts() -> None:
    assert start(a_place(), offsets(signups_id=None)).decide_from["signups"] == 15


def test_user_segments_made_anew_are_read_from_their_beginning() -> None:
    assert start(a_place(), offsets(), users=Bounds(0, 2, "u2")).users_from == 0


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (FoldSettings(8), "8 partitions.*begin again with new topics"),
        (FoldSettings(4, ("Cancelled",)), "exclude_statuses.*rebuild the states"),
        (FoldSettings(4, partitioner="crc32"), "partitioner.*rebuild the states"),
        (FoldSettings(4, rekey=True), "rekey is true.*rebuild the states"),
        (
            FoldSettings(4, events=EventForms(orders=EventForm(paths=(("user_id", "customer.id"),)))),
            r"events has changed .* made: orders.form .*; orders.user_id is new \(customer.id\): rebuild the",
        ),
        (
            FoldSettings(4, left_out=("gender",)),
            'left out.* is "gender".*rebuild the states',
        ),
        (
            FoldSettings(4, declared=(Feature("spent", "sum", "price"),)),
            r"setting declare has changed .* made: spent is new \(sum of price\): rebuild the states",
        ),
    ],
)
def test_a_place_made_under_other_settings_is_refused(changed: FoldSettings, named: str) -> None:
    with pytest.raises(NeedsRebuild, match=named):
        start(a_place(), offsets(), settings=changed)


def test_an_offset_beyond_the_logs_end_is_an_error_and_not_waited_for() -> None:
    with pytest.raises(NeedsRebuild, match=r"orders was read up to offset 101.*ends at 100.*lost"):
        start(a_place(), offsets(orders=101))
    with pytest.raises(NeedsRebuild, match=r"user-segments was read up to offset 101"):
        start(a_place(users=101), offsets())


def test_the_logs_end_itself_is_a_place_to_start() -> None:
    assert start(a_place(users=100), offsets(orders=100)).decide_from["orders"] == 100
