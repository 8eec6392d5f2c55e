from __future__ import annotations

from dataclasses import replace

from segue.comparison_text import comparison_text
from trainer.compare import Comparison, EncodingControl

LABEL = EncodingControl("label", 5, (0.2, 0.1), 0.43, 0.1, 0.352, 0.32, 0.354, no_better_than_shuffled=True)
OTHER = EncodingControl(
    "recommended", 3, (0.03, 0.02), 0.94, None, 0.617, 0.316, 0.337, no_better_than_shuffled=False
)


def told(used: EncodingControl | None, recommended: EncodingControl | None) -> list[str]:
    return list(comparison_text(Comparison((LABEL, OTHER), used, recommended, 1_000)))


def test_no_better_and_another_that_is() -> None:
    assert told(LABEL, OTHER) == [
        (
            "Structure no better than shuffled: the same values, each feature shuffled among the users, make segments "
            "as clear (silhouette 0.352, shuffled up to 0.354)."
        ),
        (
            "The recommended preset passes the controls (silhouette 0.617, shuffled up to 0.337; adjusted Rand index "
            "over resamples 0.94): train with --preset recommended to see its 3 segments."
        ),
    ]


def test_better_and_no_other() -> None:
    better = replace(LABEL, silhouette=0.4, no_better_than_shuffled=False)
    assert told(better, None) == [
        "The segments are clearer than those of the same values shuffled (silhouette 0.400, shuffled up to 0.354).",
        "The recommended preset is not offered: it does not pass these controls here.",
    ]


def test_who_uses_it_is_not_offered_it() -> None:
    assert len(told(OTHER, OTHER)) == 1


def test_without_controls_nothing_is_said() -> None:
    assert told(None, None) == []
