"""Re-keying of misrouted events. User 7 belongs to partition 1 of 2, user 21 to partition 0."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from schemas.errors import BadEvent, NeedsRebuild
from schemas.input_events import Item, Order, Signup
from schemas.inputs.decode import encode_order, encode_signup
from schemas.topics import Topics
from streamer.batch.rekeying import forwarded, original
from streamer.interfaces.lane_errors import InDoubt
from streamer.interfaces.lane_interfaces import OutRecord, Record
from tests.support.strategies.events import START
from tests.support.worlds.failing_ends import Calls, Crash, When
from tests.support.worlds.lane_world import World, check_promises, drain

TOPICS = Topics("eu.", rekey=True)
AT_MS = 1_704_067_200_000  # 2024-01-01T00:00:00Z
SIGNUP = Signup("7", START, age=20, gender="F")
ORDER = Order("7", "1", START, (Item("Ön", "Socks"),))


def shop() -> World:
    return World(2, rekey=True)


def astray(world: World, topic: str, value: bytes | None, key: bytes | None = b"7") -> None:
    """A record of user 7 on partition 0."""
    world.kafka.append(topic, 0, key, value, AT_MS)


def handed_over(world: World) -> Sequence[Record]:
    return world.kafka.topics["segue-rekeyed"].partitions[1]


def test_the_record_handed_over_is_the_one_that_came_and_says_where() -> None:
    came = Record("eu.orders", 3, 41, b"session", b"{}", AT_MS, (("ce_id", b"e1"),))
    sent = forwarded(came, "7", 1, TOPICS)
    assert sent == OutRecord(
        "eu.segue-rekeyed",
        b"7",
        b"{}",
        (("ce_id", b"e1"), ("segue_rekeyed_from", b"eu.orders/3/41/1704067200000")),
        1,
    )
    lies = Record("eu.segue-rekeyed", 1, 900, sent.key, sent.value, AT_MS + 5, sent.headers)
    assert original(lies, TOPICS) == replace(came, key=b"7")


def test_a_header_of_ours_that_a_producer_wrote_does_not_count() -> None:
    lie = ("segue_rekeyed_from", b"eu.signups/0/0/0")
    sent = forwarded(Record("eu.orders", 3, 41, b"", b"{}", AT_MS, (lie,)), "7", 1, TOPICS)
    assert [value for name, value in sent.headers if name == lie[0]] == [b"eu.orders/3/41/1704067200000"]


@pytest.mark.parametrize("told", [None, b"", b"eu.orders/1/2", b"eu.users/1/2/3", b"eu.orders/1/2/x"])
def test_a_record_that_no_worker_wrote_is_refused(told: bytes | None) -> None:
    headers = () if told is None else (("segue_rekeyed_from", told),)
    with pytest.raises(
        BadEvent,
        match=r"only workers write to eu\.segue-rekeyed, send the event to eu\.signups or eu\.orders",
    ):
        original(Record("eu.segue-rekeyed", 1, 0, b"7", b"{}", 0, headers), TOPICS)


def test_what_its_topic_could_not_take_is_refused() -> None:
    came = Record("eu.orders", 3, 41, b"7", b"{}", AT_MS, (("trace", b"x" * 4_000_000),))
    with pytest.raises(
        BadEvent, match=r"headers: value and headers have 4,000,05\d bytes.*leave headers out"
    ):
        forwarded(came, "7", 1, TOPICS)


def test_events_reach_their_users_lane_and_changes_name_the_records_that_came() -> None:
    world = shop()
    astray(world, "orders", encode_order(ORDER)[1], key=None)
    world.run_all()
    cause = world.changes("7")[0].cause
    assert (cause.type, cause.topic, cause.partition, cause.offset) == ("order", "orders", 0, 0)
    assert cause.positions == {"signups": 0, "orders": 0, "segue-rekeyed": 1}
    assert world.records("segment-dead-letters") == []
    told = {p for p, records in enumerate(world.kafka.topics["segment-changes"].partitions) if records}
    assert told == {1}
    check_promises(world)


def test_a_null_erases_as_of_the_time_at_which_it_came() -> None:
    """The copy is written later; by its time the signup after the erasure would be erased, too."""
    world = shop()
    world.send(SIGNUP)
    world.run_all()
    assert world.state("7").decided is not None
    astray(world, "signups", None)
    world.run_all()
    assert [change.kind for change in world.changes("7")] == ["moved", "erased"]
    assert world.state("7").facts.erased_at is not None
    assert world.state("7").facts.erased_at == START
    check_promises(world)


def test_a_null_whose_key_is_encoded_erases_nobody_in_any_partition() -> None:
    """The other events of such a producer are applied, since their values name the user."""
    for key in (b'{"user_id":7}', b'"7"', b"\0\0\0\0\x01\x0e", b"\xff"):
        world = shop()
        world.kafka.append("signups", 0, key, encode_signup(SIGNUP)[1], AT_MS)
        for partition in range(world.partitions):
            world.kafka.append("signups", partition, key, None, AT_MS)
        world.run_all()
        assert [change.kind for change in world.changes()] == ["moved"]
        assert [letter.key for letter in world.records("segment-dead-letters")] == [key] * world.partitions
        assert world.redis.users.keys() == {"7"}
        check_promises(world)


def test_another_key_in_the_users_own_partition_is_applied_as_it_lies() -> None:
    world = shop()
    world.kafka.append("signups", 1, b"session", encode_signup(SIGNUP)[1], AT_MS)
    world.run_all()
    assert world.records("segue-rekeyed") == []
    assert world.changes("7")[0].cause.topic == "signups"
    check_promises(world)


def test_a_batch_takes_what_was_handed_over_last() -> None:
    world = World(2, rekey=True, max_batch=10)
    astray(world, "signups", encode_signup(SIGNUP)[1])
    world.run(0)
    world.send(ORDER)
    world.run(1)
    assert world.changes("7")[0].cause.topic == "orders"
    check_promises(world)


def test_nothing_goes_round_though_a_record_lies_in_the_wrong_place() -> None:
    world = shop()
    astray(world, "signups", encode_signup(SIGNUP)[1])
    world.run(0)
    (copy,) = handed_over(world)
    world.kafka.topics["segue-rekeyed"].partitions[0].append(replace(copy, partition=0))
    world.run_all()
    (letter,) = world.records("segment-dead-letters")
    assert b"came on partition 0 but belongs to partition 1" in dict(letter.headers)["segue_reason"]
    assert dict(letter.headers)["segue_topic"] == b"signups"
    assert len(world.records("segue-rekeyed")) == 2


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["log.commit", "store.save"])
def test_a_crash_between_handing_over_and_saving(call: str, when: When) -> None:
    world = shop()
    astray(world, "signups", encode_signup(SIGNUP)[1])
    astray(world, "orders", encode_order(ORDER)[1])
    calls = Calls()
    lane = world.lane(0, calls.wrap)
    lane.take_over("crashes")
    calls.stop_at = len(calls.made) + ["log.poll", "store.load", "log.commit", "store.save"].index(call)
    calls._when = when
    with pytest.raises(Crash):
        lane.step(0.0)
    assert calls.made[-1] == call
    was_committed = (call, when) != ("log.commit", "before")
    assert len(handed_over(world)) == (2 if was_committed else 0)
    world.run(1)  # the other lane is quick
    world.run_all()
    assert len(handed_over(world)) == 2
    check_promises(world)


def test_a_lane_that_heals_folds_what_was_handed_over_and_hands_nothing_over_again() -> None:
    world = shop()
    astray(world, "signups", encode_signup(SIGNUP)[1])
    world.run_all()
    changes = world.changes()
    world.lose_redis()
    world.run_all()
    assert len(handed_over(world)) == 1
    assert world.changes() == changes
    check_promises(world)


def test_a_zombie_hands_nothing_over() -> None:
    world = shop()
    zombie = world.take_over(0)
    astray(world, "signups", encode_signup(SIGNUP)[1])
    drain(world.take_over(0))
    with pytest.raises(InDoubt):
        zombie.step(0.0)
    assert len(handed_over(world)) == 1


def test_turned_on_it_asks_for_a_rebuild() -> None:
    before = World(2)
    before.send(SIGNUP)
    before.run_all()
    world = shop()
    world.redis = before.redis
    world.kafka = before.kafka
    world.kafka.create("segue-rekeyed", 2)
    with pytest.raises(NeedsRebuild, match=r"setting rekey is true.*made with false.*segue rebuild"):
        world.take_over(1)


def test_without_it_such_an_event_is_a_dead_letter() -> None:
    world = World(2)
    astray(world, "signups", encode_signup(SIGNUP)[1])
    world.run_all()
    assert len(world.records("segment-dead-letters")) == 1
    assert world.changes() == []
