"""A lane's beginnings and its bounds, in memory; its crashes are in the simulation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from schemas.errors import BadChange, BadTopics, NeedsRebuild
from schemas.outputs.segment_change import Change
from schemas.outputs.wire import encode_change
from segue.triggers import trigger_lane
from segue.triggers.file.trigger_file import Trigger, Triggers
from segue.triggers.ledger import Ledger
from segue.triggers.ledger_records import PLACE_KEY, Place, encode, user_key
from segue.triggers.policy import User
from segue.triggers.trigger_lane import TriggerLane
from segue.triggers.webhook_post import Posted
from streamer.in_memory import MemoryKafka, MemoryLog
from streamer.interfaces.lane_errors import Fenced, InDoubt
from streamer.interfaces.lane_interfaces import Bounds, Record
from tests.campaigns.trigger_simulation.actors import TOPICS
from tests.support.checks.whole_ledger import ledger_in
from tests.support.inputs.made_change import AT, a_change
from tests.support.worlds.memory_copy import CopyFile, MemoryCopy, emptied

FILE = Triggers((Trigger(name="t", on="entering", segment=1, url="http://x", reentry="always"),))


class Post:
    """Keeps what is sent; a test says when it ends."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.ends: list[tuple[int, str, Posted]] = []
        self.waited_s: list[float] = []

    def send(self, trigger: str, change: Change, number: int) -> None:
        self.sent.append(number)

    def ended(self, timeout_s: float = 0.0) -> list[tuple[int, str, Posted]]:
        self.waited_s.append(timeout_s)
        ended, self.ends = self.ends, []
        return ended

    def forget(self) -> None:
        self.ends.clear()

    def finish(self) -> None:
        pass


class World:
    """One partition with its topics."""

    def __init__(self, file: Triggers = FILE) -> None:
        self.file = file
        self.kafka = MemoryKafka()
        for topic in (TOPICS.changes, TOPICS.users, TOPICS.trigger_ledger, TOPICS.trigger_dead_letters):
            self.kafka.create(topic, 1)
        self.post = Post()
        self.redis = CopyFile()
        self.now = AT

    def write(self, *changes: Change) -> None:
        for change in changes:
            for topic in (TOPICS.changes, TOPICS.users):
                self.kafka.append(topic, 0, change.user_id.encode(), encode_change(change))

    def lane(self, group: str = "g", **options: Any) -> TriggerLane:
        log = MemoryLog(self.kafka, 0, (TOPICS.changes,))
        return TriggerLane(
            0, group, log, MemoryCopy(self.redis), TOPICS, self.file, self.post, lambda: self.now, **options
        )

    def live(self, group: str = "g", **options: Any) -> TriggerLane:
        lane = self.lane(group, **options)
        lane.take_over()
        return lane


def place_of(lane: TriggerLane) -> Place:
    assert lane.place is not None
    return lane.place


def test_a_first_start_knows_where_users_are_and_begins_with_the_next_change() -> None:
    world = World()
    world.write(a_change(user_id="there"), a_change(user_id="away", segment=0, previous_segment=None))
    lane = world.live()
    assert place_of(lane).offset == 2
    world.write(a_change(user_id="there", kind="confirmed", sequence=3), a_change(user_id="away", sequence=3))
    lane.step(0.0)
    assert world.post.sent == [1]
    user = ledger_in(world.kafka, TOPICS.trigger_ledger).user("there")
    assert user is not None
    assert user.where.firm == user.where.latest
    assert (user.where.firm.id if user.where.firm else None) == 1


def test_what_comes_during_a_first_start_is_where_users_are() -> None:
    """Else the change lies past the place, and its user is there already: the entry would be `other`."""
    world = World()
    world.write(a_change(user_id="early", segment=0))

    class Busy(MemoryLog):
        def watch(self, topic: str) -> Bounds:
            if topic == TOPICS.users:  # in the states, and past the first end of the changes
                world.write(a_change(user_id="held", event_id="1" * 32))
            bounds = super().watch(topic)
            if topic == TOPICS.users:  # past the states, before the second end
                world.write(a_change(user_id="early", event_id="2" * 32))
            return bounds

    lane = TriggerLane(
        0, "g", Busy(world.kafka, 0, (TOPICS.changes,)), MemoryCopy(), TOPICS, FILE, world.post, lambda: AT
    )
    lane.take_over()
    assert place_of(lane).offset == 3
    for user_id in ("held", "early"):
        user = ledger_in(world.kafka, TOPICS.trigger_ledger).user(user_id)
        assert user is not None
        assert user.where.firm is not None
        assert user.where.firm.id == 1
    lane.step(0.0)
    assert place_of(lane).changes == 0
    assert world.post.sent == []


def test_from_the_beginning_every_change_counts_and_a_later_start_goes_on() -> None:
    world = World()
    world.write(a_change())
    world.live(from_beginning=True).step(0.0)
    assert world.post.sent == [0]
    # Nothing was committed, because the webhook has not ended.
    again = world.live(from_beginning=True)
    assert place_of(again).offset == 0
    again.step(0.0)
    world.post.ends = [(0, "t", Posted())]
    again.step(0.0)
    assert place_of(world.live(from_beginning=True)).counts == {"t": {"sent": 1}}


def test_a_later_start_from_the_beginning_says_that_the_ledgers_place_counts() -> None:
    world = World()
    with capture_logs() as said:
        lane = world.live(from_beginning=True)
        lane.take_over()
        world.live()
    assert [line for line in said if line["log_level"] == "warning"] == []
    with capture_logs() as said:
        world.live(from_beginning=True)
    (warned,) = (line for line in said if line["log_level"] == "warning")
    assert warned["event"] == "--from-beginning is left aside"
    assert warned["reason"].startswith(
        "segue-trigger-ledger has a place already, and triggers go on from there"
    )
    assert "delete this topic and segue-trigger-dead-letters, and name another --group" in warned["reason"]
    # That is how to begin again.
    world.write(a_change())
    world.kafka.create(TOPICS.trigger_ledger, 1)
    world.kafka.offsets.clear()
    assert place_of(world.live("another", from_beginning=True)).offset == 0


@pytest.mark.parametrize("rule", ["max_age", "cooldown", "reentry", "max_per_day"])
def test_a_webhook_that_was_delivered_is_never_skipped_at_the_next_start(rule: str) -> None:
    """A receiver is down and holds the partition back; meanwhile time passes, and a deploy comes."""
    hour = timedelta(hours=1)
    b = {
        "max_age": Trigger(name="b", on="leaving", segment=0, url="http://x", max_age=hour),
        "cooldown": Trigger(
            name="b", on="leaving", segment=0, url="http://x", cooldown=hour, reentry="always"
        ),
        "reentry": Trigger(name="b", on="leaving", segment=0, url="http://x", reentry=hour),
        "max_per_day": Trigger(name="b", on="leaving", segment=0, url="http://x", reentry="always"),
    }[rule]
    down = Trigger(name="down", on="entering", segment=2, url="http://y", reentry="always")
    world = World(Triggers((down, b), max_per_day=1 if rule == "max_per_day" else None))
    lane = world.live()
    world.write(a_change(user_id="a", previous_segment=1, segment=2), a_change(event_id="1" * 32))
    lane.step(0.0)
    world.now += 25 * hour
    world.write(a_change(event_id="2" * 32, previous_segment=1, segment=0), a_change(event_id="3" * 32))
    lane.step(0.0)
    sent = [0, 1] if rule == "max_age" else [0, 1, 3]
    assert world.post.sent == sent
    world.now += 2 * hour
    again = world.live()
    again.step(0.0)
    assert world.post.sent == 2 * sent
    world.post.ends = [(number, "b" if number else "down", Posted()) for number in sent]
    again.step(0.0)
    assert place_of(again).counts["b"]["sent"] == len(sent) - 1
    entry = ledger_in(world.kafka, TOPICS.trigger_ledger).entries("7")["b"]
    assert entry.event_id == ("1" if rule == "max_age" else "3") * 32
    assert entry.first_at == AT


def test_a_lost_ledger_is_not_taken_for_a_first_start() -> None:
    world = World()
    world.live()
    world.kafka.create(TOPICS.trigger_ledger, 1)
    with pytest.raises(NeedsRebuild, match=r"has no ledger, so it is not known who got which webhook"):
        world.live()


def test_a_first_start_says_that_no_erasure_finds_the_dead_letters_of_a_former_ledger() -> None:
    world = World()
    lane = world.live()
    world.write(a_change())
    lane.step(0.0)
    world.post.ends = [(0, "t", Posted("the receiver answered 404"))]
    lane.step(0.0)
    with capture_logs() as said:
        world.live()
    assert [line for line in said if line["log_level"] == "warning"] == []
    world.kafka.create(TOPICS.trigger_ledger, 1)
    world.kafka.offsets.clear()
    with capture_logs() as said:
        world.live("another")
    (warned,) = (line for line in said if line["log_level"] == "warning")
    assert warned["event"] == "dead letters may be left"
    assert warned["reason"].startswith("segue-trigger-dead-letters has records from before this ledger")


def test_the_ledger_of_another_group_is_refused() -> None:
    world = World()
    world.live("g")
    with pytest.raises(BadTopics, match=r"is the ledger of the group g, and this one is h: give the same"):
        world.live("h")


def test_a_topic_of_changes_that_was_made_anew_is_read_from_its_beginning() -> None:
    world = World()
    world.write(*(a_change(user_id=str(n)) for n in range(5)))
    world.live()
    world.kafka.create(TOPICS.changes, 1)
    world.write(a_change(user_id="new"))
    lane = world.live()
    assert place_of(lane).offset == 0
    lane.step(0.0)
    assert world.post.sent == [0]


def test_changes_that_kafka_has_deleted_are_named_and_the_next_ones_go_on() -> None:
    world = World()
    world.live()
    world.write(*(a_change(user_id=str(n)) for n in range(5)))

    class Shortened(MemoryLog):
        def watch(self, topic: str) -> Bounds:
            bounds = super().watch(topic)
            return replace(bounds, begin=3) if topic == TOPICS.changes else bounds

    log = Shortened(world.kafka, 0, (TOPICS.changes,))
    lane = TriggerLane(0, "g", log, MemoryCopy(world.redis), TOPICS, FILE, world.post, lambda: AT)
    with capture_logs() as said:
        lane.take_over()
    (warned,) = (line for line in said if line["log_level"] == "warning")
    assert (warned["event"], warned["offsets"]) == ("changes are lost", 3)
    assert "deleted them before triggers read them" in warned["reason"]
    lane.step(0.0)
    assert len(world.post.sent) == 2


def test_a_receiver_that_is_away_holds_a_bounded_number_of_changes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trigger_lane, "MAX_PENDING", 3)
    world = World()
    lane = world.live()
    world.write(*(a_change(user_id=str(n)) for n in range(5)))
    lane.step(0.0)
    lane.step(7.0)
    assert world.post.sent == [0, 1, 2]
    assert world.post.waited_s[-1] == 7.0
    world.post.ends = [(1, "t", Posted()), (2, "t", Posted())]
    lane.step(0.0)
    assert place_of(lane).changes == 0  # the first is not finished
    world.post.ends = [(0, "t", Posted())]
    lane.step(0.0)
    lane.step(0.0)
    assert place_of(lane).changes == 3
    assert world.post.sent == [0, 1, 2, 3, 4]


def test_a_change_that_cannot_be_read_ends_the_lane() -> None:
    world = World()
    lane = world.live()
    world.kafka.append(TOPICS.changes, 0, b"7", b"{}")
    with pytest.raises(BadChange, match="a segment change cannot be read"):
        lane.step(0.0)


def test_a_ledger_of_a_newer_format_is_refused() -> None:
    newer = encode(Place("g", "t", 0, format=2))
    with pytest.raises(BadChange, match="the ledger of triggers has format 2, and this version reads 1"):
        Ledger(MemoryCopy(), lambda: AT).apply({PLACE_KEY: newer}, 1)


class Marked(MemoryLog):
    """Behind the last change lies the marker of its transaction."""

    def reached(self) -> dict[str, int]:
        return {topic: offset + 1 for topic, offset in super().reached().items()}


@pytest.mark.parametrize("ends", [True, False])
def test_what_was_read_is_no_gap_after_kafka_has_deleted_it(ends: bool) -> None:
    world = World()
    log = Marked(world.kafka, 0, (TOPICS.changes,))
    lane = TriggerLane(0, "g", log, MemoryCopy(world.redis), TOPICS, FILE, world.post, lambda: world.now)
    lane.take_over()
    world.write(a_change(segment=0, previous_segment=None))
    lane.step(0.0)
    lane.step(0.0)
    assert place_of(lane).offset == 1
    if ends:
        lane.close()
    else:
        world.now += timedelta(minutes=1)
        lane.step(0.0)
    assert (place_of(lane).offset, place_of(lane).changes) == (2, 1)
    assert log.committed()[TOPICS.changes].offset == 2


def test_a_change_whose_webhook_waits_is_not_passed() -> None:
    world = World()
    log = Marked(world.kafka, 0, (TOPICS.changes,))
    lane = TriggerLane(0, "g", log, MemoryCopy(world.redis), TOPICS, FILE, world.post, lambda: world.now)
    lane.take_over()
    world.write(a_change())
    lane.step(0.0)
    world.now += timedelta(minutes=1)
    lane.step(0.0)
    lane.close()
    assert world.post.sent == [0]
    assert place_of(lane).offset == 0


def test_a_record_of_somebody_else_in_the_ledger_is_left_aside() -> None:
    world = World()
    world.write(a_change(segment=0))
    world.live()
    for key in (b"session", bytes([255]), None):
        world.kafka.append(TOPICS.trigger_ledger, 0, key, b"x")
    with capture_logs() as said:
        world.live()
    foreign = [line["offset"] for line in said if line["event"] == "foreign record in the ledger"]
    assert foreign == [2, 3, 4]


@pytest.mark.parametrize("value", [b"{", b'{"x":"\xff"}', b'{"sent_at":"2024-01-01T00:00:00"}'])
@pytest.mark.parametrize("key", [b"/7", b"t/7", b"deciding", b"place"])
def test_a_record_of_the_ledger_that_cannot_be_read_is_one_sentence(key: bytes, value: bytes) -> None:
    world = World()
    world.live()
    world.kafka.append(TOPICS.trigger_ledger, 0, key, value)
    with pytest.raises(
        BadChange, match=r"offset 1 of partition 0 of segue-trigger-ledger: .* cannot be read"
    ):
        world.live()


def test_a_first_start_that_was_interrupted_leaves_nobody_behind() -> None:
    """Who was erased meanwhile may have left no record, once Kafka has dropped the tombstone."""
    world = World()
    world.kafka.append(TOPICS.trigger_ledger, 0, user_key("gone"), encode(User()))
    world.write(a_change(user_id="there"))
    lane = world.live()
    assert place_of(lane).offset == 1
    assert {key for key in world.redis.held.values if b"/" in key} == {user_key("there")}


@pytest.mark.parametrize("hours", [11, -11, 13, -13])
def test_a_copy_of_another_time_is_made_anew(hours: int) -> None:
    """It may miss a tombstone that Kafka has dropped; also where the clock of its writer was ahead."""
    world = World()
    world.write(a_change(user_id="there"))
    world.live()
    world.now += timedelta(hours=hours)
    with capture_logs() as said:
        world.live()
    (live,) = (line for line in said if line["event"] == "lane is live")
    assert live["ledger_from"] == (0 if abs(hours) > 12 else 2)


def test_an_idle_lane_keeps_its_copy_fresh_and_notices_that_it_is_lost() -> None:
    world = World()
    lane = world.live()
    for _ in range(40):
        world.now += timedelta(hours=1, minutes=1)
        lane.step(0.0)
    with capture_logs() as said:
        world.live()
    assert [line["ledger_from"] for line in said if line["event"] == "lane is live"] == [1]
    lane = world.live()
    world.redis.run([emptied])
    world.now += timedelta(hours=2)
    with pytest.raises(InDoubt, match="is not the one that this lane saved last"):
        lane.step(0.0)


def test_a_ledger_that_is_read_for_too_long_is_read_again() -> None:
    world = World()
    world.write(*(a_change(user_id=str(n)) for n in range(5)))
    world.live()
    world.redis.run([emptied])

    class Suspended(MemoryLog):
        def poll(self, max_records: int, timeout_s: float) -> list[Record]:
            world.now += timedelta(hours=20)
            return super().poll(max_records, timeout_s)

    log = Suspended(world.kafka, 0, (TOPICS.changes,))
    lane = TriggerLane(0, "g", log, MemoryCopy(world.redis), TOPICS, FILE, world.post, lambda: world.now)
    with pytest.raises(InDoubt, match="the ledger's topic was read for too long"):
        lane.take_over()


def test_a_former_owner_commits_nothing_any_more() -> None:
    world = World()
    former = world.live()
    world.write(a_change())
    former.step(0.0)
    place = place_of(world.live())
    world.post.ends = [(0, "t", Posted())]
    with pytest.raises(Fenced):
        former.step(0.0)
    assert ledger_in(world.kafka, TOPICS.trigger_ledger).place == place
