"""What the controls say of a release, in words."""

from __future__ import annotations

from collections.abc import Iterator

from trainer.compare import Comparison, EncodingControl
from trainer.presets import RECOMMENDED


def comparison_text(comparison: Comparison) -> Iterator[str]:
    """A sentence on the structure that was found, and one on the recommended preset; none without controls."""
    used = comparison.used
    if used is None:
        return
    if used.no_better_than_shuffled:
        yield (
            "Structure no better than shuffled: the same values, each feature shuffled among the users, make segments "
            f"as clear ({_figures(used)})."
        )
    else:
        yield f"The segments are clearer than those of the same values shuffled ({_figures(used)})."
    if used.encoding == RECOMMENDED:
        return
    found = comparison.recommended
    if found is None:
        yield "The recommended preset is not offered: it does not pass these controls here."
    else:
        yield (
            f"The recommended preset passes the controls ({_figures(found)}; adjusted Rand index over resamples "
            f"{found.bootstrap_ari:.2f}): train with --preset {RECOMMENDED} to see its {found.k} segments."
        )


def _figures(control: EncodingControl) -> str:
    return f"silhouette {control.silhouette:.3f}, shuffled up to {control.shuffled_highest:.3f}"
