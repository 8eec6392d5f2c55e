"""How a command waits: silently for a moment, then aloud, and not for ever."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from schemas.errors import LoginRefused, Unreachable, Unusable
from segue.connect import wait_for_servers
from segue.connect.wait_for_servers import Wait, answer_s, patience_s, short_patience

REFUSED = "Kafka at k:1 did not tell its topics (Connection refused)"


class World:
    """A wait, what it says, and the clock that it goes by."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.said: list[str] = []
        self.wait = Wait("Kafka at k:1", self.said.append, lambda: self.now_s)

    def lasts_until(self, now_s: float, reason: str | None = None) -> bool:
        self.now_s = now_s
        return self.wait.lasts(reason)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(wait_for_servers, "_RETRY_S", 0.0)
    return World()


def failing(world: World, errors: list[Exception], seconds: float = 0.0) -> Callable[[], str]:
    """Raises these, each after so long, then answers."""

    def attempt() -> str:
        world.now_s += seconds
        if errors:
            raise errors.pop(0)
        return "found"

    return attempt


def test_an_answer_that_comes_soon_is_not_worth_a_word(world: World) -> None:
    assert not world.lasts_until(100)
    assert not world.lasts_until(102.9)
    world.wait.over()
    assert not world.lasts_until(104)  # this is another wait
    assert world.said == []


def test_what_is_waited_for_and_since_when_then_each_minute_then_that_it_is_over(world: World) -> None:
    world.lasts_until(100)
    world.lasts_until(103)
    (told,) = world.said
    assert told.startswith("Kafka at k:1 has not answered yet. Waiting since ")
    assert told.endswith(" UTC, for 5 minutes at most; ctrl-C ends it.")

    world.lasts_until(110, REFUSED)
    assert world.said[1:] == [f"{REFUSED}. Waiting for 10 s so far."]
    world.lasts_until(150, "Kafka at k:1 did something else")
    assert len(world.said) == 2
    world.lasts_until(170)
    assert world.said[2:] == [f"{REFUSED}. Waiting for 70 s so far."]

    world.now_s = 172
    world.wait.over()
    assert world.said[3:] == ["Kafka at k:1 answers, after 72 s."]


def test_a_question_is_asked_again_until_it_is_answered(world: World) -> None:
    attempt = failing(world, [Unreachable(REFUSED), Unreachable(REFUSED)], 10)

    assert world.wait.until_answered(attempt) == "found"

    first, last = world.said
    assert first.startswith(f"{REFUSED}. Waiting since ")
    assert last == "Kafka at k:1 answers, after 30 s."


def test_patience_ends(world: World) -> None:
    with pytest.raises(Unreachable, match="Connection refused"):
        world.wait.until_answered(failing(world, [Unreachable(REFUSED)] * 100, 10))
    assert world.now_s - 100 == wait_for_servers.PATIENCE_S


def test_a_short_patience_ends_soon_and_says_nothing(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with short_patience(5.0):
        wait = Wait("Kafka at k:1", clock=lambda: world.now_s)
        assert (answer_s(15.0), answer_s(2.0)) == (5.0, 2.0)
    with pytest.raises(Unreachable):
        wait.until_answered(failing(world, [Unreachable(REFUSED)] * 100, 2))
    assert (world.now_s, capsys.readouterr().err) == (106.0, "")
    assert (answer_s(15.0), patience_s()) == (15.0, wait_for_servers.PATIENCE_S)


@pytest.mark.parametrize(
    "error",
    [LoginRefused("wrong password"), Unusable("no right to"), ValueError("a bug"), KeyboardInterrupt()],
)
def test_what_waiting_does_not_help_ends_it_at_once(world: World, error: Exception) -> None:
    with pytest.raises(type(error)):
        world.wait.until_answered(failing(world, [error]))
    assert world.said == []


def test_it_says_so_while_one_call_blocks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait_for_servers, "_LOOK_S", 0.001)

    def block() -> str:
        world.now_s += 4
        while not world.said:
            pass
        return "found"

    assert world.wait.until_answered(block) == "found"
    assert world.said[0].startswith("Kafka at k:1 has not answered yet. Waiting since ")
