"""The log as it would be, had nobody made a topic anew."""

from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from tests.campaigns.chaos import remakes
from tests.campaigns.chaos.remakes import Remakes, _Remake


def message(topic: str, partition: int, offset: int) -> Any:
    return SimpleNamespace(topic=lambda: topic, partition=lambda: partition, offset=lambda: offset)


OLD = [message("orders", 0, 0), message("orders", 0, 2), message("orders", 1, 0)]
OLDER = [message("orders", 0, 4)]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Remakes:
    """Orders were made anew twice. Offset 7 of a lane lies between the first deletion and its discovery."""
    monkeypatch.setattr(remakes, "read_topic", lambda _, topic: [message(topic, 0, 0), message(topic, 1, 1)])
    deployment: Any = SimpleNamespace(bootstrap="", lanes=range(2))
    unused: Any = None
    some = Remakes(deployment, unused, unused, Random(1), print, unused)
    some._made = [
        _Remake("orders", OLDER, ({0: 7}, {0: 8}), {0: 3}),
        _Remake("orders", OLD, ({0: 20, 1: 4}, {0: 20, 1: 4}), {0: 9}),
    ]
    return some


def test_records_lie_one_behind_the_other(made: Remakes) -> None:
    """Five offsets of the first topic, three of the second one."""
    at = [(told.partition(), offset) for offset, told in made.log("orders")]
    assert at == [(0, 4), (0, 5), (0, 7), (1, 0), (0, 8), (1, 2)]
    assert [offset for offset, _ in made.log("signups")] == [0, 1]


@pytest.mark.parametrize(
    ("lane", "at", "told", "right"),
    [
        (0, 6, 5, 5),
        (0, 7, 5, 5),  # a sweep of a lane that does not know
        (0, 7, 0, 5),  # and of one that does
        (0, 8, 1, 6),
        (0, 19, 3, 8),
        (0, 20, 1, 9),
        (1, 0, 0, 0),
        (1, 3, 1, 1),
        (1, 4, 1, 2),
    ],
)
def test_positions_of_a_change(made: Remakes, lane: int, at: int, told: int, right: int) -> None:
    assert made.positions({"orders": told, "signups": 2}, lane, at) == {"orders": right, "signups": 2}


@pytest.mark.parametrize(("letter", "right"), [(2, 1), (3, 6), (8, 6), (9, 9)])
def test_where_the_record_of_a_letter_lies(made: Remakes, letter: int, right: int) -> None:
    assert made.origin(message("letters", 0, letter), ("orders", 0, 1)) == ("orders", 0, right)
    assert made.origin(message("letters", 0, letter), ("signups", 0, 1)) == ("signups", 0, 1)
