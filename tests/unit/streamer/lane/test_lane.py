"""A lane over memory, case by case; the laws are in tests/property/test_lane.py."""

import dataclasses

import pytest
from msgspec.structs import replace

from schemas.input_events import Item, Order, Signup, UserErased
from schemas.outputs.segment_change import SegmentChange
from schemas.release.model_release import EncodedFeature
from schemas.topics import Topics
from streamer.interfaces.lane_errors import NotReady
from tests.support.checks.moves import OLD, YOUNG, YOUNG_AGAIN, segments
from tests.support.strategies.events import START
from tests.support.worlds.failing_ends import Calls
from tests.support.worlds.lane_world import NOW, TOPICS, World, check_promises, drain
from tests.support.worlds.made_up_release import a_release, an_active_model


def test_a_user_moves_with_its_events_and_every_move_names_its_cause() -> None:
    world = World()
    world.send(YOUNG, OLD, YOUNG_AGAIN)
    world.run()
    assert segments(world) == [(None, 2), (2, 3), (3, 2)]
    first, second, third = world.changes("7")
    assert isinstance(second, SegmentChange)
    assert [c.sequence for c in (first, second, third)] == [1, 2, 3]
    assert (second.cause.type, second.cause.topic, second.cause.offset) == ("signup", "signups", 1)
    assert second.cause.positions == {"signups": 2, "orders": 0}
    assert second.occurred_at == OLD.created_at
    assert second.emitted_at == NOW
    assert second.features["age"] == 100
    assert second.provisional
    assert "total_orders" in second.missing
    check_promises(world)


def test_a_change_keeps_the_number_of_which_the_model_reads_the_group() -> None:
    """Only the score knows the group: two ages of one group are one position, and the change has the age."""
    groups = EncodedFeature("age", "quantile", quantile=2, borders=(30.0,))
    release = a_release()
    release = replace(release, features=(groups, *release.features[1:]), mean=(1.5, *release.mean[1:]))
    release = replace(release, scale=(0.1, *release.scale[1:]))
    world = World()
    world.models.model = an_active_model(release=release)
    # Of the first group, of the second, and of the second again.
    world.send(YOUNG, OLD, replace(OLD, age=31, created_at=OLD.created_at.replace(hour=3)))
    world.run()
    first, second = (change for change in world.changes("7") if isinstance(change, SegmentChange))
    assert (first.features["age"], second.features["age"]) == (YOUNG.age, OLD.age)
    assert "age" not in first.missing
    assert first.components != second.components
    state = world.state("7")
    assert state.facts.profile["age"].value == 31
    assert state.position is not None
    assert state.position.components == second.components


def test_signups_come_before_orders_of_the_same_batch() -> None:
    world = World(max_batch=10)
    order = Order("7", "1", START, (Item(brand="Ön", category="Socks"),))
    world.send(order, YOUNG)
    world.run()
    causes = [change.cause.topic for change in world.changes("7")]
    assert causes[0] == "signups"
    assert world.changes("7")[0].cause.positions == {"signups": 1, "orders": 0}


def test_a_takeover_fences_before_it_reads_offsets_and_commits_before_it_saves() -> None:
    world = World()
    world.send(YOUNG)
    calls = Calls()
    lane = world.lane(wrap=calls.wrap)
    lane.take_over("w")
    assert calls.made[:4] == ["store.follow", "log.fence", "log.committed", "store.follow"]
    assert calls.made[-3:] == ["store.save", "store.follow", "log.read_from"]
    calls.made.clear()
    lane.step(0.0)
    assert [name for name in calls.made if name != "log.lag"] == [
        "log.poll",
        "store.load",
        "store.neighbours",
        "log.commit",
        "store.save",
        # Whether a sweep has users left, which the place then tells.
        "store.unswept",
        "store.load",
        "store.save",
    ]


def test_without_a_release_a_lane_waits() -> None:
    world = World()
    world.models.model = None
    with pytest.raises(NotReady, match="segue publish"):
        world.run()


def test_a_state_decided_by_a_later_activation_waits_for_it() -> None:
    world = World()
    world.models.model = an_active_model(activation=5)
    world.send(YOUNG)
    world.run()
    world.send(OLD)
    world.models.model = an_active_model(activation=4)
    with pytest.raises(NotReady, match="activation 5"):
        world.run()


def test_activations_of_a_topic_made_anew_begin_again() -> None:
    world = World()
    world.models.model = an_active_model(activation=5)
    world.send(YOUNG)
    lane = world.run()
    world.models.model = dataclasses.replace(an_active_model(activation=0), topic_id="made anew")
    world.send(OLD)
    drain(lane)
    assert segments(world) == [(None, 2), (2, 3)]
    decided = world.state("7").decided
    assert decided is not None
    assert (decided.activation, decided.models_topic) == (0, "made anew")


def test_a_new_release_scores_the_next_events() -> None:
    world = World()
    world.send(YOUNG)
    lane = world.run()
    swapped = a_release(centres=((-1.5, 0.0), (0.0, 1.5), (1.5, 0.0), (0.0, -1.5)))
    world.models.model = an_active_model(activation=9, release=swapped)
    world.send(replace(YOUNG, created_at=START.replace(hour=5)))
    drain(lane)
    last = world.changes("7")[-1]
    assert isinstance(last, SegmentChange)
    assert (last.previous_segment, last.segment, last.activation) == (2, 0, 9)


def test_bad_events_become_dead_letters_with_their_reason() -> None:
    world = World()
    world.kafka.append("signups", 0, b"7", b"{", 0)
    world.send(YOUNG)
    world.run()
    (letter,) = world.records(TOPICS.dead_letters)
    headers = dict(letter.headers)
    assert (letter.key, letter.value) == (b"7", b"{")
    assert headers["segue_topic"] == b"signups"
    assert headers["segue_offset"] == b"0"
    assert b"JSON" in headers["segue_reason"]
    check_promises(world)


def test_a_user_on_a_partition_that_is_not_its_own_is_a_dead_letter_that_names_both() -> None:
    world = World(4)
    # murmur2("21") % 4 == 0, as Kafka's own partitioner has it.
    world.kafka.append("signups", 3, b"21", b'{"user_id": 21, "created_at": "2024-01-01T00:00:00Z"}')
    world.run_all()
    (letter,) = world.records(TOPICS.dead_letters)
    reason = dict(letter.headers)["segue_reason"].decode()
    assert "partition 3" in reason
    assert "partition 0" in reason
    assert world.changes() == []


def test_an_event_that_changes_nothing_is_told_of_nowhere() -> None:
    world = World()
    world.send(YOUNG, YOUNG, YOUNG)
    world.run()
    assert segments(world) == [(None, 2)]


def test_confirmed_and_unconfirmed() -> None:
    """A user is provisional until the last missing value comes, in whatever segment that ends."""
    world = World()
    whole = Signup("7", START, age=20, gender="F", country="Spain", traffic_source="Email")
    world.send(whole, Order("7", "1", START, (Item(brand="Ön", category="Jeans"),)))
    lane = world.run()
    before = world.changes("7")[-1]
    assert isinstance(before, SegmentChange)
    assert not before.provisional
    unseen = replace(whole, created_at=START.replace(hour=3), gender="X")
    world.send(unseen)
    drain(lane)
    after = world.changes("7")[-1]
    assert isinstance(after, SegmentChange)
    assert after.missing == ("gender",)
    assert after.features["gender"] == "X"
    assert after.kind == ("unconfirmed" if after.segment == before.segment else "moved")
    check_promises(world)


def test_similar_users_are_those_of_the_whole_shop_as_the_batch_leaves_it() -> None:
    world = World(max_batch=10)
    world.send(Signup("1", START, age=21, gender="F"), Signup("2", START, age=100, gender="M"))
    lane = world.run()
    world.send(Signup("3", START, age=22, gender="F"), YOUNG)
    drain(lane)
    (change,) = world.changes("7")
    assert isinstance(change, SegmentChange)
    # By the angle of (0.015 (age - 40) - 0.5, 0.02 (40 - age) - 0.2): ages 20, 21, 22, … turn one way.
    assert [near.user_id for near in change.similar_users] == ["1", "3", "2"]
    assert [near.segment for near in change.similar_users] == [2, 2, 0]
    assert change.similar_users[0].similarity > change.similar_users[1].similarity


def test_in_three_components_users_are_decided_and_none_is_named_as_similar() -> None:
    release = replace(
        a_release(),
        projection=(*a_release().projection, (0.0,) * len(a_release().mean)),
        segments=tuple(replace(s, centre=(*s.centre, 0.0)) for s in a_release().segments),
    )
    world = World()
    world.models.model = an_active_model(release=release)
    world.send(Signup("1", START, age=21, gender="F"), YOUNG, OLD)
    world.run()
    assert segments(world) == [(None, 2), (2, 3)]
    for change in world.changes("7"):
        assert isinstance(change, SegmentChange)
        assert len(change.components) == 3
        assert change.similar_users == ()
    check_promises(world)


def test_the_prefix_is_part_of_a_changes_id() -> None:
    ids = []
    for prefix in ("", "eu."):
        world = World(topics=Topics(prefix))
        world.send(YOUNG)
        world.run()
        ids.append(world.changes()[0].event_id)
    assert ids[0] != ids[1]
    # printf '\n7\n\n1' | sha256sum
    assert ids[0] == "83f664fca272b951d53f0a73ce83f3a6"


@pytest.mark.parametrize("event", [OLD, UserErased("7", START.replace(hour=9))], ids=["moved", "erased"])
def test_who_leaves_a_space_or_is_erased_leaves_its_index(event: Signup | UserErased) -> None:
    world = World()
    world.send(YOUNG)
    lane = world.run()
    old_space = a_release().space
    assert len(world.redis.indexes[old_space]) == 1
    elsewhere = a_release(scale=2.0)
    assert elsewhere.space != old_space
    world.models.model = an_active_model(activation=9, release=elsewhere)
    world.send(event)
    drain(lane)
    assert len(world.redis.indexes[old_space]) == 0


def test_who_is_not_far_enough_over_the_border_stays_and_stays_after_healing() -> None:
    """At (-0.8, 0.2) segment 2 is 0.73 away. At age 50, (-0.35, -0.4), segment 3 is 1.15 away and 2 1.22."""
    for min_margin, expected in ((0.0, 3), (0.1, 2)):
        world = World()
        rules = replace(world.config.rules, min_margin=min_margin)
        world.config = replace(world.config, rules=rules)
        world.send(YOUNG, replace(OLD, age=50))
        world.run()
        assert segments(world)[0] == (None, 2)
        assert segments(world)[-1][1] == expected
        told = len(world.changes())
        world.lose_redis()
        world.run()
        assert len(world.changes()) == told
        decided = world.state("7").decided
        assert decided is not None
        assert decided.segment == expected
        check_promises(world)
