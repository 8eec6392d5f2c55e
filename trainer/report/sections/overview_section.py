"""The key figures of the statistics, the scatter chart, the sizes of the segments."""

from markupsafe import Markup

from trainer.controls.evaluate import SILHOUETTE_ROWS, Labels
from trainer.report.charts.bars import Bar, bar_chart
from trainer.report.charts.html import number, render
from trainer.report.charts.svg import colour
from trainer.report.report_numbers import Report
from trainer.report.scatter import POINTS, scatter_chart
from trainer.steps.encode import Matrix

_SILHOUETTE = (
    "how much nearer users are to their own segment than to the next one: 1 at best, 0 if the segments touch"
    f" everywhere, −1 at worst; over one sample of at most {SILHOUETTE_ROWS:,} users"
)
_METRICS = {
    "sse": ("SSE", "the sum of squared distances to the centres", ",.1f"),
    "silhouette": (
        "Silhouette",
        _SILHOUETTE,
        ".3f",
    ),
    "calinski_harabasz": ("Calinski-Harabasz", "higher is better", ",.1f"),
    "davies_bouldin": ("Davies-Bouldin", "lower is better", ".3f"),
    "stability": ("Stability", "adjusted Rand index under resampling; 1 is best", ".3f"),
    "explained_variance": ("Explained variance", "what the components keep of the features", ".1%"),
}


def figures(report: Report) -> Markup:
    """The HTML of the boxes with the key figures."""
    shown = []
    for name in ("silhouette", "stability", "explained_variance"):
        if name in report.metrics:
            label, _, form = _METRICS[name]
            shown.append((number(report.metrics[name], form), label.lower()))
    return render("figures.html", figures=shown)


def clusters(report: Report, components: Matrix, labels: Labels) -> Markup:
    """The HTML of the cards; the arguments are those of :func:`trainer.report.report_page.page`."""
    return render(
        "clusters.html",
        scatter=scatter_chart(components, labels, report.segments, report.explained_variance),
        sizes=_sizes(report),
        metrics=[
            (label, hint, number(report.metrics[name], form))
            for name, (label, hint, form) in _METRICS.items()
            if name in report.metrics
        ],
        users=len(labels),
        points=POINTS,
    )


def _sizes(report: Report) -> Markup:
    rows = [
        Bar(
            f"{segment.id}  {segment.name}",
            segment.size,
            f"{segment.size:,}  ({segment.cluster_ratio:.1f}%)",
            colour(place),
        )
        for place, segment in enumerate(report.segments)
    ]
    return bar_chart("Users in each segment", rows)
