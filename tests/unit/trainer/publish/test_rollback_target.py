from __future__ import annotations

import pytest
from msgspec.structs import replace

from schemas.errors import BadRelease
from tests.support.worlds.made_up_release import a_release
from trainer.publish.release_history import Publication, Published
from trainer.publish.rollback_target import choose

A, B, C = (Publication(replace(a_release(), version=version), None, None) for version in "abc")
KNOWN = Published((A, B, C), C, 7)


def test_without_a_version_the_one_before() -> None:
    assert choose(KNOWN, None) is B
    # Where the current record cannot be read, the last one that can.
    assert choose(Published((A, B), None, 7, "why"), None) is B


def test_a_version() -> None:
    assert choose(KNOWN, "a") is A


@pytest.mark.parametrize(
    ("known", "version", "problem"),
    [
        (KNOWN, "d", "there is no release d: use one of a, b, c"),
        (KNOWN, "c", "release c is already current"),
        (Published((A,), A, 1), None, "there is no release to go back to: a is the only published release"),
        (Published(), None, "there is no release to go back to: none was published yet"),
        (Published(), "a", "none was published yet"),
    ],
)
def test_nowhere_to_go(known: Published, version: str | None, problem: str) -> None:
    with pytest.raises(BadRelease, match=problem):
        choose(known, version)
