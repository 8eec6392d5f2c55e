from __future__ import annotations

import pytest

from trainer.controls.evaluate import KQuality, Search
from trainer.controls.named_k import KBy, disagreement

ROWS = tuple(KQuality(k, 10.0 / k, 0.5, 1.0, 1.0, 0.9) for k in (2, 3, 4, 5))


def named(elbow: int | None, silhouette: int | None, stability: int | None) -> Search:
    return Search(ROWS, elbow, {"4": 6, "5": 4}, 100, silhouette, stability)


def test_three_figures_that_disagree() -> None:
    assert disagreement(named(4, 2, 3), 5, "setting") == (
        "The number of segments is not clear: the elbow of the SSE suggests 4 (in 6 of 10 resamples), the "
        "highest silhouette suggests 2, the highest stability suggests 3. This release has 5, as --k says."
    )


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("preset", "This release has 4, the preset's number."),
        ("elbow", "This release has 4, which is the elbow's."),
        ("release", "This release has 4, as many as the release in use had."),
    ],
)
def test_who_named_k(by: KBy, said: str) -> None:
    told = disagreement(named(4, 2, 4), 4, by)
    assert told is not None
    assert told.endswith(said)


def test_all_agree_on_another_k() -> None:
    assert disagreement(named(4, 4, 4), 5, "setting") == (
        "The elbow of the SSE, the highest silhouette and the highest stability all suggest 4. This release "
        "has 5, as --k says."
    )


def test_no_elbow_is_said() -> None:
    told = disagreement(named(None, 2, 2), 2, "setting")
    assert told is not None
    assert "the elbow of the SSE suggests no number, the highest silhouette suggests 2" in told


def test_where_all_name_the_k_in_use_nothing_is_said() -> None:
    assert disagreement(named(4, 4, 4), 4, "elbow") is None


def test_one_k_alone_has_nothing_beside_it() -> None:
    assert disagreement(Search(ROWS[:1], None, {}, 2, 2, 2), 5, "setting") is None
