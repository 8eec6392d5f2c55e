from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from schemas.features import FEATURES
from trainer.controls.followup import Followup, Outcome, SegmentFollowup
from trainer.controls.traits import Trait
from trainer.controls.worth_so_far import SegmentWorth, Worth
from trainer.report.advice import Advice, Kind, advice_of

T = datetime(2024, 10, 1, tzinfo=UTC)
SIZES = [100, 100]


def worth(share: float) -> Worth:
    """Segment 0 has this share of all spend."""
    parts = (SegmentWorth(1, 0.5, 1, share), SegmentWorth(1, 0.5, 1, 1 - share))
    return Worth(200, 200, parts)


def later(rate: float, users: int = 100) -> Followup:
    """This share of the users of segment 7 ordered again, and half of the users of segment 8."""
    parts = (SegmentFollowup(7, users, rate, 1, None, None), SegmentFollowup(8, 1_000, 0.5, 1, None, None))
    return Followup(T, T, users + 1_000, parts, ())


def advice(known: Worth | None, followup: Followup | None = None, *traits: Trait) -> Advice:
    return advice_of(0, 7, SIZES, traits, FEATURES, known, followup)


@pytest.mark.parametrize(
    ("share", "rate", "kind"),
    [
        # Half of the users with 60% of the spend: 1.2 times all users.
        (0.6, 0.5, "keep"),
        (0.6, 0.9, "keep"),
        (0.6, 0.2, "win_back"),
        (0.59, 0.2, "usual"),
        (0.41, 0.9, "usual"),
        (0.4, 0.5, "second_order"),
        (0.4, 0.2, "second_order"),
        (0.4, 0.9, "grow"),
    ],
)
def test_the_table(share: float, rate: float, kind: Kind) -> None:
    assert advice(worth(share), later(rate)).kind == kind


def test_a_difference_within_chance_says_nothing() -> None:
    # 100 users at 0.42: 1.96 * sqrt(0.42 * 0.58 / 100) = 0.097, and all users are at 0.493.
    assert advice(worth(0.7), later(0.42)).kind == "keep"
    # At 0.38 the interval is 0.095, and ends below 0.489.
    assert advice(worth(0.7), later(0.38)).kind == "win_back"
    assert advice(worth(0.7), later(0.0, users=49)).kind == "keep"
    # Random segments explain as much.
    chance, telling = Outcome("repeat", 0.01, 0.01, 0.02), Outcome("repeat", 0.03, 0.01, 0.02)
    assert advice(worth(0.7), replace(later(0.2), outcomes=(chance,))).kind == "keep"
    assert advice(worth(0.7), replace(later(0.2), outcomes=(telling,))).kind == "win_back"


def test_what_is_not_known_advises_nothing() -> None:
    assert advice(None, later(0.1)).kind == "usual"
    assert advice(worth(0.7)).kind == "keep"


def test_the_value_for_examples() -> None:
    def of(value: str, here: float, *, effect: float = 0.5, clear: bool = True) -> Trait:
        return Trait("country", value, here, 0.1, effect, 9.0, clear)

    older = Trait("age", None, 50, 40, 0.9, 9.0, clear=True)
    found = advice(None, None, older, of("Chad", 0.24), of("Peru", 0.9, clear=False), of("Spain", 0.25))
    assert (found.feature, found.value) == ("country", "Spain")
    assert advice(None, None, older, of("Spain", 0.9, effect=0.05)) == Advice("usual")
