from __future__ import annotations

import pytest
from msgspec.structs import replace

from schemas.release.model_release import ModelRelease, Segment
from tests.support.worlds.made_up_release import a_release
from trainer.publish.publish_gate import history_problem, refusal
from trainer.publish.release_history import Publication, Published
from trainer.release.impact import Impact, Moves, Pair


def release(version: str, continues: str | None, *ids: int) -> ModelRelease:
    segments = tuple(Segment(id_, "", (0.0, 0.0), 1) for id_ in ids)
    return replace(
        a_release(), version=version, continues=continues, segments=segments, next_segment=max(ids) + 1
    )


A = release("a", None, 0, 1, 2)
B = release("b", "a", 0, 1, 3)


def known(*releases: ModelRelease) -> Published:
    """The last one is current."""
    all_ = tuple(Publication(each, None, None) for each in releases)
    return Published(all_, all_[-1] if all_ else None, 1)


@pytest.mark.parametrize(
    ("new", "others"),
    [
        (A, []),
        (B, []),  # what it continues was published elsewhere
        (B, [A]),
        (A, [A]),
        (A, [A, B]),  # an older one again
        (release("c", "b", 0, 1, 3, 4), [A, B]),
        (release("c", "a", 0, 1, 4), [B, A]),  # after a rollback; 3 was B's
    ],
)
def test_a_history_that_fits(new: ModelRelease, others: list[ModelRelease]) -> None:
    assert history_problem(new, known(*others)) is None


@pytest.mark.parametrize(
    ("new", "others", "problem"),
    [
        (release("c", "a", 0, 1, 2), [A, B], "release c was trained to follow a, but b is current"),
        (release("c", None, 0, 1), [A], "release c was trained as a first release, but a is current"),
        (
            release("c", "a", 0, 1, 3),
            [B, A],
            "gives the id 3 to a new segment, but release b gave it to another segment",
        ),
        (release("c", "b", 0, 2), [A, B], "gives the id 2 to a new segment, but release a"),
    ],
)
def test_a_history_that_does_not(new: ModelRelease, others: list[ModelRelease], problem: str) -> None:
    assert problem in (history_problem(new, known(*others)) or "")
    assert "train again" in (history_problem(new, known(*others)) or "")


def impact(moved: int, users: int = 1_000) -> Impact:
    return Impact("a", {}, Moves(users, (Pair(0, 1, moved),)), None, ())


def test_of_a_few_users_the_limit_is_less_than_one() -> None:
    assert "and the limit is 5%, less than one user: look" in (refusal(B, impact(1, 13), None, 0.05) or "")


def test_the_limit_is_allowed_and_one_user_more_is_not() -> None:
    assert refusal(B, impact(50), None, 0.05) is None
    assert refusal(B, impact(51), None, 0.05) == (
        "release b would move 51 of 1,000 users (5.1%) to another segment, and the limit is 5%: "
        "look at the pairs, then publish it with --force or a higher --max-moved"
    )
    assert refusal(B, impact(51), None, 0.06) is None


def test_what_cannot_be_compared() -> None:
    assert refusal(A, None, None, 0.0) is None
    told = refusal(B, Impact("a", {}, None, None, ()), None, 1.0)
    assert told is not None
    assert "uses other features" in told
    assert "--force" in told
    assert "cannot be read (why)" in (refusal(A, None, "why", 1.0) or "")
