"""Which place a lane must have come to, and which ids no user can have."""

from datetime import UTC, datetime

import pytest

from segue.cli.main import run
from segue.events.erase_user import Erasure
from streamer.place.place import FoldSettings, Place, using
from tests.support.worlds.made_up_release import an_active_model

ERASURE = Erasure("7", datetime(2024, 5, 1, tzinfo=UTC), "signups", "id-1", 2, 41)


def a_place(offset: int, topic_id: str = "id-1") -> Place:
    return Place(
        3,
        "w",
        {"signups": offset, "orders": 99},
        {"signups": topic_id},
        FoldSettings(4),
        using(None, an_active_model()),
    )


def test_a_lane_has_applied_it_once_its_next_offset_is_beyond() -> None:
    assert not ERASURE.is_before(a_place(41))
    assert ERASURE.is_before(a_place(42))


def test_a_place_in_a_topic_of_that_name_before_this_one_tells_nothing() -> None:
    assert not ERASURE.is_before(a_place(42, "id-0"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["  "], "Error: the user's id cannot be used: "),
        (["é" * 129], "Error: the user's id cannot be used: "),
        (["7", "--wait", "0"], "Error: option --wait is 0.0: give seconds, above 0"),
    ],
)
def test_what_cannot_be_used_is_said(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["forget", *arguments]) == 2
    assert told in capsys.readouterr().err
