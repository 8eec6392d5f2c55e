"""The hub with a feed of the test's own: every viewer, and what a failure and a slow reader get."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from typing import TypeVar

import pytest

from schemas.errors import SegueError, Unreachable
from schemas.outputs.segment_change import Change
from segue.console.viewers import change_hub
from segue.console.viewers.change_hub import MOST_VIEWERS, ChangeHub, NoChanges, TooManyViewers
from segue.console.viewers.change_stream import RECONNECT, end_event
from segue.console.viewers.viewer import MOST_WAITING, TOO_SLOW, Viewer
from tests.support.inputs.made_change import a_change
from tests.support.worlds.made_up_console import MadeUpFeed

Answer = TypeVar("Answer")


def everything(_change: Change) -> bool:
    return True


def user_of(change: Change) -> bytes:
    return change.user_id.encode()


def with_hub(work: Callable[[ChangeHub, MadeUpFeed], Awaitable[Answer]]) -> Answer:
    async def run() -> Answer:
        feed = MadeUpFeed()
        hub = ChangeHub(feed.open())
        hub.start()
        try:
            return await work(hub, feed)
        finally:
            await hub.stop()

    return asyncio.run(run())


async def next_of(events: AsyncIterator[bytes], count: int) -> list[bytes]:
    return [await anext(events) for _ in range(count)]


async def joined_again(hub: ChangeHub) -> Viewer:
    """Join as soon as the feed is open again."""
    while True:
        try:
            return hub.join(everything, user_of)
        except NoChanges:
            await asyncio.sleep(0)


def test_every_viewer_gets_the_changes_that_it_wants_in_order() -> None:
    async def work(hub: ChangeHub, feed: MadeUpFeed) -> tuple[list[bytes], list[bytes]]:
        all_of_them = hub.events(hub.join(everything, user_of))
        only_8 = hub.events(hub.join(lambda change: change.user_id == "8", user_of))
        feed.send(*(a_change(user_id=user_id) for user_id in ("7", "8", "9")))
        return await next_of(all_of_them, 4), await next_of(only_8, 2)

    assert with_hub(work) == ([RECONNECT, b"7", b"8", b"9"], [RECONNECT, b"8"])


def test_a_change_is_encoded_once_for_all_viewers() -> None:
    encoded = []

    def encode(change: Change) -> bytes:
        encoded.append(change.user_id)
        return b"x"

    async def work(hub: ChangeHub, feed: MadeUpFeed) -> None:
        viewers = [hub.events(hub.join(everything, encode)) for _ in range(3)]
        feed.send(a_change())
        for viewer in viewers:
            await next_of(viewer, 2)

    with_hub(work)
    assert encoded == ["7"]


def test_a_slow_viewer_is_dropped_with_a_sentence_and_the_others_go_on() -> None:
    async def work(hub: ChangeHub, feed: MadeUpFeed) -> tuple[list[bytes], int, bytes]:
        slow = hub.events(hub.join(everything, user_of))
        fast = hub.events(hub.join(everything, user_of))
        await next_of(fast, 1)
        feed.send(*[a_change()] * (MOST_WAITING + 1))
        last = (await next_of(fast, MOST_WAITING + 1))[-1]
        return [event async for event in slow], hub.viewers, last

    assert with_hub(work) == ([RECONNECT, end_event(TOO_SLOW)], 1, b"7")


def test_a_feed_that_fails_ends_the_viewers_and_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_hub, "_RETRY_S", 0.0)

    async def work(hub: ChangeHub, feed: MadeUpFeed) -> tuple[list[bytes], list[bytes]]:
        first = hub.events(hub.join(everything, user_of))
        feed.send(Unreachable("Kafka is away"))
        ended = [event async for event in first]
        again = hub.events(await joined_again(hub))
        feed.send(a_change(user_id="8"))
        return ended, await next_of(again, 2)

    assert with_hub(work) == ([RECONNECT, end_event("Kafka is away")], [RECONNECT, b"8"])


def test_while_the_feed_cannot_be_opened_a_viewer_is_told_why() -> None:
    def closed() -> MadeUpFeed:
        raise SegueError("there is no topic segment-changes")

    async def run() -> None:
        hub = ChangeHub(closed)
        first = hub.join(everything, user_of)
        hub.start()
        assert [event async for event in hub.events(first)][-1] == end_event(
            "there is no topic segment-changes"
        )
        with pytest.raises(NoChanges, match="no topic segment-changes"):
            hub.join(everything, user_of)
        await hub.stop()

    asyncio.run(run())


def test_the_viewers_have_an_upper_limit_and_who_leaves_makes_room() -> None:
    async def work(hub: ChangeHub, _feed: MadeUpFeed) -> None:
        viewers: list[Viewer] = [hub.join(everything, user_of) for _ in range(MOST_VIEWERS)]
        with pytest.raises(TooManyViewers, match="200 viewers"):
            hub.join(everything, user_of)
        leaving = hub.events(viewers[0])
        await anext(leaving)
        await leaving.aclose()  # type: ignore[attr-defined]  # an asynchronous generator has it
        hub.join(everything, user_of)

    with_hub(work)


def test_a_hub_that_stops_ends_its_viewers() -> None:
    async def run() -> list[bytes]:
        hub = ChangeHub(MadeUpFeed().open())
        hub.start()
        viewer = hub.join(everything, user_of)
        await hub.stop()
        return [event async for event in hub.events(viewer)]

    assert asyncio.run(run()) == [RECONNECT, end_event("the console ends")]


def test_threads_read_the_newest_while_changes_come() -> None:
    seconds = count()
    hub = ChangeHub(MadeUpFeed().open(), lambda: float(next(seconds)))
    changes = [a_change(previous_segment=None, segment=segment) for segment in range(1_000)]
    read: list[int] = []

    def read_on() -> None:
        while not read or read[-1] < len(changes):
            hub.newest(), hub.in_last_minute()
            read.append(hub.flow().moves)

    reader = threading.Thread(target=read_on)
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        reader.start()
        for change in changes:
            asyncio.run(hub._hand_out([change]))
    finally:
        sys.setswitchinterval(usual_s)
        reader.join(10.0)
    assert read[-1] == len(changes)
