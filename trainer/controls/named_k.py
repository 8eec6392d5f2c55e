"""Sentences about the number of segments that each figure of the search suggests."""

from collections.abc import Iterator, Mapping
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
    named = (search.elbow, search.highest_silhouette, search.highest_stability)
    used = f"This release has {k}, {_BY[by]}."
    if len(set(named)) > 1:
        return f"The number of segments is not clear. {' '.join(_suggestions(search, k))} {used}"
    if search.elbow == k or search.elbow is None:
        return None
    agreed = (
        f"The elbow of the SSE, the highest silhouette and the highest stability all suggest {search.elbow}."
    )
    return f"{agreed} {used}"


def _suggestions(search: Search, k: int) -> Iterator[str]:
    """Yield a sentence for each figure: the k that it suggests, and its values there and at ``k``."""
    where = "Elbow (beyond it, more segments describe users only a little better)"
    yield f"{where}: {_k(search.elbow)}{_times(search)}."
    silhouettes = {row.k: row.silhouette for row in search.rows}
    best = search.highest_silhouette
    yield f"Silhouette (how separate the segments are): {_k(best)}{_values(silhouettes, best, k)}."
    stabilities = {row.k: row.stability for row in search.rows}
    best = search.highest_stability
    meaning = "whether another sample of the users gives the same segments"
    yield f"Stability ({meaning}): {_k(best)}{_values(stabilities, best, k)}."


def _k(number: int | None) -> str:
    return "suggests no number" if number is None else f"suggests {number}"


def _values(figures: Mapping[int, float | None], best: int | None, k: int) -> str:
    """A figure where it is highest and, if it is known, at another k in use; empty without a figure."""
    highest, here = figures.get(best) if best is not None else None, figures.get(k)
    if highest is None:
        return ""
    beside = "" if here is None or best == k else f"; at {k} it is {here:.3f}"
    return f", where it is {highest:.3f}{beside}"


def _times(search: Search) -> str:
    """How many resamples had the same elbow; empty if there is no elbow."""
    if search.elbow is None or not search.elbow_counts:
        return ""
    same, total = search.elbow_counts.get(str(search.elbow), 0), sum(search.elbow_counts.values())
    return f", in {same} of {total} resamples of the users"
