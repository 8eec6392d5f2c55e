"""Sentences about the number of segments that each figure of the search suggests."""

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


class _ReportPart(Struct, frozen=True):
    search: Search
    k: int
    k_by: KBy


def disagreement_in(report: bytes) -> str | None:
    """:func:`disagreement`, for the numbers in ``report.json``."""
    part = msgspec.json.decode(report, type=_ReportPart)
    return disagreement(part.search, part.k, part.k_by)


def disagreement(search: Search, k: int, by: KBy) -> str | None:
    """A warning if the figures suggest different numbers of segments, or a number other than ``k``; else
    None.

    Args:
        search: the figures of each k.
        k: the number of segments in use.
        by: what chose k.
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
            f"{figure} suggests {'no number' if number is None else number}{_times(search, figure)}"
            for figure, number in named.items()
        )
        return f"The number of segments is not clear: {', '.join(parts)}. {used}"
    if search.elbow == k or search.elbow is None:
        return None
    agreed = (
        f"The elbow of the SSE, the highest silhouette and the highest stability all suggest {search.elbow}."
    )
    return f"{agreed} {used}"


def _times(search: Search, figure: str) -> str:
    """How many resamples had the same elbow, in brackets; empty for the other figures."""
    if figure != "the elbow of the SSE" or search.elbow is None or not search.elbow_counts:
        return ""
    same, total = search.elbow_counts.get(str(search.elbow), 0), sum(search.elbow_counts.values())
    return f" (in {same} of {total} resamples)"
