"""Subscribers on a real Kafka: every change once and in order, wherever they begin, end or are killed."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, closing
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.errors import BadRelease, BadTopics
from schemas.outputs.segment_change import Change, UserErasedChange
from segue.services import KafkaService, LocalKafka
from segue.subscribe import changes, changes_async
from segue.subscribe.change_feed import ChangeFeed
from segue.subscribe.subscription import Options, Subscription
from tests.support.servers.services import HANG_S, eventually
from tests.support.servers.topic_admin import create_patiently, delete_records
from tests.support.workers.change_writer import ChangeWriter

READER = Path(__file__).parents[2] / "support" / "workers" / "printing_reader.py"


@pytest.fixture
def writer(kafka: KafkaService, topic_prefix: str) -> ChangeWriter:
    return ChangeWriter(kafka.bootstrap, topic_prefix)


def opened(writer: ChangeWriter, **options: Unpack[Options]) -> ChangeFeed:
    options["topic_prefix"] = writer.topics.prefix
    return ChangeFeed(Subscription(writer.bootstrap, **options))


def taken(feed: ChangeFeed, until: Callable[[list[Change]], bool]) -> list[Change]:
    """Take changes until the condition holds; then take once more, so that the last is handled."""
    found: list[Change] = []

    def enough() -> bool:
        change = feed.take(0.1)
        if change is not None:
            found.append(change)
        return until(found)

    eventually(enough, "changes", every_s=0)
    assert feed.take(0.3) is None
    return found


def next_of(feed: ChangeFeed) -> Change:
    """Wait for the next change."""

    def following() -> list[Change]:
        change = feed.take(1.0)
        return [] if change is None else [change]

    return eventually(following, "a change")[0]


def joined(feed: ChangeFeed) -> ChangeFeed:
    """Wait until the group has given partitions to this reader, and no change has come."""

    def has_partitions() -> bool:
        assert feed.take(0.1) is None
        return bool(feed._source._consumer.assignment())

    eventually(has_partitions, "partitions")
    assert feed.take(0.5) is None
    return feed


def count(number: int) -> Callable[[list[Change]], bool]:
    return lambda found: len(found) >= number


def ids(found: list[Change]) -> list[str]:
    return [change.event_id for change in found]


def of_user(found: list[Change], user_id: str) -> list[str]:
    return [change.event_id for change in found if change.user_id == user_id]


def test_the_states_and_then_the_changes_while_a_lane_writes(writer: ChangeWriter) -> None:
    writer.write_each(writer.lives(users=20, changes=200), batch=7)
    end = writer.goes("the last", 0)  # whoever has it has everything of its partition
    others = writer.goes("one more", 0)

    def write() -> None:
        writer.write_each(writer.lives(users=20, changes=400), batch=3)
        writer.write(end, others)

    writing = threading.Thread(target=write)
    states: list[Change] = []
    news: list[Change] = []
    with closing(opened(writer, start="states", provisional=True)) as feed:
        writing.start()

        def all_read() -> bool:
            change = feed.take(0.1)
            if change is not None:
                is_state = feed._handed is not None and feed._handed.next is None
                (states if is_state else news).append(change)
            return {end.event_id, others.event_id} <= {*ids(news)}

        eventually(all_read, "the last changes", every_s=0)
        writing.join()

    assert len(states) == len({change.user_id for change in states}) > 10
    assert any(change.sequence > 1 for change in states)
    users = {change.user_id for change in writer.written}
    assert len(users) == 22
    for user_id in users:
        mine = [change for change in writer.written if change.user_id == user_id]
        got = of_user(news, user_id)
        begin = len(mine) - len(got)
        assert got == ids(mine)[begin:], "a gap, a repeat, or another order"
        erasures = [at for at, change in enumerate(mine) if isinstance(change, UserErasedChange)]
        for event_id in of_user(states, user_id):
            at = ids(mine).index(event_id)
            assert at == begin - 1 or (at > begin and begin in erasures), "a gap or a repeat"
        if begin and not of_user(states, user_id):  # an erased user has no state
            assert {begin - 1, begin} & {*erasures}


def test_an_erased_user_has_no_state(writer: ChangeWriter) -> None:
    writer.write(writer.goes("7", 1), writer.goes("8", 2))
    writer.write(writer.erased("7"))
    with closing(opened(writer, start="states")) as feed:
        (state,) = taken(feed, count(1))
        assert (state.user_id, state.sequence) == ("8", 1)
        writer.write(writer.erased("8"), writer.goes("7", 3))
        erased, back = sorted(taken(feed, count(2)), key=lambda change: change.user_id, reverse=True)
    assert isinstance(erased, UserErasedChange)
    assert (back.user_id, back.sequence) == ("7", 1)


def test_without_a_group_only_what_comes_from_now_on(writer: ChangeWriter) -> None:
    writer.write(writer.goes("7", 1))
    with closing(opened(writer)) as feed:
        writer.write(writer.goes("7", 2))
        assert ids(taken(feed, count(1))) == ids(writer.written[1:])
    with closing(opened(writer, start="oldest")) as feed:
        assert ids(taken(feed, count(2))) == ids(writer.written)


def test_a_group_goes_on_where_it_was_and_has_no_gap_before_its_first_change(writer: ChangeWriter) -> None:
    group = f"{writer.topics.prefix}shop"
    joined(opened(writer, group=group)).close()
    writer.write(writer.goes("7", 1), writer.goes("8", 1))
    with closing(opened(writer, group=group)) as feed:
        assert sorted(ids(taken(feed, count(2)))) == sorted(ids(writer.written))
    writer.write(writer.goes("7", 2))
    with closing(opened(writer, group=group)) as feed:
        assert ids(taken(feed, count(1))) == ids(writer.written[2:])


def test_a_change_in_hand_comes_again_and_a_handled_one_does_not(writer: ChangeWriter) -> None:
    group = f"{writer.topics.prefix}shop"
    writer.write(*(writer.goes("7", segment) for segment in (0, 1, 2)))

    def first(number: int) -> list[str]:
        got = []
        for change in changes(
            writer.bootstrap, topic_prefix=writer.topics.prefix, group=group, start="oldest"
        ):
            got.append(change.event_id)
            if len(got) == number:
                break
        return got

    assert first(2) == ids(writer.written[:2])
    assert first(2) == ids(writer.written[1:])


def test_a_handled_change_is_committed_within_a_second(writer: ChangeWriter) -> None:
    """Twice: librdkafka's own interval of 5 seconds may end just now, but not twice."""
    with closing(opened(writer, group=f"{writer.topics.prefix}shop", start="oldest")) as feed:
        for segment in (1, 2):
            writer.write(writer.goes("7", segment))
            taken(feed, count(1))
            time.sleep(2.0)
            committed = feed._source._committed(feed._source._consumer, [0, 1])
            reached = {partition: feed._memory.reached(partition) for partition in committed}
            assert committed == reached
            assert committed


def test_states_of_a_group_that_was_ended_among_them_begin_again_with_the_same_changes(
    writer: ChangeWriter,
) -> None:
    """The user who is erased in between is told as erased: the program may have kept its state."""
    group = f"{writer.topics.prefix}shop"
    writer.write(*(writer.goes(str(user), 1) for user in range(6)))
    with closing(opened(writer, group=group, start="states")) as feed:
        first = next_of(feed)
    writer.write(writer.erased(first.user_id))
    with closing(opened(writer, group=group, start="states")) as feed:
        again = taken(feed, count(6))
    states, erasure = again[:5], again[5]
    assert {change.user_id for change in states} == {str(user) for user in range(6)} - {first.user_id}
    assert (erasure.user_id, erasure.event_id) == (first.user_id, writer.written[-1].event_id)
    joined(opened(writer, group=group, start="states")).close()  # the states are handed out once


def test_a_user_who_is_erased_and_returns_between_a_crash_and_the_next_start_comes_after_the_erasure(
    writer: ChangeWriter, tmp_path: Path
) -> None:
    """What the program was handed before the crash is from before the erasure."""
    options: Options = {"memory": tmp_path / "memory.db", "start": "states"}
    writer.write(writer.goes("7", 1))
    with closing(opened(writer, **options)) as feed:
        assert next_of(feed).segment == 1  # type: ignore[union-attr]
    erased, back = writer.erased("7"), writer.goes("7", 2)
    writer.write(erased, back)
    with closing(opened(writer, **options)) as feed:
        assert ids(taken(feed, count(3))) == ids([back, erased, back])


def test_a_memory_passes_over_the_states_that_it_had_before_the_end(
    writer: ChangeWriter, tmp_path: Path
) -> None:
    memory = tmp_path / "memory.db"
    writer.write(*(writer.goes(str(user), 1) for user in range(6)))
    with closing(opened(writer, memory=memory, start="states")) as feed:
        first = next_of(feed)
        in_hand = next_of(feed)
    with closing(opened(writer, memory=memory, start="states")) as feed:
        rest = taken(feed, count(5))
    assert {first.user_id} | {change.user_id for change in rest} == {str(user) for user in range(6)}
    assert in_hand.event_id in ids(rest)
    with closing(opened(writer, memory=memory, start="states")) as feed:
        writer.write(writer.goes("0", 2))
        assert ids(taken(feed, count(1))) == ids(writer.written[-1:])


def test_entering_is_told_once_across_restarts(writer: ChangeWriter, tmp_path: Path) -> None:
    """A user who was unsure in between has not left: the memory knows, a later record alone does not."""
    wanted: Options = {"memory": tmp_path / "memory.db", "start": "oldest", "segment": 1, "only": "entering"}
    writer.write(writer.goes("7", 1, provisional=True), writer.goes("7", 1))
    with closing(opened(writer, **wanted)) as feed:
        assert ids(taken(feed, count(1))) == ids(writer.written[1:])
    writer.write(writer.goes("7", 1, provisional=True))
    with closing(opened(writer, **wanted)) as feed:
        assert feed.take(1.0) is None
    writer.write(writer.goes("7", 1), writer.goes("7", 2), writer.goes("7", 1))
    with closing(opened(writer, **wanted)) as feed:
        assert ids(taken(feed, count(1))) == ids(writer.written[-1:])


@pytest.mark.long
def test_two_members_of_a_group_share_the_users(writer: ChangeWriter) -> None:
    group = f"{writer.topics.prefix}shop"
    one, two = (opened(writer, group=group, start="oldest") for _ in range(2))
    with closing(one), closing(two):
        got: list[list[Change]] = [[], []]

        def turn() -> bool:
            for feed, found in zip((one, two), got, strict=True):
                change = feed.take(0.05)
                if change is not None:
                    found.append(change)
            return True

        def both() -> bool:
            writer.write(*(writer.goes(f"user {n}", len(writer.written) % 4) for n in range(8)))
            return turn() and all(got)

        eventually(both, "both members get changes")
        eventually(lambda: turn() and {*ids(got[0]), *ids(got[1])} == {*ids(writer.written)}, "all changes")
    assert len(got[0]) + len(got[1]) == len(writer.written), "a repeat"
    for user_id in {change.user_id for change in writer.written}:
        for found in got:
            mine = {*of_user(found, user_id)}
            assert of_user(found, user_id) == [one for one in of_user(writer.written, user_id) if one in mine]


def test_async(writer: ChangeWriter) -> None:
    writer.write(*(writer.goes("7", segment) for segment in (0, 1, 2)))

    async def first(number: int) -> list[Change]:
        found = []
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.005)
                ticks += 1

        ticking = asyncio.create_task(tick())
        stream = changes_async(writer.bootstrap, topic_prefix=writer.topics.prefix, start="oldest")
        async with aclosing(stream):
            async for change in stream:
                found.append(change)
                if len(found) == number:
                    break
        ticking.cancel()
        assert ticks > 1, "the event loop stood still"
        return found

    assert ids(asyncio.run(first(3))) == ids(writer.written)


def test_a_cancelled_task_closes_its_reader(writer: ChangeWriter) -> None:
    group = f"{writer.topics.prefix}shop"

    async def read(got: list[Change]) -> None:
        stream = changes_async(
            writer.bootstrap, topic_prefix=writer.topics.prefix, start="oldest", group=group
        )
        async with aclosing(stream):
            async for change in stream:
                got.append(change)  # noqa: PERF401 - what came before the cancellation counts

    async def main() -> list[Change]:
        got: list[Change] = []
        task = asyncio.create_task(read(got))
        while not got:  # noqa: ASYNC110 - the reader knows no event
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return got

    writer.write(writer.goes("7", 1))
    assert ids(asyncio.run(main())) == ids(writer.written)
    writer.write(writer.goes("7", 2))
    assert ids(asyncio.run(main())) == ids(writer.written[1:])
    names = [thread.name for thread in threading.enumerate()]
    eventually(lambda: "segue-subscribe" not in [thread.name for thread in threading.enumerate()], str(names))


def test_changes_that_kafka_has_deleted_are_no_silent_gap(writer: ChangeWriter) -> None:
    group = f"{writer.topics.prefix}shop"
    joined(opened(writer, group=group)).close()
    writer.write(writer.goes("7", 1), writer.goes("8", 1))
    delete_records(writer.bootstrap, writer.topics.changes, writer.partitions)
    with closing(opened(writer, group=group)) as feed, pytest.raises(BadTopics, match="no longer in Kafka"):
        next_of(feed)


def test_offsets_of_a_topic_that_was_made_anew_are_no_silent_gap(writer: ChangeWriter) -> None:
    """The program still handles a change of the former topic while the new topic gets others."""
    group, admin = f"{writer.topics.prefix}shop", AdminClient({"bootstrap.servers": writer.bootstrap})
    with closing(opened(writer, group=group, start="oldest")) as feed:
        writer.write(writer.goes("7", 1))
        next_of(feed)
        (gone,) = admin.delete_topics([writer.topics.changes]).values()
        gone.result(HANG_S)
        again = ChangeWriter(writer.bootstrap, writer.topics.prefix)
        again.write(*(again.goes(str(number), 1) for number in range(20)))
        # Which of the two comes first depends on when the reader asks for the next record.
        with pytest.raises(BadTopics, match=r"deleted and made anew|no longer in Kafka"):
            all(feed.take(0.5) or True for _ in range(200))
    with (
        closing(opened(writer, group=group, start="oldest")) as feed,
        pytest.raises(BadTopics, match="has the offsets of the former topic: some"),
    ):
        next_of(feed)


@pytest.mark.parametrize("group", ["shop", None])
def test_a_reader_that_had_read_everything_goes_on_after_kafka_has_deleted_it(
    writer: ChangeWriter, tmp_path: Path, group: str | None
) -> None:
    """Past the last change lies the marker of its transaction, which counts as read, too."""
    options: Options = (
        {"memory": tmp_path / "memory"} if group is None else {"group": f"{writer.topics.prefix}{group}"}
    )
    feed = joined(opened(writer, **options))
    with closing(feed):
        writer.write(writer.goes("7", 1), writer.goes("8", 1))
        assert {next_of(feed).user_id, next_of(feed).user_id} == {"7", "8"}
        ends = {
            lane: feed._source._admin.stable_end(writer.topics.changes, lane)
            for lane in range(writer.partitions)
        }
        eventually(lambda: feed.take(0.1) is None and feed._source.reached() == ends, "the ends")
    delete_records(writer.bootstrap, writer.topics.changes, writer.partitions)
    with closing(joined(opened(writer, **options))) as feed:
        writer.write(writer.goes("7", 2))
        assert next_of(feed).user_id == "7"


def test_a_segment_has_no_name_before_a_release(writer: ChangeWriter) -> None:
    with pytest.raises(BadRelease, match="name the segment by its number"):
        opened(writer, segment="loyal")


def test_without_topics_a_sentence(kafka: KafkaService, topic_prefix: str) -> None:
    with pytest.raises(BadTopics, match=f"there is no topic {topic_prefix}segment-changes at"):
        next(changes(kafka.bootstrap, topic_prefix=topic_prefix))


def reader(writer: ChangeWriter, out: Path, **options: Any) -> subprocess.Popen[bytes]:
    given = {"kafka": writer.bootstrap, "topic_prefix": writer.topics.prefix, **options}
    with out.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, READER, json.dumps(given)], stdout=file, stderr=subprocess.PIPE
        )


def lines(out: Path) -> list[str]:
    return [line for line in out.read_text().splitlines() if line]


@pytest.mark.long
@pytest.mark.parametrize(
    "with_memory", [pytest.param(False, id="group", marks=pytest.mark.wide), pytest.param(True, id="memory")]
)
def test_a_reader_that_is_killed_again_and_again(
    writer: ChangeWriter, tmp_path: Path, with_memory: bool
) -> None:
    """Without a memory, what was handled since the last commit comes again; with it, what is in hand."""
    out, drawn = tmp_path / "out.txt", random.Random(3)
    out.touch()
    options: dict[str, Any] = {"group": f"{writer.topics.prefix}shop", "start": "oldest", "provisional": True}
    options["kafka_options"] = {"session.timeout.ms": "6000"}
    if with_memory:
        options["memory"] = str(tmp_path / "memory.db")
    writer.write_each(writer.lives(users=20, changes=2_000), batch=50)
    kills = 0
    for _ in range(4):
        before = len(lines(out))
        process = reader(writer, out, **options)
        wanted = before + drawn.randrange(1, 300)
        # A fast reader has had all of them before its kill; then there is no more to wait for.
        eventually(partial(has_lines, out, wanted, len(writer.written)), "lines")
        process.kill()
        process.communicate()
        kills += 1
    writer.write(writer.goes("the last", 1))  # the killed readers may have had all others
    process = reader(writer, out, **options)
    eventually(lambda: {*lines(out)} == {*ids(writer.written)}, "every change")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=HANG_S)
    assert process.returncode == 0, err

    got = lines(out)
    repeats = len(got) - len(set(got))
    assert repeats <= kills if with_memory else repeats < len(got)
    first_seen = list(dict.fromkeys(got))
    for user_id in {change.user_id for change in writer.written}:
        whole = of_user(writer.written, user_id)
        assert [event_id for event_id in first_seen if event_id in set(whole)] == whole


def has_lines(out: Path, wanted: int, every: int) -> bool:
    return len(lines(out)) > wanted or len(set(lines(out))) == every


@pytest.mark.long
def test_a_program_that_starts_before_its_broker_waits_and_ends_by_ctrl_c(
    fresh_kafka: Callable[..., LocalKafka], topic_prefix: str, tmp_path: Path
) -> None:
    server = fresh_kafka()
    writer = ChangeWriter(server.bootstrap, topic_prefix)
    writer.write(writer.goes("7", 1))
    server.kill()
    out, err = tmp_path / "out.txt", tmp_path / "err.txt"
    given = {"kafka": server.bootstrap, "topic_prefix": topic_prefix, "start": "oldest"}
    with out.open("ab") as file, err.open("ab") as errors:
        process = subprocess.Popen([sys.executable, READER, json.dumps(given)], stdout=file, stderr=errors)
    eventually(lambda: "has not answered yet. Waiting since" in err.read_text(), "the wait is seen")
    server.start()
    eventually(lambda: lines(out) == ids(writer.written), "the change")
    assert f"Kafka at {server.bootstrap} answers, after " in err.read_text()
    server.kill()
    eventually(
        lambda: f"Kafka at {server.bootstrap} does not answer" in err.read_text(), "the silence is seen"
    )
    process.send_signal(signal.SIGINT)
    assert process.wait(HANG_S) == 0, err.read_text()
    assert "Traceback" not in err.read_text()


def test_what_types_a_program_sees(writer: ChangeWriter) -> None:
    stream: Iterator[Change] = changes(writer.bootstrap, topic_prefix=writer.topics.prefix, start="oldest")
    writer.write(writer.goes("7", 1))
    assert next(stream) == writer.written[0]


def test_states_on_another_number_of_partitions_are_one_sentence(
    kafka: KafkaService, topic_prefix: str
) -> None:
    counts = {f"{topic_prefix}segment-changes": 3, f"{topic_prefix}user-segments": 2}
    create_patiently(kafka.bootstrap, [NewTopic(name, count, 1) for name, count in counts.items()])
    with pytest.raises(BadTopics, match=r"changes has 3 partitions and .*user-segments has 2: a user"):
        next(changes(kafka.bootstrap, topic_prefix=topic_prefix, start="states"))
