"""The order of webhooks, their repeats, and the bounds of requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from segue.triggers.file.trigger_file import Trigger
from segue.triggers.sending import courier as courier_module
from segue.triggers.sending.courier import Courier, Job
from segue.triggers.sending.post_webhook import Answer
from segue.triggers.sending.webhook_body import Message, Receiver
from segue.triggers.webhook_post import Posted
from tests.support.inputs.made_change import a_change
from tests.support.servers.services import eventually

TAKEN, BUSY, GONE = Answer(taken=True), Answer(taken=False, reason="busy"), Answer(taken=False, final=True)


class Story:
    """A courier whose receiver answers as a function says; what was posted, and what came of it."""

    def __init__(self, answer: Callable[[str, int], Answer], **fields: Any) -> None:
        self.posted: list[str] = []
        self.at_s: list[float] = []
        self.ended: dict[str, Posted] = {}
        self.at_once = self.most_at_once = 0
        self._answer = answer
        self._lock = threading.Lock()
        trigger = Trigger(**{"name": "t", "on": "entering", "url": "http://x", "rate": 10_000.0, **fields})
        receiver = Receiver(Path("f"), trigger, "/segue/", {})
        self.courier = Courier(receiver, self._post, first_pause_s=0.02)

    def _post(self, message: Message) -> Answer:
        name = message.webhook_id.removesuffix("-t")
        with self._lock:
            self.posted.append(name)
            self.at_s.append(time.monotonic())
            tries = self.posted.count(name)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        answer = self._answer(name, tries)
        with self._lock:
            self.at_once -= 1
        return answer

    def add(self, user: str, name: str, wanted: Callable[[], bool] = lambda: True) -> None:
        change = a_change(user_id=user, event_id=name)
        self.courier.add(Job(change, wanted, lambda end: self.ended.__setitem__(name, end)))


@contextmanager
def told(answer: Callable[[str, int], Answer], **fields: Any) -> Iterator[Story]:
    story = Story(answer, **fields)
    try:
        yield story
    finally:
        story.courier.close()


def test_a_users_webhooks_go_in_order_and_others_do_not_wait() -> None:
    with told(lambda name, tries: TAKEN if name != "a1" or tries > 4 else BUSY) as story:
        for user, name in (("a", "a1"), ("a", "a2"), ("b", "b1"), ("a", "a3"), ("b", "b2")):
            story.add(user, name)
        eventually(lambda: len(story.ended) == 5)
    assert [name for name in story.posted if name[0] == "a"] == ["a1"] * 5 + ["a2", "a3"]
    assert [name for name in story.posted if name[0] == "b"] == ["b1", "b2"]
    assert story.posted.index("b2") < story.posted.index("a2")
    assert set(story.ended.values()) == {Posted()}


def test_a_final_answer_gives_up_at_once() -> None:
    with told(lambda name, _: GONE if name == "a1" else TAKEN) as story:
        story.add("a", "a1")
        story.add("a", "a2")
        eventually(lambda: len(story.ended) == 2)
    assert story.posted == ["a1", "a2"]
    assert story.ended["a1"].given_up == "; tries: 1"


def test_the_log_says_once_that_webhooks_become_dead_letters() -> None:
    refused = Answer(taken=False, final=True, reason="the receiver answered 401")
    answers = {"a1": [BUSY, refused], "a2": [refused], "a3": [TAKEN], "a4": [refused], "a5": [TAKEN]}
    with (
        structlog.testing.capture_logs() as said,
        told(lambda name, tries: answers[name][tries - 1]) as story,
    ):
        for name in answers:
            story.add("a", name)
        eventually(lambda: len(story.ended) == 5)
    assert [(each["event"], each.get("reason")) for each in said] == [
        ("receiver fails", "busy"),
        ("webhooks become dead letters", "the receiver answered 401"),
        ("receiver works again", None),
        ("webhooks become dead letters", "the receiver answered 401"),
    ]


def test_a_template_that_fails_for_every_change_is_in_the_log() -> None:
    with structlog.testing.capture_logs() as said, told(lambda *_: TAKEN, body="{{ nothing }}") as story:
        story.add("a", "a1")
        story.add("b", "b1")
        eventually(lambda: len(story.ended) == 2)
    assert [each["event"] for each in said] == ["webhooks become dead letters"]
    assert "the template fails for this change" in said[0]["reason"]


def test_it_gives_up_after_its_time_and_not_before_five_tries() -> None:
    with told(lambda *_: BUSY, give_up_after=timedelta(microseconds=1)) as story:
        story.add("a", "a1")
        eventually(lambda: story.ended)
    assert story.posted == ["a1"] * 5
    assert story.ended["a1"].given_up == "busy; tries: 5"


@pytest.mark.parametrize(("hours", "lost"), [(1, False), (5, True)])
def test_a_receiver_that_is_down_for_an_hour_loses_nothing(
    hours: int, lost: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the defaults, by a clock on which each look takes a minute."""
    clock_s = count(1_000.0, 60.0)
    works_s = 1_000.0 + hours * 3_600.0
    monkeypatch.setattr(courier_module, "time", SimpleNamespace(monotonic=lambda: next(clock_s)))
    with told(lambda *_: TAKEN if next(clock_s) > works_s else BUSY) as story:
        story.add("a", "a1")
        eventually(lambda: story.ended)
    assert (story.ended["a1"].given_up is not None) == lost
    assert len(story.posted) > 10


def test_the_pauses_double_with_jitter_up_to_a_minute() -> None:
    with told(lambda *_: TAKEN) as story:
        pauses = {tries: [story.courier._pause_s(tries) for _ in range(200)] for tries in (1, 2, 5, 60)}
    for tries, longest in ((1, 0.02), (2, 0.04), (5, 0.32), (60, courier_module.MAX_PAUSE_S)):
        assert longest / 2 <= min(pauses[tries]) < max(pauses[tries]) <= longest
        assert max(pauses[tries]) - min(pauses[tries]) > longest / 4


def test_retry_after_keeps_every_webhook_of_the_trigger_waiting() -> None:
    wait = Answer(taken=False, reason="busy", retry_after_s=0.5)
    with told(lambda name, tries: wait if (name, tries) == ("a1", 1) else TAKEN, concurrency=1) as story:
        story.add("a", "a1")
        eventually(lambda: story.posted)
        story.add("b", "b1")
        eventually(lambda: len(story.ended) == 2)
    assert min(story.at_s[1:]) - story.at_s[0] >= 0.5


def test_concurrency_and_rate_are_bounds() -> None:
    def slow(_name: str, _tries: int) -> Answer:
        time.sleep(0.05)
        return TAKEN

    with told(slow, concurrency=3, rate=40.0) as story:
        for number in range(20):
            story.add(str(number), f"n{number}")
        eventually(lambda: len(story.ended) == 20)
    assert 1 < story.most_at_once <= 3
    assert story.at_s[-1] - story.at_s[0] >= 19 / 40 - 0.03


def test_after_a_pause_the_rate_holds_from_the_first_request_on() -> None:
    with told(lambda *_: TAKEN, rate=5.0) as story:
        for name in ("a", "b", "c"):
            story.add(name, f"{name}1")
        eventually(lambda: len(story.ended) == 3)
    assert story.at_s[2] - story.at_s[0] >= 0.3  # 0.4 but for a late first thread


def test_what_is_not_wanted_any_more_is_not_begun() -> None:
    with told(lambda *_: TAKEN) as story:
        story.add("a", "a1", lambda: False)
        story.add("a", "a2")
        eventually(lambda: story.ended)
    assert story.posted == ["a2"]
    assert "a1" not in story.ended


@pytest.mark.parametrize("error", [ValueError("x"), OSError("x")])
def test_an_unexpected_error_is_tried_again(error: Exception) -> None:
    def fails_once(_name: str, tries: int) -> Answer:
        if tries == 1:
            raise error
        return TAKEN

    with told(fails_once) as story:
        story.add("a", "a1")
        eventually(lambda: story.ended)
    assert story.ended == {"a1": Posted()}
