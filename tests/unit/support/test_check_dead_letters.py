"""The check of dead letters finds one that is lost beside one too many, though their number is right."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.checks.check_dead_letters import Sent, bad_in_log, match_letters

GOOD, BAD = b'{"user_id":"7"}', b"{"


def message(
    offset: int, value: bytes | None = BAD, partition: int = 0, headers: dict[str, str] | None = None
) -> Any:
    told = [(f"segue_{name}", text.encode()) for name, text in (headers or {}).items()]
    return SimpleNamespace(
        topic=lambda: "orders",
        partition=lambda: partition,
        offset=lambda: offset,
        key=lambda: b"7",
        value=lambda: value,
        headers=lambda: told,
    )


def letter(offset: int, value: bytes | None = BAD, reason: str = "the value is not valid JSON") -> Any:
    headers = {"topic": "orders", "partition": "0", "offset": str(offset), "reason": reason}
    return message(9, value, headers=headers)


SENT: Counter[Sent] = Counter({("orders", -1, b"7", BAD): 2, ("orders", -1, b"7", None): 1})
LOG = [(0, message(0)), (1, message(1, GOOD)), (2, message(2)), (3, message(3, None))]
LETTERS = [letter(0), letter(2), letter(3, None)]


def test_each_bad_record_once() -> None:
    bad = bad_in_log(LOG, SENT)
    assert sorted(bad) == [("orders", 0, 0), ("orders", 0, 2), ("orders", 0, 3)]
    match_letters(bad, LETTERS)


@pytest.mark.parametrize(
    ("letters", "words"),
    [
        # The two that are alike: one is lost, the other twice there.
        ([letter(0), letter(0), letter(3, None)], "1 bad events are no dead letters"),
        (LETTERS[:2], "1 bad events are no dead letters"),
        ([*LETTERS, letter(2)], "1 dead letters too many"),
        ([*LETTERS, letter(1, GOOD)], "a dead letter of what is not bad"),
        ([letter(0, b"["), *LETTERS[1:]], "its letter is"),
        ([letter(0, reason="two\nlines"), *LETTERS[1:]], "two"),
        ([letter(0, reason="Traceback (most recent call last)"), *LETTERS[1:]], "Traceback"),
        ([letter(0, reason=" "), *LETTERS[1:]], "no reason"),
    ],
)
def test_letters_that_are_wrong(letters: list[Any], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        match_letters(bad_in_log(LOG, SENT), letters)


def test_a_record_that_was_sent_and_is_not_in_the_log() -> None:
    with pytest.raises(AssertionError, match="not as sent"):
        bad_in_log(LOG[1:], SENT)


def test_a_good_event_is_bad_where_it_came_astray() -> None:
    """The same record lies in its lane, too."""
    log = [(1, message(1, GOOD)), (5, message(5, GOOD, partition=2))]
    assert [*bad_in_log(log, {("orders", 2, b"7", GOOD): 1})] == [("orders", 2, 5)]
