"""Which number of segments each figure of the search names, in words."""

from typing import Literal

import msgspec
from msgspec import Struct

from trainer.controls.evaluate import Search

KBy = Literal["preset", "setting", "elbow", "release"]
"""The preset, the option ``--k``, the elbow of the SSE, or the release in use."""
_BY: dict[KBy, str] = {
    "preset": "the preset's number",
    "setting": "as --k says",
    "elbow": "which is the elbow's",
    "release": "as many as the release in use had",
}


class _Told(Struct, frozen=True):
    search: Search
    k: int
    k_by: KBy


def disagreement_in(report: bytes) -> str | None:
    """:func:`disagreement` of what ``report.json`` has."""
    told = msgspec.json.decode(report, type=_Told)
    return disagreement(told.search, told.k, told.k_by)


def disagreement(search: Search, k: int, by: KBy) -> str | None:
    """Where the figures name different numbers of segments, or another one than is used; None where they do not.

    Args:
        search: the figures.
        k: how many segments there are.
        by: who named k.
    """
    if len(search.rows) < 2:
        return None
    named = {
        "the elbow of the SSE": search.elbow,
        "the highest silhouette": search.highest_silhouette,
        "the highest stability": search.highest_stability,
    }
    used = f"This release has {k}, {_BY[by]}."
    if len(set(named.values())) > 1:
        parts = (
            f"{figure} names {'no number' if number is None else number}{_times(search, figure)}"
            for figure, number in named.items()
        )
        return f"How many segments there are is not clear: {', '.join(parts)}. {used}"
    if search.elbow == k or search.elbow is None:
        return None
    return f"The elbow of the SSE, the highest silhouette and the highest stability all name {search.elbow}. {used}"


def _times(search: Search, figure: str) -> str:
    """How often the elbow was there, over the resamples."""
    if figure != "the elbow of the SSE" or search.elbow is None or not search.elbow_counts:
        return ""
    return f" (in {search.elbow_counts.get(str(search.elbow), 0)} of {sum(search.elbow_counts.values())} resamples)"
