"""The helper that every test with a server leans on."""

from __future__ import annotations

import pytest

from tests.support.servers.services import eventually


def test_it_gives_what_the_condition_gave() -> None:
    values = iter([None, 0, "", "seven"])
    assert eventually(lambda: next(values), every_s=0) == "seven"


def test_a_failed_assertion_means_not_yet() -> None:
    counts = iter(range(3))

    def third() -> bool:
        assert next(counts) == 2
        return True

    assert eventually(third, every_s=0)


def test_past_the_deadline_it_names_what_and_the_last_value() -> None:
    with pytest.raises(AssertionError, match=r"not within 0 s: the lane has moved; last: \[\]"):
        eventually(list, "the lane has moved", deadline_s=0)


def test_past_the_deadline_it_shows_the_last_failed_assertion() -> None:
    def never() -> bool:
        raise AssertionError("3 of 4")

    with pytest.raises(AssertionError, match="3 of 4"):
        eventually(never, "four", deadline_s=0)


def test_other_errors_come_through_at_once() -> None:
    def broken() -> bool:
        raise KeyError("x")

    with pytest.raises(KeyError):
        eventually(broken)
