"""The section on the number of segments: every figure for every k."""

from collections.abc import Iterator

from markupsafe import Markup

from trainer.report.charts.curves import counts_chart, curve_chart
from trainer.report.charts.html import render
from trainer.report.report_numbers import Report

_HOW = {
    "preset": "the preset's k is {}",
    "setting": "--k is {}",
    "elbow": "this k is used",
    "release": "the release in use has {} segments",
}
_INDICES = {
    "sse": ("SSE", "lower is better, at the same k"),
    "silhouette": ("Silhouette", "higher is better"),
    "calinski_harabasz": ("Calinski-Harabasz", "higher is better"),
    "davies_bouldin": ("Davies-Bouldin", "lower is better"),
    "stability": ("Stability", "higher is better, 1 at best"),
}


def choice(report: Report) -> Markup:
    """The HTML of the section: words, charts and a table."""
    search = report.search
    return render(
        "choice.html",
        searched=f"k from {search.rows[0].k} to {search.rows[-1].k}" if search.rows else "so few users",
        elbow=f"kneed finds the elbow at {search.elbow}" if search.elbow else "kneed finds no elbow",
        how=_HOW[report.k_by].format(report.k),
        search=search,
        rows=search.rows,
        k=report.k,
        used=report.users.used,
        unclear=report.k_unclear,
        charts=list(_charts(report)) if len(search.rows) > 1 else [],
    )


def _charts(report: Report) -> Iterator[tuple[str, str, Markup]]:
    """Yield name, hint and chart of each index, then of the elbow."""
    search = report.search
    ks = [row.k for row in search.rows]
    for index, (name, better) in _INDICES.items():
        values = [getattr(row, index) for row in search.rows]
        if any(figure is not None for figure in values):
            elbow = search.elbow if index == "sse" else None
            yield name, better, curve_chart(f"{name} for each k", ks, values, used=report.k, elbow=elbow)
    if search.elbow_counts:
        times = sum(search.elbow_counts.values())
        chart = counts_chart("How often each k was the elbow", ks, search.elbow_counts)
        yield "The elbow", f"in {times} resamples, how often at each k", chart
