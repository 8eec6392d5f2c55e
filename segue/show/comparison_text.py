"""Describes the controls of a release in words."""

from __future__ import annotations

from collections.abc import Iterator

from trainer.controls.compare_encodings import Comparison, EncodingControl
from trainer.steps.presets import RECOMMENDED, RFM

_VERDICTS = {
    "clearer": "The segments are clearer than those of the same values shuffled ({}).",
    "less clear": "The segments are less clear than those of the same values shuffled ({}).",
    "no clear difference": (
        "No clear difference from shuffled: the same values, each feature shuffled among the users, make"
        " segments about as clear ({})."
    ),
}


def comparison_text(comparison: Comparison) -> Iterator[str]:
    """Yield sentences about the structure in the data and about the recommended preset.

    There are no sentences if the release has no controls.
    """
    used = comparison.used
    if used is None:
        return
    yield _VERDICTS[used.verdict].format(_gain(used))
    if used.encoding in (RECOMMENDED, RFM):
        return
    found = comparison.recommended
    if found is None:
        yield "The recommended preset is not offered: it does not pass these controls here."
    else:
        yield (
            f"The recommended preset passes the controls ({_gain(found)}; adjusted Rand index over resamples "
            f"{found.bootstrap_ari:.2f}): train with --preset {RECOMMENDED} to see its {found.k} segments."
        )


def _gain(control: EncodingControl) -> str:
    where = "below" if control.gain < 0 else "above"
    return f"silhouette {abs(control.gain):.3f} ± {control.margin:.3f} {where} shuffled"
