"""The demo without services, on a hand-made release: the product's own lanes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from schemas.input_events import Item, Order, Signup
from schemas.inputs.decode import encode_order, encode_signup
from schemas.outputs.segment_change import Change, SegmentChange
from schemas.topics import Topics
from segue.config.settings import Settings
from segue.demo.memory_stage import MemoryStage
from segue.demo.story import AS_OF, bad_events, with_bad_events
from segue.events.send_events import Outgoing
from tests.support.worlds.made_up_release import a_recency_release, a_release

BEFORE, AFTER = datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 12, 5, tzinfo=UTC)


class Audience:
    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.letters: list[str] = []
        self.count = 0

    def sent(self, events: int) -> None:
        self.count = events

    def change(self, change: Change) -> None:
        self.changes.append(change)

    def dead_letter(self, reason: str) -> None:
        self.letters.append(reason)


def order(user_id: str, number: str, at: datetime, brand: str) -> Order:
    return Order(user_id, number, at, (Item(brand, "Socks"),))


def sent(*facts: Signup | Order) -> list[Outgoing]:
    topics = Topics()
    told = []
    for fact in facts:
        key, value = encode_order(fact) if isinstance(fact, Order) else encode_signup(fact)
        topic = topics.orders if isinstance(fact, Order) else topics.signups
        told.append(Outgoing(topic, key, value, "test"))
    return told


def test_history_becomes_states_events_become_changes_and_bad_ones_dead_letters() -> None:
    stage, audience = MemoryStage(a_release(), Settings(similar_users=2), AS_OF), Audience()
    history: list[Signup | Order] = [
        Signup("1", BEFORE, 20, "F", "Spain", "Search"),
        order("1", "1", BEFORE, "Ön"),
        Signup("2", BEFORE, 60, "M", "Spain", "Email"),
        order("2", "2", BEFORE, "Carhartt"),
    ]
    seen: list[int] = []

    assert stage.populate(history, seen.append) == 2
    assert seen == [1, 2]
    assert stage.users_by_segment().total() == 2

    events = with_bad_events(
        sent(Signup("3", AFTER, 20, "F", "Spain", "Search"), order("3", "3", AFTER, "Ön")),
        bad_events(Topics()),
    )
    stage.open()
    played = stage.play(events, 1_000, audience)

    new = next(c for c in audience.changes if isinstance(c, SegmentChange) and c.user_id == "3")
    assert new.previous_segment is None
    assert new.missing == ("total_orders", "most_frequent_brand", "most_frequent_category")
    assert {user.user_id for user in new.similar_users} == {"1", "2"}
    assert stage.users_by_segment().total() == 3
    assert audience.letters == [
        "age: 212 is outside 0..150",
        "items: an order needs at least one item",
        "the value is not valid JSON: invalid character (byte 0)",
    ]
    assert (played.events, audience.count) == (5, 5)
    assert len(played.latencies_ms) == sum(key == b"3" for key, _ in played.written)


def test_the_first_event_of_a_user_is_the_one_sent_first() -> None:
    stage = MemoryStage(a_release(), Settings(similar_users=0), AS_OF)
    stage.populate([], lambda _: None)
    events = sent(order("3", "3", AFTER, "Ön"), Signup("3", AFTER), Signup("4", AFTER))

    stage.open()
    played = stage.play(events, 1_000, Audience())

    assert played.first_events() == {played.written[0][1], played.written[2][1]}


def test_the_bad_events_stand_spread_among_the_good_ones() -> None:
    good = [Outgoing("orders", b"1", b"", str(number)) for number in range(8)]
    bad = bad_events(Topics())

    told = with_bad_events(good, bad)

    assert [told.index(event) for event in bad] == [2, 5, 8]
    assert [event for event in told if event not in bad] == good


def test_days_without_an_event_move_a_user_once_and_by_time() -> None:
    """Eleven days after an order the user is in the next segment; it began with the sixth."""
    now = datetime.now(UTC)
    as_of = now - timedelta(days=10)
    stage, audience = MemoryStage(a_recency_release(), Settings(preset="rfm"), as_of), Audience()
    ordered, later = (Item(price=1.0),), as_of - timedelta(days=1)
    stage.populate(
        [Order("1", "1", later, ordered), Order("2", "2", now - timedelta(days=40), ordered)], lambda _: None
    )
    stage.open()

    stage.play([], 1_000, audience)

    (moved,) = (change for change in audience.changes if isinstance(change, SegmentChange))
    assert (moved.user_id, moved.previous_segment, moved.segment) == ("1", 0, 1)
    assert (moved.cause.type, moved.features["recency"]) == ("time", 11)
