from __future__ import annotations

from dataclasses import replace

from segue.show.comparison_text import comparison_text
from trainer.controls.compare_encodings import Comparison, EncodingControl

LABEL = EncodingControl("label", 5, (0.2, 0.1), 0.43, 0.1, 0.001, 0.05, "no clear difference")
OTHER = EncodingControl("recommended", 3, (0.03, 0.02), 0.94, None, 0.25, 0.177, "clearer")


def told(used: EncodingControl | None, recommended: EncodingControl | None) -> list[str]:
    return list(comparison_text(Comparison((LABEL, OTHER), used, recommended, 1_000)))


def test_rfm_is_compared_with_shuffled_data_only() -> None:
    (said,) = told(replace(LABEL, encoding="rfm", gain=0.2, verdict="clearer"), None)
    assert said.startswith("The segments are clearer than those of the same values shuffled")


def test_no_clear_difference_and_another_preset_that_has_one() -> None:
    assert told(LABEL, OTHER) == [
        (
            "No clear difference from shuffled: the same values, each feature shuffled among the users, make "
            "segments about as clear (silhouette 0.001 ± 0.050 above shuffled)."
        ),
        (
            "The recommended preset passes the controls (silhouette 0.250 ± 0.177 above shuffled; adjusted "
            "Rand index over resamples 0.94): train with --preset recommended to see its 3 segments."
        ),
    ]


def test_clearer_and_no_other() -> None:
    assert told(replace(LABEL, gain=0.2, verdict="clearer"), None) == [
        (
            "The segments are clearer than those of the same values shuffled (silhouette 0.200 ± 0.050 above "
            "shuffled)."
        ),
        "The recommended preset is not offered: it does not pass these controls here.",
    ]


def test_less_clear() -> None:
    (said, _) = told(replace(LABEL, gain=-0.2, verdict="less clear"), None)
    assert said == (
        "The segments are less clear than those of the same values shuffled (silhouette 0.200 ± 0.050 below "
        "shuffled)."
    )


def test_who_uses_it_is_not_offered_it() -> None:
    assert len(told(OTHER, OTHER)) == 1


def test_without_controls_nothing_is_said() -> None:
    assert told(None, None) == []
