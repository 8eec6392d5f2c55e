"""A retry keeps the rate, waits as it is asked to, and leaves out what is removed meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import Unreachable
from schemas.outputs.wire import encode_change
from segue.config.settings import Settings
from segue.triggers.file.trigger_file import Trigger, Triggers
from segue.triggers.sending.post_webhook import Answer
from segue.triggers.sending.webhook_body import Message, Receiver
from segue.triggers.service import retry_letters
from segue.triggers.service.dead_letters import Letter
from segue.triggers.service.retry_letters import AnotherRetry, Retried, send_letters
from streamer.interfaces.lane_errors import Fenced, InDoubt
from tests.support.inputs.made_change import a_change

FILE = Path("triggers.toml")


class Letters:
    """Dead letters in memory."""

    def __init__(self, *names: str) -> None:
        self.standing = {name: Letter(name, "t", "", 0, encode_change(a_change())) for name in names}

    def read(self) -> dict[str, Letter]:
        return dict(self.standing)

    def stands(self, webhook_id: str) -> bool:
        return webhook_id in self.standing

    def remove(self, letter: Letter) -> None:
        del self.standing[letter.webhook_id]

    def close(self) -> None:
        pass


def retried(letters: Letters, post: Callable[[Message], Answer], rate: float = 10_000.0) -> Retried:
    trigger = Trigger(name="t", on="entering", segment=1, url="http://x", rate=rate)
    receivers = {"t": Receiver(FILE, trigger, "/segue/", {})}
    return send_letters(letters, FILE, receivers, {"t": post}, letters.remove, None, lambda _: None)


@pytest.mark.parametrize(
    ("answer", "rate", "least_s"),
    [
        (Answer(taken=True), 10.0, 0.2),
        (Answer(taken=False, final=True, reason="no"), 10.0, 0.2),
        (Answer(taken=False, reason="busy", retry_after_s=0.15), 1_000.0, 0.3),
    ],
)
def test_every_post_waits_for_the_rate_and_for_retry_after(
    answer: Answer, rate: float, least_s: float
) -> None:
    at_s: list[float] = []

    def post(_: Message) -> Answer:
        at_s.append(time.monotonic())
        return answer

    done = retried(Letters("a", "b", "c"), post, rate)
    assert at_s[-1] - at_s[0] >= least_s
    assert done.sent == (3 if answer.taken else 0)
    assert list(done.not_sent) == ([] if answer.taken else ["a", "b", "c"])


def test_a_letter_that_cannot_be_read_holds_no_other_back() -> None:
    letters = Letters("a", "b")
    letters.standing["a"] = Letter("a", "t", "", 0, b"no change")
    done = retried(letters, lambda _: Answer(taken=True))
    assert done.sent == 1
    assert "was it written by Segue, and by this version?" in done.not_sent["a"]
    assert list(letters.standing) == ["a"]


def test_a_user_who_is_erased_meanwhile_gets_nothing() -> None:
    letters = Letters("a", "b", "c")
    posted = 0

    def post(_: Message) -> Answer:
        nonlocal posted
        posted += 1
        letters.standing.pop("b", None)
        return Answer(taken=True)

    assert retried(letters, post) == Retried(2, {})
    assert posted == 2
    assert letters.standing == {}


@pytest.mark.parametrize(
    ("doubt", "error", "says"),
    [
        (Fenced("x"), AnotherRetry, "another `segue triggers retry` runs: wait until it has ended"),
        (InDoubt("no answer"), Unreachable, r"its dead letter may still be there \(no answer\): start again"),
    ],
)
@pytest.mark.parametrize("at", ["fence", "commit"])
def test_a_second_retry_and_a_failed_commit_are_one_sentence(
    at: str, doubt: Exception, error: type[Exception], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __init__(self, *_: Any) -> None:
            pass

        def fence(self) -> None:
            if at == "fence":
                raise doubt

        def commit(self, *_: Any) -> None:
            raise doubt

        def give_up(self) -> None:
            pass

    monkeypatch.setattr(retry_letters, "Writer", Broken)
    monkeypatch.setattr(retry_letters, "DeadLetters", lambda _: Letters("a"))
    monkeypatch.setattr(retry_letters, "check_trigger_topics", lambda _: None)
    taken = Answer(taken=True)
    monkeypatch.setattr(retry_letters, "poster_of", lambda _: (None, lambda _message: taken))
    triggers = Triggers((Trigger(name="t", on="entering", segment=1, url="http://x"),))
    with pytest.raises(error, match=says):
        retry_letters.retry_letters(Settings(), FILE, triggers, None, lambda _: None)
