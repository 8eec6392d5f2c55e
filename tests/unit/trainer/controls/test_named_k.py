from __future__ import annotations

import pytest

from trainer.controls.evaluate import KQuality, Search
from trainer.controls.named_k import KBy, disagreement

SILHOUETTES, STABILITIES = {2: 0.41, 3: 0.437, 4: 0.39, 5: 0.4}, {2: 0.9, 3: 0.98, 4: 0.78, 5: 0.7}
ROWS = tuple(KQuality(k, 10.0 / k, SILHOUETTES[k], 1.0, 1.0, STABILITIES[k]) for k in (2, 3, 4, 5))


def named(elbow: int | None, silhouette: int | None, stability: int | None) -> Search:
    return Search(ROWS, elbow, {"4": 6, "5": 4}, 100, silhouette, stability)


def test_each_figure_says_its_k_and_its_values() -> None:
    assert disagreement(named(4, 2, 3), 5, "setting") == (
        "The number of segments is not clear. "
        "Elbow (beyond it, more segments describe users only a little better): suggests 4, in 6 of 10 "
        "resamples of the users. "
        "Silhouette (how separate the segments are): suggests 2, where it is 0.410; at 5 it is 0.400. "
        "Stability (whether another sample of the users gives the same segments): suggests 3, where it is "
        "0.980; at 5 it is 0.700. "
        "This release has 5, as --k says."
    )


def test_the_elbow_chose_a_k_that_is_worse() -> None:
    """Once this was silent: silhouette 0.437 at 3 against 0.390 at 4, stability 0.98 against 0.78."""
    told = disagreement(named(4, 3, 3), 4, "elbow")
    assert told is not None
    assert "suggests 3, where it is 0.437; at 4 it is 0.390" in told
    assert "suggests 3, where it is 0.980; at 4 it is 0.780" in told
    assert told.endswith("This release has 4, which is the elbow's.")


def test_a_figure_that_suggests_the_k_in_use_has_nothing_beside_it() -> None:
    told = disagreement(named(4, 4, 2), 4, "elbow")
    assert told is not None
    assert "(how separate the segments are): suggests 4, where it is 0.390. " in told


def test_a_k_outside_the_search_has_no_figures() -> None:
    told = disagreement(named(4, 3, 2), 12, "setting")
    assert told is not None
    assert "suggests 3, where it is 0.437. " in told


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
    assert (
        "only a little better): suggests no number. Silhouette (how separate the segments are): suggests 2"
        in told
    )


def test_where_all_name_the_k_in_use_nothing_is_said() -> None:
    assert disagreement(named(4, 4, 4), 4, "elbow") is None


def test_one_k_alone_has_nothing_beside_it() -> None:
    assert disagreement(Search(ROWS[:1], None, {}, 2, 2, 2), 5, "setting") is None
